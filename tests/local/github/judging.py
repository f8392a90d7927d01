"""GitHub's own description of its REST API, as a judge of what the local GitHub answers.

`published.json` has the operations that it serves, from GitHub's OpenAPI description, without its
words and examples.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema

if TYPE_CHECKING:
    import requests

PUBLISHED = json.loads(Path(__file__).with_name("published.json").read_text("utf-8"))
ERROR = {"$ref": "#/components/schemas/basic-error"}
NEW = "2026-03-10"
FORMATS = jsonschema.FormatChecker(())


@FORMATS.checks("date-time")
def is_time(value: object) -> bool:
    """As GitHub writes it: in UTC, to the second."""
    return not isinstance(value, str) or bool(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value)
    )


@FORMATS.checks("uri")
def is_uri(value: object) -> bool:
    """With a scheme and a host."""
    return not isinstance(value, str) or bool(re.match(r"[a-z]+://[^/]", value))


def operation(method: str, path: str) -> dict[str, Any] | None:
    """The operation of a request, if it is among those that are described."""
    for template, methods in PUBLISHED["paths"].items():
        if _pattern(template).fullmatch(path) and method.lower() in methods:
            found: dict[str, Any] = methods[method.lower()]
            return found
    return None


def complaints(answer: requests.Response, path: str, version: str) -> list[str]:
    """What does not fit the description, of the answer to a request for a path of the API."""
    asked = operation(str(answer.request.method), path)
    if asked is None:
        return [f"{answer.request.method} {path} is not described"]
    described = _resolved(asked["responses"].get(str(answer.status_code)))
    if described is None or answer.status_code >= 400:
        # an operation's description names few of its errors
        wrong = [] if answer.status_code >= 400 else [f"{answer.status_code} is not described"]
        return wrong + _errors(ERROR | {"required": ["message"]}, answer.json())
    if version >= NEW and answer.status_code == 204:
        return ["204 is described for the first version only"]
    content = described.get("content")
    if content is None:
        return [] if not answer.content else ["a body where none is described"]
    if "application/json" not in answer.headers["Content-Type"]:
        return []
    schema = _of_version(content["application/json"]["schema"], version)
    return _errors(schema, answer.json()) + _unknown(schema, answer.json())


def _errors(schema: dict[str, Any], value: object) -> list[str]:
    rules = _rules(json.dumps(schema))
    return [f"{list(error.path)}: {error.message[:200]}" for error in rules.iter_errors(value)]


@cache
def _rules(schema: str) -> jsonschema.Draft202012Validator:
    whole = json.loads(schema) | {"components": _converted()["components"]}
    return jsonschema.Draft202012Validator(whole, format_checker=FORMATS)


def _unknown(schema: dict[str, Any], value: object) -> list[str]:
    """Keys of an answer, or of the items of a list in it, that are not described."""
    found = schema
    if "$ref" in schema:
        found = _converted()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    known = found.get("properties")
    if isinstance(value, list):
        return [said for one in value for said in _unknown(found.get("items", {}), one)]
    if known is None or not isinstance(value, dict):
        return []
    beyond = [f"{name} is not described" for name in value if name not in known]
    lists = {name: value[name] for name in value if name in known and value[name].__class__ is list}
    return beyond + [said for name, one in lists.items() for said in _unknown(known[name], one)]


def _of_version(schema: dict[str, Any], version: str) -> dict[str, Any]:
    """A later version leaves out what the first has, here the limit that `rate` repeats."""
    converted: dict[str, Any] = _convert(schema)
    if version >= NEW and converted.get("$ref", "").endswith("/rate-limit-overview"):
        whole = _converted()["components"]["schemas"]["rate-limit-overview"]
        return {**whole, "required": ["resources"]}
    return converted


def _resolved(described: dict[str, Any] | None) -> dict[str, Any] | None:
    if described and "$ref" in described:
        name = described["$ref"].rsplit("/", 1)[1]
        found: dict[str, Any] = PUBLISHED["components"]["responses"][name]
        return found
    return described


@cache
def _pattern(template: str) -> re.Pattern[str]:
    path = re.sub(r"\{path\}", ".+", template)
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", path))


@cache
def _converted() -> dict[str, Any]:
    converted: dict[str, Any] = _convert(PUBLISHED)
    return converted


def _convert(value: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: what is `nullable` may be null; an enum is of its own words."""
    if isinstance(value, list):
        return [_convert(one) for one in value]
    if not isinstance(value, dict):
        return value
    plain = {name: _convert(one) for name, one in value.items() if name != "nullable"}
    if value.get("nullable") is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain
