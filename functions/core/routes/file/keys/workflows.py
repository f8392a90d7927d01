"""`start: {github: …}`: a workflow of GitHub Actions, and what is wrong with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.routes.definition import Start
from functions.core.terms.pipelines import GITHUB
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.routes.file.document import At

    Entry = dict[str, Any]
    Said = Iterator[tuple[At, str]]

MOST_INPUTS = 25
"""https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#onworkflow_dispatchinputs"""


def made(entry: Entry) -> Start:
    """The start that an entry describes. No `defaults` fill it in: those are of Azure DevOps."""
    owner, _, repository = entry["github"].partition("/")
    return Start(
        organization=f"{GITHUB}{owner}",
        project=repository,
        pipeline=entry["workflow"],
        secret=entry.get("secret"),
        branch=entry["ref"],
        parameters=entry.get("inputs", {}),
        correlation=entry.get("correlation"),
    )


def contradictions(entry: Entry) -> Said:
    """What is wrong with a start of which each key has the right shape."""
    inputs, correlation = entry.get("inputs", {}), entry.get("correlation", "")
    for name in inputs:
        if name and name.casefold() == correlation.casefold():
            what = f"names `{bounded(name, 60)}`, which stands among the inputs as well"
            yield ("correlation",), what
    if len(inputs) + bool(correlation) > MOST_INPUTS:
        yield ("inputs",), f"are more than the {MOST_INPUTS} that a workflow takes"


def shared_secrets(entries: list[tuple[At, Entry]], defaults: object) -> Said:
    """Secrets that are used for both services, of which neither may see the other's."""
    shared = defaults.get("secret") if isinstance(defaults, dict) else None
    named = [(at, start) for at, e in entries if isinstance(start := e.get("start"), dict)]
    used = {s.get("secret", shared) for _, s in named if "github" not in s} | {shared}
    for at, start in named:
        name = start.get("secret")
        if "github" in start and isinstance(name, str) and name in used:
            what = f"`{bounded(name, 60)}` is a secret of Azure DevOps as well: no token is of both"
            yield (*at, "start", "secret"), what
