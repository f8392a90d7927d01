"""Table storage answers oddly at each request of a start in turn: it is started once.

https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from functions.adapters.tables.rows import TableLedger
from functions.core.terms.errors import LedgerUnavailable
from functions.core.terms.words import State
from tests.flow.asking import EXPERIMENT
from tests.flow.ledger.test_table_ledger import stage as stage  # noqa: PLC0414 - a fixture
from tests.flow.ledger.test_table_ledger import storage as storage  # noqa: PLC0414 - the same
from tests.ledger.stores import Wire
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.flow.ledger.test_table_ledger import Storage
    from tests.stage.azure import Stage

AT = range(7)  # a delivery's own requests, and those of one that came before
ODD = {
    "refused and no word": (412, "", True, 1),
    "no such table for a moment": (404, "TableNotFound", False, 3),
    "busy, and done": (503, "ServerBusy", True, 3),
    "there already, and no word": (409, "", True, 1),
}


class Odd(Wire):
    """At the request of this number, and at those after it, the answer is another one.

    `done`: the service has done its work nevertheless.
    """

    def __init__(self, status: int, code: str, *, done: bool) -> None:
        super().__init__()
        told = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": code}}}
        self._status, self._body = status, json.dumps(told).encode() if code else b""
        self._done = done
        self._at = range(0)
        self._sent = 0

    def odd(self, at: int, times: int) -> None:
        self._at, self._sent = range(at, at + times), 0

    def send(self, request: Any, **options: Any) -> Any:
        is_odd, self._sent = self._sent in self._at, self._sent + 1
        if is_odd and not self._done:
            request.headers["Authorization"] = "SharedKey nobody:bm9uZQ=="
        answer: Any = super().send(request, **options)
        if is_odd:
            internal = answer.internal_response
            answer.status_code = internal.status_code = self._status
            for name in ("ETag", "x-ms-error-code"):
                internal.headers.pop(name, None)
            internal.headers["Content-Type"] = "application/json"
            answer._content = internal._content = self._body  # noqa: SLF001 - it was read by now
        return answer


def later(stage: Stage, minutes: int) -> None:
    """A round then, by the clock of Azure DevOps too: what it queues now is found by its time."""
    stage.devops.clock_skew += minutes * 60
    stage.reconcile(minutes=minutes)


@pytest.mark.parametrize(("status", "code", "done", "times"), ODD.values(), ids=ODD)
def test_whatever_the_table_answers_a_run_is_started_once(
    stage: Stage, storage: Storage, status: int, code: str, times: int, *, done: bool
) -> None:
    stage.deliver(completed("r1"))  # the table is there, and has been for long
    wire = Odd(status, code, done=done)
    stage.build(ledger=TableLedger(storage.table(wire), sleep=lambda _: None))
    runs = [f"odd{at}" for at in AT]
    for at, run in zip(AT, runs, strict=True):
        stage.aml.add_run(run, experiment=EXPERIMENT)
        wire.odd(at, times)
        for _ in range(times + 1):  # Event Grid delivers what was refused again
            with suppress(LedgerUnavailable):
                stage.deliver(completed(run))
                break
    for minutes in (3, 12, 12, 31, 61):
        wire.odd(minutes * 5 % 17, times)
        with suppress(LedgerUnavailable):
            later(stage, minutes)
    wire.odd(0, 0)
    for _ in range(6):  # which request was answered so is another each time
        later(stage, 61)
    assert {stage.only(run).state for run in runs} == {State.STARTED}
    assert Counter(run for _, run in stage.started()) == Counter(["r1", *runs])
