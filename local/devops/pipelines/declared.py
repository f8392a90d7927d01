"""The parameters that a pipeline's YAML declares.

https://learn.microsoft.com/azure/devops/pipelines/process/runtime-parameters
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from local.devops.pipelines.defined import Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES = ("string", "number", "boolean")


def parameters(text: str) -> dict[str, Parameter]:
    """The parameters by name, as the YAML declares them; ValueError where it declares none so.

    Every type but string, number and boolean takes a structure, as `object` does. A pipeline may
    also declare them as a mapping of names to defaults, all of them strings.
    """
    found = _read(text).get("parameters") or []
    if isinstance(found, dict):
        return {str(name): Parameter(default=_text(value)) for name, value in found.items()}
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("parameters is neither a list of parameters nor a mapping")
    return {str(one["name"]): _parameter(one) for one in found if one.get("name")}


def _read(text: str) -> dict[str, Any]:
    try:
        found = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - texts, lists and mappings
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {error}") from None
    return found if isinstance(found, dict) else {}


def _parameter(declared: Mapping[str, Any]) -> Parameter:
    kind = str(declared.get("type", "string"))
    return Parameter(
        type=kind if kind in _TYPES else "object",  # type: ignore[arg-type]
        default=_text(declared["default"]) if "default" in declared else None,
        values=tuple(map(str, declared.get("values") or ())),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
