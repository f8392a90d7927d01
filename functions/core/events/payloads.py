"""What a delivery holds: the text of an event, and the event's data in each form that it may have.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#31-handling-of-data
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

LONGEST = 4 * 1024 * 1024  # of which Event Grid delivers a quarter at most


class Illegible(ValueError):
    """What was sent cannot be read; the message says why."""


def event_in(payload: object) -> dict[str, Any]:
    """The event, its keys in lower case; text is read as JSON. Empty for anything else.

    Raises Illegible for a text that is no JSON.
    """
    return folded(_json(payload, "the event") if isinstance(payload, str | bytes) else payload)


def data_of(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """An event's data, its keys in lower case; empty where there is none.

    It is an object, the same as JSON in a text, or that in base64; whatever `datacontenttype` says
    of it. Raises Illegible for anything else.
    """
    found = envelope.get("data")
    if found is None and envelope.get("data_base64") is not None:
        found = _bytes(envelope["data_base64"])
    if isinstance(found, str | bytes):
        found = _json(found, "its data")
    if found is not None and not isinstance(found, Mapping):
        raise Illegible(f"its data is no JSON object but of the type {type(found).__name__}")
    return folded(found)


def folded(value: object) -> dict[str, Any]:
    """An object of JSON with its keys in lower case; empty for anything else."""
    if not isinstance(value, Mapping):
        return {}
    return {str(key).lower(): item for key, item in value.items()}


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except ValueError as error:
        raise Illegible(f"its data is no base64: {error}") from None


def _json(text: str | bytes, what: str) -> object:
    if len(text) > LONGEST:
        raise Illegible(f"{what} is longer than {LONGEST} characters")
    try:
        return json.loads(text, parse_int=_whole)
    except ValueError as error:
        raise Illegible(f"{what} is no JSON: {error}") from None
    except RecursionError:
        raise Illegible(f"{what} is nested too deeply") from None


def _whole(digits: str) -> int | str:
    """A whole number; one that has too many digits for Python stays the text that it was.

    https://docs.python.org/3/library/stdtypes.html#int-max-str-digits
    """
    try:
        return int(digits)
    except ValueError:
        return digits
