"""What a connection string of Application Insights must be, before an SDK gets it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functions.configuration.given import Given

NAME = "APPLICATIONINSIGHTS_CONNECTION_STRING"
# as azure-monitor-opentelemetry-exporter takes it, which raises for all else
_PAIRS = re.compile(r"[^=;]+=[^=;]*(;[^=;]+=[^=;]*)*")
_KEY = re.compile(r"(^|;)(?i:instrumentationkey)=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(;|$)")


def taken(given: Given, told: str) -> str:
    """The connection string that is told, "" if it is none. Its text is not shown."""
    value = close(told)
    if value != told and is_insights(value):
        why = "has spaces beside ; or =, with which its endpoint would be ignored; taken without"
        given.complaints.append(f"{NAME} {why}")
    if is_insights(value):
        return value
    return given.refuse(f"{NAME} is no connection string with an InstrumentationKey", "")


def is_insights(value: str) -> bool:
    """Whether it is a connection string of Application Insights.

    https://learn.microsoft.com/azure/azure-monitor/app/connection-strings#connection-string-syntax
    """
    return bool(_PAIRS.fullmatch(value) and _KEY.search(value))


def close(pairs: str) -> str:
    """A connection string without spaces around names and values.

    The SDK takes a name with a space for another one that it does not know, and sends what was
    for an endpoint of one's own to the public one.
    """
    return re.sub(r"\s*([;=])\s*", r"\1", pairs.strip())
