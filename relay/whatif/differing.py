"""What two requests to run a pipeline say otherwise. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.core.texts.bounds import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.terms.pipelines import PipelineRequest


def differing(was: PipelineRequest, would: PipelineRequest) -> Iterator[tuple[str, str, str]]:
    """What is said otherwise, and both texts; of a secret only that it is so."""
    if was.where != would.where:
        yield "pipeline", was.where, would.where
    if was.pipeline_version != would.pipeline_version:
        yield "pipeline_version", str(was.pipeline_version), str(would.pipeline_version)
    before, after = dict(_flat(was)), dict(_flat(would))
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            hidden = any(secret for _, secret in (before.get(name, _NONE), after.get(name, _NONE)))
            texts = (before.get(name, _NONE)[0], after.get(name, _NONE)[0])
            yield name, *((HIDDEN, HIDDEN) if hidden else texts)


_NONE = ("none", False)


def _flat(request: PipelineRequest) -> Iterator[tuple[str, tuple[str, bool]]]:
    """Each part of the body with its text, and whether that is a secret."""
    for part, found in json.loads(request.body).items():
        if part == "variables":
            for name, variable in found.items():
                yield f"variables.{name}", (variable["value"], bool(variable.get("isSecret")))
        elif part == "templateParameters":
            yield from ((f"parameters.{name}", (text, False)) for name, text in found.items())
        else:
            yield part, (json.dumps(found), False)
