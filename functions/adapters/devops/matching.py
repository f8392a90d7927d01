"""Whether a build is the one that a request asked for. Pure functions of the two.

https://learn.microsoft.com/rest/api/azure/devops/build/builds/list?view=azure-devops-rest-7.1
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from functions.core.texts import jsontext
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.terms.pipelines import PipelineRequest


_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")


def matches(request: PipelineRequest, build: Mapping[str, Any]) -> bool:
    """Whether a build carries everything that was asked, with equal text; it may carry more."""
    body = json.loads(request.body)
    return _is_alike(body, build) and _carries(_queued_variables(build), _variables(body))


def differing(body: Mapping[str, Any], run: Mapping[str, Any]) -> list[str]:
    """The parameters that a run shows, and otherwise than they were asked for."""
    shown, asked = _folded(run.get("templateParameters")), body.get("templateParameters", {})
    return [n for n, v in asked.items() if n.lower() in shown and not _same(v, shown[n.lower()])]


def hides_variables(request: PipelineRequest, build: Mapping[str, Any]) -> bool:
    """Whether a build shows no variables at all, and all else that was asked with some."""
    body = json.loads(request.body)
    return bool(_variables(body)) and not build.get("parameters") and _is_alike(body, build)


def unlike(request: PipelineRequest, build: Mapping[str, Any]) -> str:
    """What a build shows otherwise than it was asked; "" where all that it shows is the same.

    What it does not show cannot be compared.
    """
    body = json.loads(request.body)
    branch = body.get("resources", {}).get("repositories", {}).get("self", {}).get("refName")
    compared = (
        ({"branch": branch} if branch else {}, {"branch": build.get("sourceBranch")}),
        (body.get("templateParameters", {}), build.get("templateParameters")),
        (_variables(body), _queued_variables(build)),
    )
    told = (_first_unlike(asked, shown) for asked, shown in compared)
    return next(filter(None, told), "")


def _first_unlike(asked: Mapping[str, str], shown: object) -> str:
    found = {str(n).lower(): v for n, v in shown.items()} if isinstance(shown, dict) else {}
    for name, value in asked.items():
        there = found.get(name.lower())
        if there is not None and not _same(value, there):
            return bounded(f"{name} is {bounded(there, 100)}, and {bounded(value, 100)} was asked")
    return ""


def _is_alike(body: Mapping[str, Any], build: Mapping[str, Any]) -> bool:
    """Whether a build has the parameters and the branch."""
    branch = body.get("resources", {}).get("repositories", {}).get("self", {}).get("refName")
    if branch is not None and build.get("sourceBranch") != branch:
        return False
    return _carries(build.get("templateParameters"), body.get("templateParameters", {}))


def _variables(body: Mapping[str, Any]) -> Mapping[str, str]:
    """Those that are asked for and that a build shows."""
    asked = body.get("variables", {})
    return {n: v["value"] for n, v in asked.items() if not v.get("isSecret")}


def asks_parameters(request: PipelineRequest) -> bool:
    """Whether a build must show its parameters to be told."""
    return bool(json.loads(request.body).get("templateParameters"))


def _carries(shown: object, asked: Mapping[str, str]) -> bool:
    """Whether every asked value is shown; names are compared in any case, as the service does."""
    folded = _folded(shown)
    return all(n.lower() in folded and _same(v, folded[n.lower()]) for n, v in asked.items())


def _folded(shown: object) -> dict[str, Any]:
    return {str(n).lower(): v for n, v in shown.items()} if isinstance(shown, dict) else {}


def _queued_variables(build: Mapping[str, Any]) -> Mapping[str, Any]:
    """Queue-time variables: JSON text in `parameters`."""
    try:
        found = jsontext.read(build.get("parameters") or "{}")
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _same(asked: str, shown: object) -> bool:
    """Parameters are asked as text and may be shown typed, or with a boolean's case changed.

    Texts are compared as such: YAML would read `2026_1_2` and `202_612` as one number. What is
    shown as a number is one, and then `10.0` is 10.
    """
    if isinstance(shown, int | float) and not isinstance(shown, bool) and _NUMBER.fullmatch(asked):
        return Decimal(asked) == Decimal(str(shown))
    text = shown if isinstance(shown, str) else json.dumps(shown)
    if asked == text or {asked.lower(), text.lower()} in ({"true"}, {"false"}):
        return True
    known = _structure(asked)
    return known is not None and known == _structure(text)


@lru_cache(maxsize=64)  # what was asked is compared with every build
def _structure(text: str) -> str | None:
    """The list or mapping that a text is, as JSON or as YAML, in one spelling; None: neither.

    Nor is one with aliases, of which a few hundred characters may unfold to gigabytes.
    """
    from functions.core.texts import yamltext  # noqa: PLC0415 - only a look-up compares

    try:
        value = yamltext.plain(yamltext.composed(text, aliases=False))
        return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else None
    except (TypeError, ValueError):
        return None
