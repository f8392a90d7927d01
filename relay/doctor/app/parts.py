"""Whether what is due is worked off where the schedule has parts, which a queue hands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.configuration.declared import Environment
from functions.core.rounds.parts.working import LEFT_TO_PARTS
from relay.doctor.findings import ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relay.doctor.case import Case
    from relay.doctor.findings import Finding


def worked_off(case: Case) -> Iterator[Finding]:
    """Nothing has been due for longer than messages take. Raises LedgerUnavailable."""
    of = case.settings.policy.parts
    if of == 1:
        yield ok("the schedule has one part, and there is no queue")
        return
    late = case.ports.ledger.parts_due(case.clock.now() - LEFT_TO_PARTS, of)
    if not late:
        yield ok(f"nothing has been due for {_MINUTES} minutes in any of {of} parts")
        return
    queue = Environment({"LEDGER_TABLE": case.settings.ledger_table}).parts_queue()
    yield warning(
        f"something has been due for {_MINUTES} minutes in {len(late)} of {of} parts",
        "more is due than they carry, or no message comes through: look at the functions divide "
        f"and reconcile_part, at the queue {queue}, and whether the app is Storage Queue Data "
        "Contributor; meanwhile the timer's rounds take up 1,000 a minute",
    )


_MINUTES = f"{LEFT_TO_PARTS.total_seconds() / 60:g}"
