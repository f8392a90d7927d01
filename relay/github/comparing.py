"""A request beside what the workflow's file declares. Pure.

https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.core.texts.bounds import bounded
from functions.core.texts.phrases import counted
from relay.github.declared import TRIGGER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from functions.core.terms.pipelines import PipelineRequest
    from relay.github.declared import Declared


def refused(
    request: PipelineRequest, declared: Declared, samples: Collection[str] = ()
) -> list[str]:
    """What GitHub would not take, in words. `samples`: inputs whose values stand for others."""
    if declared.inputs is None:
        return [f"it does not have the trigger {TRIGGER}"]
    return list(_refused(request, declared, samples))


def _refused(
    request: PipelineRequest, declared: Declared, samples: Collection[str]
) -> Iterator[str]:
    given, known = _given(request), declared.inputs or {}
    if unknown := [name for name in given if name not in known]:
        what = "it declares no input" if len(unknown) == 1 else "it declares no inputs"
        yield f"{what} {_listed(unknown)}"
    if needed := [n for n, one in known.items() if one.is_needed and not given.get(n)]:
        yield f"it requires {_listed(needed)}"
    for name, value in given.items():
        one = known.get(name)
        if one and value and name not in samples and not one.takes(value):
            kinds = f"one of {_listed(one.options)}" if one.options else f"a {one.kind}"
            yield f"{bounded(name, 100)} must be {kinds}, and is {bounded(value, 100)}"


def unfindable(request: PipelineRequest, declared: Declared) -> str:
    """Why a run whose answer was lost could not be found by its name; "" where it could."""
    if not request.mark:
        return "there is no `correlation`"
    shown = [name for name, value in _given(request).items() if value == request.mark]
    if any(map(declared.shows, shown)):
        return ""
    how = "does not always show" if any(map(declared.names, shown)) else "does not show"
    return f"its `run-name` {how} the input {_listed(shown)}"


def told(request: PipelineRequest, declared: Declared | None) -> str:
    """What was compared, since GitHub has no preview."""
    if declared is None:
        return "GitHub has no preview, and the file could not be looked at: its inputs neither"
    what = counted(len(_given(request)), "input")
    if why := unfindable(request, declared):
        return f"GitHub has no preview; compared were the trigger and {what}; {why}"
    return f"GitHub has no preview; compared were the trigger, {what} and `run-name`"


def _given(request: PipelineRequest) -> dict[str, str]:
    inputs: dict[str, str] = json.loads(request.body).get("inputs", {})
    return inputs


def _listed(names: Collection[str]) -> str:
    return ", ".join(bounded(name, 100) for name in names)
