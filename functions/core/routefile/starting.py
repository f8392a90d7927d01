"""What the `start` of a route means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from functions.core import placeholders
from functions.core.routefile import words
from functions.core.routefile.wire import or_none
from functions.core.routes import Start, Variable
from functions.core.values import bounded

if TYPE_CHECKING:
    from functions.core.routefile.notes import At, Notes
    from functions.core.routefile.wire import Defaults, StartEntry, VariableEntry

_LONGEST_KEY = 256


def start_of(entry: StartEntry, defaults: Defaults, at: At, notes: Notes) -> Start:
    """The start with the defaults filled in; of use only while `notes` holds no problem."""
    _check_ids(entry, at, notes)
    _check_correlation(entry, at, notes)
    _check_values(entry, at, notes)
    return Start(
        organization=_needed(entry, defaults, "organization", at, notes),
        project=_needed(entry, defaults, "project", at, notes),
        secret=_given(entry, defaults, "secret"),
        pipeline=entry.pipeline,
        pipeline_version=or_none(entry.pipeline_version),
        branch=or_none(entry.branch),
        parameters=entry.parameters,
        correlation=or_none(entry.correlation),
        variables={name: _variable(value) for name, value in entry.variables.items()},
        skip_stages=tuple(entry.skip_stages),
    )


NAMES = {
    "organization": words.ORGANIZATION,
    "project": words.PROJECT,
    "secret": words.SECRET,
    "branch": words.BRANCH,
    "correlation": words.PARAMETER,
}


def check_names(entry: Defaults | StartEntry, at: At, notes: Notes) -> None:
    """Names become parts of URLs, so what could change a URL's path is refused."""
    for key, form in NAMES.items():
        text = getattr(entry, key, UNSET)
        if isinstance(text, str) and not form.fits(text):
            notes.problem((*at, key), f"`{bounded(text, 80)}` must be {form.allowed}")


def _given(entry: StartEntry, defaults: Defaults, key: str) -> str | None:
    own = getattr(entry, key)
    found = getattr(defaults, key) if own is UNSET else own
    return None if found is UNSET else str(found)


def _needed(entry: StartEntry, defaults: Defaults, key: str, at: At, notes: Notes) -> str:
    found = _given(entry, defaults, key)
    if found is None:
        notes.problem((*at, key), "is given neither here nor in `defaults`")
    return found or ""


def _check_ids(entry: StartEntry, at: At, notes: Notes) -> None:
    check_names(entry, at, notes)
    for key in ("pipeline", "pipeline_version"):
        number = getattr(entry, key)
        if number is not UNSET and not 1 <= number <= words.LARGEST_ID:
            what = f"{bounded(number, 40)} must be from 1 to {words.LARGEST_ID}"
            notes.problem((*at, key), what)


def _check_correlation(entry: StartEntry, at: At, notes: Notes) -> None:
    if isinstance(entry.correlation, UnsetType):
        return
    for name in entry.parameters:
        # Azure Pipelines takes parameter names in any case
        if name.casefold() == entry.correlation.casefold():
            what = f"names `{bounded(name, 60)}`, which stands among the parameters as well"
            notes.problem((*at, "correlation"), what)


def _check_values(entry: StartEntry, at: At, notes: Notes) -> None:
    values: list[tuple[str, str, object]] = [
        *(("parameters", name, value) for name, value in entry.parameters.items()),
        *(("variables", name, _variable(value).value) for name, value in entry.variables.items()),
        *(("skip_stages", name, None) for name in entry.skip_stages),
    ]
    for key, name, value in values:
        if not name.strip() or len(name) > _LONGEST_KEY or not name.isprintable():
            notes.problem((*at, key), f"`{bounded(name, 60)}` is no usable name")
        for what in placeholders.problems_of(value):
            notes.problem((*at, key, name), what)


def _variable(value: str | float | bool | VariableEntry) -> Variable:
    if isinstance(value, (str, int, float)):
        return Variable(value)
    return Variable(value.value, value.secret)
