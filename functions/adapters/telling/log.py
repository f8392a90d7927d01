"""The log: logfmt lines on the standard logger, readable as they are and split by KQL's parse-kv.

https://learn.microsoft.com/kusto/query/parse-kv-operator
"""

from __future__ import annotations

import json
import logging
import re
from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from functions.core.kept.continuation import Continuation

LOGGER = "run_relay"
_MOST = 2**63
_QUOTED = re.compile(r'[ "=\\]')


class NoOutcomes:
    """The port `Outcomes` where nobody wants to hear of them but the log."""

    def note(self, c: Continuation) -> None:
        """Nothing."""

    def send(self) -> None:
        """Nothing."""


class LogfmtJournal:
    """Writes fields as one line of `name=value`, in the order given; None is left out."""

    def __init__(self) -> None:
        self._logger = logging.getLogger(LOGGER)

    def write(self, level: int, fields: Mapping[str, object]) -> None:
        """Write one line."""
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", line(fields))


def tell(complaints: Iterable[str], doubts: Iterable[str]) -> None:
    """Say what is wrong with the settings, before one of them may end the work."""
    journal = LogfmtJournal()
    for complaint in complaints:
        journal.write(logging.ERROR, {"setting": "ignored", "detail": complaint})
    for doubt in doubts:
        journal.write(logging.WARNING, {"setting": "doubtful", "detail": doubt})


def line(fields: Mapping[str, object]) -> str:
    """The fields as one logfmt line; outside text is bounded and quoted where it must be."""
    return " ".join(f"{name}={_value(v)}" for name, v in fields.items() if v is not None)


def _value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, int) and abs(value) < _MOST:
        return str(value)  # nothing of it is quoted or cut
    text = bounded(value)
    plain = text and not _QUOTED.search(text)
    return text if plain else json.dumps(text, ensure_ascii=False)
