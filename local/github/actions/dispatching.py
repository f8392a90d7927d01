"""The body of a dispatch, and what is refused of it.

https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from local.github.errors import Refusal, malformed, unprocessable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from local.github.actions.declared import Input

Details = Literal["told", "ignored", "refused"]

LARGEST = 65_535  # characters of all inputs
DETAILS = "return_run_details"
SINCE = "2026-03-10"  # the API version in which they are always told, and cannot be asked for

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")


@dataclass(frozen=True)
class Dispatch:
    """What a good body asks for."""

    ref: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    details: bool = False


def read(body: bytes, details: Details, version: str, most: int) -> Dispatch:
    """A body of the right form. Raises a Refusal, in the order in which the service looks.

    `details` is what this server knows of `return_run_details`, `most` how many inputs it takes.
    Inputs are text: a bare number or boolean, which the service is known to let pass, is refused
    here. So is a property in a version that does not have it.
    """
    told = _object(body)
    refused = details == "refused" or (details == "told" and version >= SINCE)
    allowed = {"ref", "inputs"} | (set() if refused else {DETAILS})
    for name in told:
        if name not in allowed:
            raise malformed(f'"{name}" is not a permitted key.')
    if "ref" not in told:
        raise malformed('"ref" wasn\'t supplied.')
    _need(told, "ref", str, "a string")
    _need(told, DETAILS, bool, "a boolean")
    _need(told, "inputs", dict, "an object")
    inputs = told.get("inputs", {})
    if len(inputs) > most:
        raise malformed(f"No more than {most} properties are allowed; {len(inputs)} were supplied.")
    for name, value in inputs.items():
        if not isinstance(value, str):
            raise unprocessable(f"Invalid value for input '{name}'")
    if len(json.dumps(inputs, ensure_ascii=False)) > LARGEST:
        raise unprocessable("inputs are too large.")
    asked = version >= SINCE or bool(told.get(DETAILS, False))
    return Dispatch(told["ref"], inputs, details == "told" and asked)


def effective(
    declared: Mapping[str, Input], asked: Mapping[str, str], environments: Collection[str]
) -> dict[str, str]:
    """The inputs that a run has: what was asked, and the defaults of the others.

    Raises a Refusal. A required one that is empty counts as not given.
    """
    unexpected = [name for name in asked if name not in declared]
    if unexpected:
        raise unprocessable(f"Unexpected inputs provided: {json.dumps(unexpected)}")
    values = {}
    for name, one in declared.items():
        value = asked.get(name, one.default)
        if one.required and not value:
            raise unprocessable(f"Required input '{name}' not provided")
        if value is not None and name in asked:
            _fits(name, one, value, environments)
        values[name] = value if value is not None else _absent(one)
    return values


def _fits(name: str, one: Input, value: str, environments: Collection[str]) -> None:
    allowed: Mapping[str, Collection[str]] = {
        "boolean": ("true", "false"),
        "choice": one.options,
        "environment": environments,
    }
    if one.type in allowed and value not in allowed[one.type]:
        raise unprocessable(
            f"Provided value '{value}' for input '{name}' not in the list of allowed values"
        )
    if one.type == "number" and not _NUMBER.fullmatch(value):
        raise unprocessable(f"Provided value '{value}' for input '{name}' is not a number")


def _absent(one: Input) -> str:
    """What an input is that has neither a value nor a default."""
    if one.type == "choice":
        return one.options[0]
    return "false" if one.type == "boolean" else ""


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body or b"null")
    except ValueError as error:
        raise Refusal(400, "Problems parsing JSON") from error
    if told is None:
        raise malformed("For 'links/0/schema', nil is not an object.")
    if not isinstance(told, dict):
        raise Refusal(400, "Body should be a JSON object")
    return told


def _need(told: Mapping[str, Any], name: str, kind: type, what: str) -> None:
    if name in told and not isinstance(told[name], kind):
        shown = "nil" if told[name] is None else json.dumps(told[name])
        raise malformed(f"For 'properties/{name}', {shown} is not {what}.")
