"""The ledger: whether it can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.ports import shared
from relay.deployment import opening
from relay.doctor.findings import ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

ROW = "doctor"  # the shared row that shows who examined it last


def writable(case: Case) -> Iterator[Finding]:
    """Writes a row that says so; raises LedgerUnavailable."""
    mine = {"at": case.clock.now().isoformat(), "by": opening.whoever()}
    shared.change(case.ports.ledger, ROW, lambda _: mine)
    yield ok("the ledger can be written")
