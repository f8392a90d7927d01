"""Which model is meant where sources tell of several, and what they say of the same one.

Nothing of one model is told with anything of another. Pure functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from functions.core.terms.runs import Model

if TYPE_CHECKING:
    from collections.abc import Sequence


def meant(logged: Sequence[Model], registered: Sequence[Model], name: str) -> Model | None:
    """The model that was registered (under this name), else, where none is named, the last logged.

    A run may log several models and register another one than the last. Of several names none is
    taken: they are the model's `several`. All come newest first.
    """
    versions = [model for model in registered if not name or model.name == name]
    names = sorted({model.name for model in versions if model.name})
    if len(names) > 1:
        return Model(several=tuple(names))
    if versions:
        return paired(versions[0], logged)
    return next(iter(logged), None) if not name else None


def paired(version: Model, logged: Sequence[Model], *, surely: bool = False) -> Model:
    """A version with what is known of the logged model that it was made of.

    Its source tells which; one that does not (MLflow 3's, or none) is of the only one there is,
    unless it must be sure.
    """
    of = [model for model in logged if is_of(version.uri, model.path)]
    if not surely and not tells(version.uri):
        of = list(logged)
    return filled(of[0], version) if len({model.path for model in of}) == 1 else version


def with_output(known: Model | None, output: Model | None, logged: Sequence[Model]) -> Model | None:
    """What was known before, with a job's output: a registered one is the model, if none is yet."""
    if output is None or not (output.name or output.several):
        return known if known and known.is_known else output
    if known is None or not (known.name or known.several):
        return paired(output, logged, surely=True)
    return filled(known, output) if known.name == output.name else known


def joined(first: Model | None, more: Model | None) -> Model | None:
    """What both say of one model, the earlier source first."""
    if first is None or more is None:
        return first or more
    return filled(first, more)


def filled(first: Model, more: Model) -> Model:
    """The first, and what it does not tell from the other one."""
    known = msgspec.structs.asdict(first)
    return Model(**{n: v or getattr(more, n) for n, v in known.items()})


def tells(source: str | None) -> bool:
    """Whether a version's source tells the path that the model was logged under."""
    return bool(source) and not str(source).startswith("models:/")


def is_of(source: str | None, path: str | None) -> bool:
    """Whether a version's source is the artifact at that path, as it tells itself."""
    return (
        bool(path)
        and tells(source)
        and str(source).rstrip("/").endswith(f"/{str(path).strip('/')}")
    )
