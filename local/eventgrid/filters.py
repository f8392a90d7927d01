"""Advanced filters: which events a subscription wants.

https://learn.microsoft.com/azure/event-grid/event-filtering
A key is a dotted path, in any case; a property whose own name contains a dot cannot be named.
Strings compare in any case; values of another type than the operator's are ignored; of an array
every element is looked at (as with `enableAdvancedFilteringOnArrays`). An event without the key
matches StringNotIn, NumberNotIn and IsNullOrUndefined only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST = 25
LONGEST = 512

_STRINGS: dict[str, Callable[[str, str], bool]] = {
    "In": str.__eq__,
    "BeginsWith": str.startswith,
    "EndsWith": str.endswith,
    "Contains": str.__contains__,
}
_NUMBERS: dict[str, Callable[[float, Any], bool]] = {
    "In": lambda value, wanted: value == wanted,
    "InRange": lambda value, wanted: wanted[0] <= value <= wanted[1],
    "GreaterThan": lambda value, wanted: value > wanted,
    "GreaterThanOrEquals": lambda value, wanted: value >= wanted,
    "LessThan": lambda value, wanted: value < wanted,
    "LessThanOrEquals": lambda value, wanted: value <= wanted,
}
_MATCH_WITHOUT_KEY = frozenset({"StringNotIn", "NumberNotIn", "IsNullOrUndefined"})


class InvalidFilterError(ValueError):
    """Event Grid would refuse to create a subscription with this filter."""


@dataclass(frozen=True)
class Filter:
    """One advanced filter; the values are alternatives."""

    operator: str
    key: str
    values: tuple[Any, ...] = ()

    @classmethod
    def parse(cls, wire: Mapping[str, Any]) -> Filter:
        """From the form of the resource type: operatorType, key, and values or value.

        Raises InvalidFilterError.
        """
        operator, key = wire.get("operatorType"), wire.get("key")
        values = wire.get("values", [wire["value"]] if "value" in wire else [])
        if not isinstance(key, str) or not isinstance(values, list):
            raise InvalidFilterError("a filter needs a key, and values as an array")
        if not isinstance(operator, str) or _test(operator) is None:
            raise InvalidFilterError(f"unknown operator {operator!r}")
        return cls(operator, key, tuple(values))

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether the event fits."""
        value = _at(event, self.key)
        if value is None:
            return self.operator in _MATCH_WITHOUT_KEY
        test = _test(self.operator)
        if test is None or self.operator == "IsNullOrUndefined":
            return False
        found = value if isinstance(value, list) else [value]
        return test(found, self.values)


def check_limits(filters: Sequence[Filter]) -> None:
    """Raise InvalidFilterError beyond 25 filters or values in all, or 512 characters in one."""
    values = [value for one in filters for value in one.values]
    if len(filters) > MOST or len(values) > MOST:
        raise InvalidFilterError(f"at most {MOST} filters and {MOST} values per subscription")
    if any(isinstance(value, str) and len(value) > LONGEST for value in values):
        raise InvalidFilterError(f"at most {LONGEST} characters per value")


def _at(event: Any, key: str) -> Any:
    for part in key.split("."):
        if not isinstance(event, Mapping):
            return None
        event = next((v for k, v in event.items() if k.lower() == part.lower()), None)
    return event


_Test = Callable[[list[Any], Sequence[Any]], bool]


def _test(operator: str) -> _Test | None:
    """What an operator asks of the values found; None if there is no such operator."""
    if operator in {"IsNotNull", "IsNullOrUndefined"}:
        return lambda _found, _wanted: operator == "IsNotNull"
    if operator == "BoolEquals":
        return lambda found, wanted: any(v is w for v in found for w in wanted)
    if operator.startswith("String"):
        return _some_or_none(operator.removeprefix("String"), _STRINGS, _texts)
    return _some_or_none(operator.removeprefix("Number"), _NUMBERS, _numbers)


def _some_or_none(
    name: str, comparisons: Mapping[str, Callable[..., bool]], of_type: Callable[..., list[Any]]
) -> _Test | None:
    negated = name.startswith("Not")
    compare = comparisons.get(name.removeprefix("Not"))
    if compare is None:
        return None
    return lambda found, wanted: (
        any(compare(v, w) for v in of_type(found) for w in of_type(wanted)) is not negated
    )


def _texts(values: Sequence[Any]) -> list[Any]:
    return [v.lower() for v in values if isinstance(v, str)]


def _numbers(values: Sequence[Any]) -> list[Any]:
    """The numbers among the values, and the ranges of NumberInRange."""
    return [v for v in values if isinstance(v, int | float | list) and not isinstance(v, bool)]
