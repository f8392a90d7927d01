"""What is deployed, as the compiler predicts it: every resource with its properties.

The predictions are files, which `make infra` compares with what the compiler predicts now.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from tests.infra.judged import Judged, judged
from tests.infra.sets import INFRA, KEPT

SETS = ("dev", "prod", "private", "entra", "roles", "existing", "two-subscriptions")


@cache
def everything(name: str) -> dict[str, Any]:
    """The prediction of that set of parameters."""
    found: dict[str, Any] = json.loads((KEPT / f"{name}.snapshot.json").read_text("utf-8"))
    return found


def resources(name: str, kind: str = "") -> list[dict[str, Any]]:
    """The resources of a type."""
    found: list[dict[str, Any]] = everything(name)["predictedResources"]
    return [each for each in found if not kind or each["type"] == f"Microsoft.{kind}"]


def one(name: str, kind: str) -> dict[str, Any]:
    """The only resource of a type."""
    (found,) = resources(name, kind)
    return found


def properties(name: str, kind: str) -> dict[str, Any]:
    """Those of the only resource of a type."""
    found: dict[str, Any] = one(name, kind)["properties"]
    return found


def settings(name: str) -> dict[str, str]:
    """The settings of the app."""
    written = [each for each in resources(name, "Web/sites/config") if "appsettings" in each["id"]]
    found: dict[str, str] = written[0]["properties"]
    return found


def answers() -> Judged:
    """What the compiler says now; the test is skipped where there is none."""
    try:
        return judged()
    except FileNotFoundError as none:
        pytest.skip(str(none))


def template(name: str = "main") -> dict[str, Any]:
    """A compiled template."""
    found: dict[str, Any] = answers().templates[name]
    return found


def templates(inside: dict[str, Any]) -> list[dict[str, Any]]:
    """A compiled template and those of all its modules."""
    modules = [each["properties"]["template"] for each in nested(inside).values()]
    return [inside, *(one for module in modules for one in templates(module))]


def nested(inside: dict[str, Any]) -> dict[str, Any]:
    """The modules of a compiled template, by their names in it."""
    found = inside["resources"]
    named = found if isinstance(found, dict) else dict(enumerate(found))
    return {str(n): each for n, each in named.items() if each["type"].endswith("/deployments")}


def built_in() -> dict[str, str]:
    """The ids of the roles that Azure has, by our names of them."""
    found: dict[str, str] = json.loads((INFRA / "modules" / "roles.json").read_text("utf-8"))
    return found
