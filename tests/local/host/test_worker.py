"""Azure's own Python worker indexes the app and hands its functions real Event Grid payloads.

It needs Python 3.13 or newer with azure-functions-runtime and azure-functions 2.1 or newer. The
variable RUN_RELAY_WORKER names the interpreter; else `make parts` made one in `.cache/worker`.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from functions.configuration.declared import EVERY_HOUR, EVERY_MINUTE
from local.host.indexing import IndexingError, index, load
from local.serving.faults import Fault
from tests.flow.asking import route
from tests.stage.azure import as_cloud_event, completed, in_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.stage.azure import Stage

ROOT = Path(__file__).parents[3]
NEEDED = "msgspec"  # what the product imports before its first event
WORKER = "azure_functions_runtime, azure.functions"
ABSENT = "no Functions worker: install Python 3.13 or 3.14 with venv, then: make parts"
DRIVER = Path(__file__).with_name("worker_driver.py")
SAMPLE = """
import azure.functions as func

app = func.FunctionApp()

@app.event_grid_trigger(arg_name="event")
def on_event(event: ANNOTATION):
    raise RuntimeError(f"{type(event).__name__} {event.id}")

@app.timer_trigger(arg_name="timer", schedule="%EVERY%")
async def tick(timer: func.TimerRequest) -> None:
    pass
"""
RUN_COMPLETED = "Microsoft.MachineLearningServices.RunCompleted"
WORKSPACE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
)
DATA: dict[str, Any] = {
    "experimentId": "0e7b3a5c",
    "experimentName": "defect-detection",
    "runId": "r1",
    "runType": "azureml.PipelineRun",
    "runTags": {},
    "runProperties": {"azureml.runsource": "azureml.PipelineRun"},
}
EVENT = {
    "id": "e1",
    "topic": WORKSPACE,
    "subject": "experiments/0e7b3a5c/runs/r1",
    "eventType": RUN_COMPLETED,
    "eventTime": "2026-01-01T18:41:00.9584103Z",
    "data": DATA,
    "dataVersion": "2",
    "metadataVersion": "1",
}
CLOUD_EVENT = {
    "specversion": "1.0",
    "id": "e1",
    "source": WORKSPACE,
    "subject": "experiments/0e7b3a5c/runs/r1",
    "type": RUN_COMPLETED,
    "time": "2026-01-01T18:41:00.9584103Z",
    "data": DATA,
}


def candidates() -> Iterator[str]:
    yield os.environ.get("RUN_RELAY_WORKER", "")
    yield str(ROOT / ".cache" / "worker" / "bin" / "python")
    yield sys.executable


def imports(python: str, modules: str) -> bool:
    code = f"import sys, {modules}; sys.exit(sys.version_info < (3, 13))"
    try:
        ran = subprocess.run([python, "-c", code], capture_output=True, check=False, timeout=60)
    except OSError:
        return False
    return ran.returncode == 0


@functools.cache
def found_worker() -> str | None:
    return next((p for p in candidates() if p and imports(p, WORKER)), None)


@pytest.fixture
def worker() -> str:
    python = found_worker()
    if python is None:
        pytest.skip(ABSENT)
    return python


def drive(python: str, app: Path, *invocation: str, **settings: str) -> dict[str, Any]:
    ran = subprocess.run(
        [python, str(DRIVER), str(app), *invocation],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
        env=os.environ | settings,
    )
    assert ran.returncode == 0, ran.stderr
    said: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return said


def write(folder: Path, text: str) -> Path:
    (folder / "function_app.py").write_text(text)
    return folder


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return write(tmp_path, SAMPLE.replace("ANNOTATION", "func.EventGridEvent"))


def test_the_worker_indexes_the_functions_with_their_triggers(worker: str, sample: Path) -> None:
    said = drive(worker, sample)
    triggers = {name: bindings[0]["type"] for name, bindings in said["functions"].items()}
    assert triggers == {"on_event": "eventGridTrigger", "tick": "timerTrigger"}


@pytest.mark.parametrize(
    ("event", "kind"), [(EVENT, "EventGridEvent"), (CLOUD_EVENT, "CloudEvent")]
)
def test_the_worker_hands_an_event_over_as_its_type(
    worker: str, sample: Path, event: dict[str, Any], kind: str
) -> None:
    said = drive(worker, sample, "on_event", json.dumps(event))
    assert said["invocation"] == {"ok": False, "error": f"RuntimeError: {kind} e1"}


def indexed_here(folder: Path) -> bool:
    try:
        return bool(index(load(folder)))
    except IndexingError:
        return False


@pytest.mark.parametrize(
    ("annotation", "fits"),
    [
        ("func.EventGridEvent", True),
        ("func.CloudEvent", True),
        ("str", True),
        ("dict", False),
        ("list[func.EventGridEvent]", False),
        ("func.EventGridEvent | func.CloudEvent", False),
        ("func.TimerRequest", False),
        ("'NotDefined'", False),
    ],
)
def test_the_local_host_indexes_what_the_worker_indexes(
    worker: str, tmp_path: Path, annotation: str, fits: bool
) -> None:
    app = write(tmp_path, SAMPLE.replace("ANNOTATION", annotation))
    assert (not drive(worker, app)["error"], indexed_here(app)) == (fits, fits)


def test_one_import_error_hides_every_function_from_the_worker(worker: str, tmp_path: Path) -> None:
    app = write(tmp_path, SAMPLE.replace("import azure", "import no_such_module, azure"))
    assert "no_such_module" in drive(worker, app)["error"]
    assert not indexed_here(app)


@pytest.fixture
def product(worker: str) -> Path:
    if not (ROOT / "function_app.py").is_file():
        pytest.skip("there is no function_app.py at the root of the repository")
    if not imports(worker, NEEDED):
        pytest.skip(f"the worker's interpreter lacks {NEEDED}: install requirements.txt there")
    return ROOT


def test_the_worker_indexes_this_product(worker: str, product: Path) -> None:
    said = drive(worker, product)
    assert said["error"] == ""
    triggers = {name: bindings[0]["type"] for name, bindings in said["functions"].items()}
    assert triggers["on_run_completed"] == "eventGridTrigger"
    assert triggers["on_run_status_changed"] == "eventGridTrigger"
    assert triggers["reconcile"] == "timerTrigger"
    assert triggers["sweep"] == "timerTrigger"
    assert triggers["operations"] == "httpTrigger"


@pytest.mark.parametrize("schedule", ["every minute", "0 0 3 31 2 *", "@Microsoft.KeyVault(x)"])
def test_a_schedule_that_no_host_keeps_is_not_what_the_worker_tells(
    worker: str, product: Path, schedule: str
) -> None:
    found = drive(worker, product, RECONCILE_SCHEDULE=schedule, SWEEP_SCHEDULE=schedule)[
        "functions"
    ]
    told = [found[name][0]["schedule"] for name in ("reconcile", "sweep")]
    assert told == [EVERY_MINUTE, EVERY_HOUR]


def test_the_local_host_indexes_the_same_functions_of_this_product(
    worker: str, product: Path
) -> None:
    assert set(index(load(product))) == set(drive(worker, product)["functions"])


@pytest.mark.parametrize("event", [EVENT, CLOUD_EVENT, EVENT | {"eventTime": "yesterday"}])
def test_a_function_that_asks_for_text_is_given_the_event_as_it_came(
    worker: str, tmp_path: Path, event: dict[str, Any]
) -> None:
    text = SAMPLE.replace("ANNOTATION", "str").replace("{event.id}", "{event}")
    app, sent = write(tmp_path, text), json.dumps(event)
    said = drive(worker, app, "on_event", sent)
    assert said["invocation"] == {"ok": False, "error": f"RuntimeError: str {sent}"}


@pytest.mark.parametrize(
    ("spell", "time"),
    [
        (dict, "2026-11-28T20:41:00+02:00"),
        (as_cloud_event, "2016-12-31T23:59:60Z"),
        (in_bytes, "2026-11-28t18:41:00Z"),
    ],
)
def test_the_worker_starts_the_pipeline_of_a_run_however_its_events_time_is_written(
    worker: str,
    product: Path,
    stage: Stage,
    spell: Callable[[dict[str, Any]], dict[str, Any]],
    time: str,
) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    told = spell({**completed("r1"), "eventTime": time})
    said = drive(worker, product, "on_run_completed", json.dumps(told), **stage.environ)
    assert said["invocation"] == {"ok": True, "error": ""}
    assert stage.started() == [(42, "r1")]


def test_the_worker_knows_of_every_line_which_invocation_it_belongs_to(
    worker: str, product: Path, stage: Stage
) -> None:
    """A connection is lost in a thread beside the function's own: a library warns of it there."""
    route(stage, "model: defects", name="{{ model.name }}")
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.aml.add_model_version("defects", 3, "r1")
    stage.aml.server.faults.add(Fault(path="*/model-versions/search", drop="before"))
    said = drive(worker, product, "on_run_completed", json.dumps(completed("r1")), **stage.environ)
    ours = [line for line in said["lines"] if line[0].startswith(("run_relay", "urllib3"))]
    assert {name.partition(".")[0] for name, _, _ in ours} == {"run_relay", "urllib3"}
    assert {known for _, _, known in ours} == {"1"}
    assert {thread for name, thread, _ in ours if name != "run_relay"} == {"ahead"}


def test_the_worker_indexes_the_queue_of_the_parts_as_the_local_host_does(
    worker: str, product: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"RECONCILE_PARTS": "4", "LEDGER_URL": ""}
    said = drive(worker, product, **given)
    assert said["error"] == ""
    types = {name: sorted(b["type"] for b in found) for name, found in said["functions"].items()}
    assert types["divide"] == ["queue", "timerTrigger"]
    assert types["reconcile_part"] == ["queueTrigger"]
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert set(index(load(product))) == set(types)
