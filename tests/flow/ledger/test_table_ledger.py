"""The whole app over Table storage: what a delivery costs there, and that one pipeline starts."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.adapters.tables.opening import open_table
from functions.adapters.tables.rows import TableLedger
from functions.core.ledger import places
from functions.core.terms.words import State
from tests.ledger.stores import Wire
from tests.stage.azure import Stage, as_cloud_event, changed, completed
from tests.stage.azurite import connection_string

if TYPE_CHECKING:
    from pathlib import Path

    from azure.data.tables import TableClient

    from local.cloud import Cloud


class Storage:
    """A table of its own, and the requests of the app under test to it."""

    def __init__(self, port: int) -> None:
        self.where = connection_string(port)
        self.name = f"t{uuid.uuid4().hex}"
        self.wire = Wire()

    def table(self, transport: Wire | None = None) -> TableClient:
        options = {"transport": transport} if transport else {}
        return open_table(self.name, connection_string=self.where, **options)


@pytest.fixture
def storage(azurite: int) -> Storage:
    return Storage(azurite)


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path, storage: Storage) -> Stage:
    names = {"AzureWebJobsStorage": storage.where, "LEDGER_TABLE": storage.name}
    stage = Stage(cloud, tmp_path, LEDGER_URL="", **names)
    for run in ("r1", "r2"):
        stage.aml.add_run(run, experiment="defect-detection")
    return stage


@pytest.fixture
def counted(stage: Stage, storage: Storage) -> Stage:
    """The app after its first start: the table is there, the organization's row is read."""
    stage.build(ledger=TableLedger(storage.table(storage.wire)))
    stage.deliver(completed("r1"))
    storage.wire.sent.clear()
    return stage


def test_an_app_with_nothing_but_a_storage_account_starts_the_pipeline(stage: Stage) -> None:
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]
    assert stage.only("r1").state is State.STARTED


def test_a_start_costs_four_requests_to_the_table(counted: Stage, storage: Storage) -> None:
    counted.deliver(completed("r2"))
    assert counted.only("r2").state is State.STARTED
    assert storage.wire.sent == ["POST", "PUT", "PUT", "PUT"]  # claim, schedule, ask, settle


def test_the_same_news_again_costs_a_refused_insert_and_a_read(
    counted: Stage, storage: Storage
) -> None:
    counted.deliver(as_cloud_event(changed("r1", "Completed")))
    assert storage.wire.sent == ["POST", "GET"]
    assert counted.posts() == 1


def test_an_event_that_no_route_wants_costs_no_request(counted: Stage, storage: Storage) -> None:
    counted.deliver(completed("other", experimentName="churn"))
    assert storage.wire.sent == []


def test_twenty_deliveries_at_once_start_one_pipeline(stage: Stage) -> None:
    news = [completed("r1"), changed("r1", "Completed")] * 5
    news += [as_cloud_event(event) for event in news]
    with ThreadPoolExecutor(len(news)) as pool:
        list(pool.map(stage.deliver, news))
    assert stage.posts() == 1
    assert stage.started() == [(42, "r1")]


def test_the_reconciler_takes_what_has_ended_off_the_schedule(stage: Stage) -> None:
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=3)
    assert list(stage.ledger.due(stage.clock.now() + timedelta(days=400), 10)) == []
    assert stage.ledger.recent(stage.clock.now() - timedelta(days=400), 10) == [stage.only("r1")]


def test_a_scheduled_key_whose_row_is_gone_is_taken_up_once(stage: Stage, storage: Storage) -> None:
    stage.aml.add_run("r1", status="Finalizing", experiment="defect-detection")
    stage.deliver(completed("r1"))
    storage.table().delete_entity(*places.continuation(stage.only("r1").key))
    assert len(stage.ledger.due(stage.clock.now() + timedelta(hours=1), 10)) == 1
    stage.reconcile(minutes=3)
    assert list(stage.ledger.due(stage.clock.now() + timedelta(hours=1), 10)) == []
    assert stage.posts() == 0
