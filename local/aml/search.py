"""How a search of runs filters, orders and pages."""

from __future__ import annotations

import base64
import binascii
import json
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from local.aml.dialect import ordering
from local.aml.filter import Clause, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST_PER_PAGE = 50_000
TIMES = ("start_time", "end_time", "creation_time", "duration")
COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
Item = TypeVar("Item")


@dataclass(frozen=True)
class Viewed:
    """What a search can see of a run (or, with attributes only, of an experiment)."""

    attributes: Mapping[str, Any]
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    tags: Mapping[str, str]

    def value(self, kind: str, key: str) -> Any:
        """A fact by its kind and key; None if it is not there."""
        return getattr(self, kind or "attributes").get(key)


def fits(run: Viewed, clause: Clause) -> bool:
    """Whether a run satisfies a clause; one without the fact never does."""
    value = run.value(clause.kind, clause.key)
    if value is None:
        return False
    if clause.operator == "IN":
        return value in clause.values
    if clause.operator in {"LIKE", "ILIKE"}:
        return _like(str(value), clause.values[0], insensitive=clause.operator == "ILIKE")
    if clause.key == "status":
        return COMPARED[clause.operator](value, clause.values[0].upper())
    numeric = clause.kind == "metrics" or clause.key in TIMES
    wanted: Any = _number(clause.values[0]) if numeric else clause.values[0]
    return COMPARED[clause.operator](value, wanted)


def ordered(
    runs: Sequence[tuple[Item, Viewed]], orders: Sequence[str]
) -> list[tuple[Item, Viewed]]:
    """The runs in the order asked for, then the latest start first; without a fact: last."""
    keys = [ordering(o) for o in orders] + [("start_time", True), ("run_id", False)]
    result = list(runs)
    for key, descending in reversed(keys):
        known = [r for r in result if r[1].value("", key) is not None]
        unknown = [r for r in result if r[1].value("", key) is None]
        known.sort(key=lambda r, k=key: r[1].value("", k), reverse=descending)  # type: ignore[misc]
        result = known + unknown
    return result


def page(
    name: str, items: list[dict[str, Any]], arguments: Mapping[str, Any], default: int | None
) -> dict[str, Any]:
    """One page of the items under a name, with the token of the next; `{}` if there are none.

    `default` is the page size if none was asked for; without one it must be.
    Raises RefusedError for a wrong size or token.
    """
    size = int(arguments.get("max_results") or default or 0)
    if not 0 < size <= MOST_PER_PAGE:
        raise RefusedError(f"Invalid value {size} for parameter 'max_results' supplied.")
    start = _offset(arguments.get("page_token"))
    found: dict[str, Any] = {name: items[start : start + size]} if items[start:] else {}
    return found | ({"next_page_token": _token(start + size)} if items[start + size :] else {})


def _token(offset: int) -> str:
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(json.loads(base64.b64decode(token, validate=True))["offset"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise RefusedError("Invalid page token, could not base64-decode") from None


def _like(value: str, pattern: str, *, insensitive: bool) -> bool:
    expression = ".*".join(re.escape(part) for part in pattern.split("%"))
    return bool(re.fullmatch(expression, value, re.IGNORECASE if insensitive else 0))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RefusedError(f"Expected a number, found '{text}'.") from None
