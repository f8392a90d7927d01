"""The local host beside Azurite's queues: what is put is taken once, what fails is put aside."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, List  # noqa: UP035 - see functions/timers.py

import azure.functions as func
import pytest
from requests import RequestException

from local.host.serving import Host
from local.host.triggers.storagequeue import StorageQueue
from tests.flow.asking import EXPERIMENT
from tests.stage import azurite as azurite_service
from tests.stage.azure import completed
from tests.stage.azurite import connection_string
from tests.stage.hosted import Hosted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.cloud import Cloud
    from tests.stage.azure import Stage

STORAGE = "AzureWebJobsStorage"


@pytest.fixture(scope="module")
def queues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("queues")
    with azurite_service.running(folder, service="queue") as port:
        yield port


def sample(queue: str, taken: list[str]) -> func.FunctionApp:
    app = func.FunctionApp()

    @app.route(route="put", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    @app.queue_output(arg_name="messages", queue_name=queue, connection=STORAGE)
    def put(req: func.HttpRequest, messages: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
        messages.set(req.get_json())
        return func.HttpResponse("put")

    @app.queue_trigger(arg_name="message", queue_name=queue, connection=STORAGE)
    def take(message: func.QueueMessage) -> None:
        taken.append(message.get_body().decode())
        if taken[-1] == "bad":
            raise ValueError(taken[-1])

    return app


@pytest.mark.usefixtures("cloud")
def test_each_message_is_taken_once_and_one_that_fails_five_times_is_put_aside(queues: int) -> None:
    name, taken = f"q{uuid.uuid4().hex}", list[str]()
    settings = {STORAGE: connection_string(0, queues)}
    queue = StorageQueue({"queueName": name, "connection": STORAGE}, settings)
    with Host(sample(name, taken), settings=settings) as host:
        assert host.fire("put", '["a", "b", "<&> 缺", "bad"]').ok
        while (queue.count(), queue.count("-poison")) != (0, 1):
            host.worker.idle()
    assert sorted(taken) == sorted(["a", "b", "<&> 缺", *["bad"] * 5])


def test_a_setting_without_queues_is_told(cloud: Cloud) -> None:
    del cloud
    queue = StorageQueue({"queueName": "q", "connection": STORAGE}, {STORAGE: "AccountName=a"})
    with pytest.raises(LookupError, match="AzureWebJobsStorage"):
        queue.count()


def test_a_key_that_is_wrong_is_refused(queues: int) -> None:
    wrong = connection_string(0, queues).replace("AccountKey=E", "AccountKey=F")
    queue = StorageQueue({"queueName": "any", "connection": STORAGE}, {STORAGE: wrong})
    with pytest.raises(RequestException, match="403"):
        queue.count()


def test_the_app_starts_what_is_due_by_parts_that_its_timer_put_on_a_queue(
    stage: Stage, azurite: int, queues: int
) -> None:
    given = {
        "LEDGER_URL": "",
        "LEDGER_TABLE": f"t{uuid.uuid4().hex}",
        STORAGE: connection_string(azurite, queues),
        "RECONCILE_PARTS": "4",
    }
    runs = ["r1", "r2", "r3", "r4", "r5"]
    stage.deploy(PAUSED="1", RETRY_FIRST_SECONDS="0.001", **given)
    stage.devops.throttle(len(runs), 1)
    stage.deploy(PAUSED="0")
    for run in runs:
        stage.aml.add_run(run, experiment=EXPERIMENT)
        stage.deliver(completed(run))
    assert stage.started() == []
    name = f"parts-{given['LEDGER_TABLE']}"
    queue = StorageQueue({"queueName": name, "connection": STORAGE}, stage.environ)
    queue.put("what nobody wrote")
    host = Hosted(stage.environ)
    try:
        while len(stage.started()) < len(runs):
            host.fire("divide")
    finally:
        log = host.stop()
    assert sorted(stage.started()) == [(42, run) for run in runs]
    assert "part=done" in log
    assert "part=unknown" in log
    assert queue.count("-poison") == 0
    assert "Executed 'Functions.reconcile_part' (Failed" not in log
