"""The workspaces that were heard of, each with the day of that: a shared row, as they are spelled.

{WORKSPACE ID: DAY, ...}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.events import parsing
from functions.core.ports import shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from functions.core.ports.ledger import Ledger
    from functions.core.terms.runs import Workspace

WORKSPACES = "chronicle/workspaces"
MOST_WORKSPACES = 200  # those heard of last; more do not fit into a row


def keep(ledger: Ledger, names: Iterable[str], today: str) -> None:
    """Remember that these were heard of today. Raises LedgerUnavailable."""
    met = dict.fromkeys(names, today)

    def heard(value: Mapping[str, Any]) -> dict[str, Any]:
        lower = {name.lower() for name in met}
        known = {name: day for name, day in value.items() if name.lower() not in lower}
        newest = sorted({**known, **met}.items(), key=lambda pair: pair[1], reverse=True)
        return dict(newest[:MOST_WORKSPACES])

    shared.change(ledger, WORKSPACES, heard)


def heard_of(ledger: Ledger, since: datetime) -> Iterable[Workspace]:
    """The workspaces heard of since then, as they were spelled last. Raises LedgerUnavailable."""
    days = ledger.shared(WORKSPACES).value
    return parsed(name for name, told in days.items() if told >= day(since))


def each_once(*found: Iterable[Workspace]) -> list[Workspace]:
    """All of these, however they are spelled: of two spellings the later one."""
    every = {workspace.key: workspace for some in found for workspace in some}
    return [every[name] for name in sorted(every)]


def parsed(names: Iterable[str]) -> Iterable[Workspace]:
    """The workspaces of these resource ids, as far as they are such."""
    for name in names:
        try:
            yield parsing.workspace(name)
        except ValueError:  # no id that this version knows
            continue


def day(at: datetime) -> str:
    """The day of that time, as the row has it."""
    return at.date().isoformat()
