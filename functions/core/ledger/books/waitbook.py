"""The waits in any store of rows: one row each, by the task's id."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from functions.core.kept.tasks import Wait
from functions.core.ledger import records
from functions.core.ledger.places import WAITS, safe
from functions.core.ports.ledger import Place
from functions.core.ports.waits import Taken, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.core.ports.ledger import Rows, Stored


class RowWaitBook:
    """The port `WaitBook`; the requests that a method costs are those of Table storage.

    What cannot be read is passed over, and named in `unreadable`.
    """

    def __init__(self, rows: Callable[[], Rows], unreadable: set[str]) -> None:
        self._rows = rows
        self._unreadable = unreadable

    def enroll(self, wait: Wait) -> tuple[Waiting, bool]:
        """One request, two if it is there."""
        stored, fresh = self._rows().insert(_place(wait), records.wait_row(wait))
        return (Waiting(wait, stored.version) if fresh else _entry(stored)), fresh

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """One request per thousand."""
        found = self._rows().find(WAITS, records.UNANSWERED, records.UNANSWERED, "waits")
        readable = records.readable(found, _ours, self._unreadable)
        return sorted(islice(readable, limit), key=lambda entry: entry.wait.due_at)

    def taken(self, limit: int) -> Sequence[Taken]:
        """One request per thousand, for two short columns of each row."""
        unanswered = records.UNANSWERED
        found = self._rows().find(WAITS, unanswered, unanswered, "waits", only=records.PLACED)
        rows = (stored.row for stored in islice(found, limit))
        return [Taken(*(row.get(column, "") for column in records.PLACED)) for row in rows]

    def change(self, entry: Waiting, changed: Wait) -> Waiting:
        """One request, two if it is refused."""
        row = records.wait_row(changed)
        return Waiting(changed, self._rows().replace(_place(changed), row, entry.version))


def _place(wait: Wait) -> Place:
    return Place(WAITS, safe(wait.task.key))


def _ours(stored: Stored) -> Waiting:
    """Raises Unreadable for a wait in a state that this version does not know."""
    entry = _entry(stored)
    records.check_known(entry.wait.task.key, entry.wait.state)
    return entry


def _entry(stored: Stored) -> Waiting:
    return Waiting(records.unpacked(stored.row, "wait", Wait), stored.version)
