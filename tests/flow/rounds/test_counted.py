"""What a round says of what is open and of what lies in the inbox: only what is so."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.infra.kusto import kv
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def told(caplog: pytest.LogCaptureFixture, *names: str) -> dict[str, str]:
    """These fields of the last round's line; what it does not say is left out."""
    line = [m for m in caplog.messages if m.startswith("reconciler=done")][-1]
    fields = kv.fields(line)
    return {name: fields[name] for name in names if name in fields}


def ended(stage: Stage, run: str) -> None:
    stage.aml.add_run(run, experiment="defect-detection")
    stage.deliver(completed(run))


def test_what_ended_with_its_delivery_is_not_open(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    for run in ("r1", "r2", "r3"):
        ended(stage, run)
    stage.reconcile()
    assert told(caplog, "open", "oldest_s") == {"open": "0"}


def test_what_is_parked_is_open_until_it_has_ended(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.devops.throttle(1, 300)
    ended(stage, "r1")
    ended(stage, "r2")
    stage.reconcile()
    assert told(caplog, "open") == {"open": "2"}
    stage.reconcile(minutes=6)  # they start in this round
    assert len(stage.started()) == 2
    assert told(caplog, "resumed", "open", "oldest_s") == {"resumed": "2", "open": "0"}
    stage.reconcile(minutes=1)
    assert told(caplog, "open") == {"open": "0"}


def test_what_waits_in_the_inbox_is_counted_beside_what_is_open(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.reconcile()
    assert told(caplog, "inbox", "inbox_oldest_s") == {"inbox": "0"}
    stage.routes(ROUTES.replace("organization:", "organisation:"))
    ended(stage, "r1")
    ended(stage, "r2")
    stage.reconcile(minutes=40)
    fields = told(caplog, "open", "inbox", "inbox_oldest_s")
    assert fields.pop("inbox_oldest_s") in {"2400", "2401", "2402"}
    assert fields == {"open": "0", "inbox": "2"}
    stage.routes(ROUTES)
    stage.reconcile()
    assert told(caplog, "open", "inbox", "inbox_oldest_s") == {"open": "0", "inbox": "0"}
    assert len(stage.started()) == 2
