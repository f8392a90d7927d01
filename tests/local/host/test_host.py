"""The local Functions host, as Event Grid, a browser and an operator see it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest
import requests

from local.host.indexing import IndexingError
from local.host.serving import Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]
SAMPLE = """
import logging
import azure.functions as func

app = func.FunctionApp()
seen = []

@app.event_grid_trigger(arg_name="event")
def on_event(event: func.EventGridEvent):
    if event.subject == "bad":
        raise ValueError("a poison event")
    logging.info("saw %s of %s", event.id, event.topic)

@app.timer_trigger(arg_name="timer", schedule="%EVERY%", run_on_startup=True)
async def tick(timer: func.TimerRequest) -> None:
    logging.info("ticked, past due %s", timer.past_due)

@app.route("greet/{name:alpha}/{times:int?}", methods=["GET"])
def greet(req: func.HttpRequest) -> func.HttpResponse:
    who = req.route_params["name"]
    return func.HttpResponse(f"Hello {who}", status_code=201, headers={"x-who": who})

@app.route("echo", auth_level=func.AuthLevel.ANONYMOUS)
async def echo(req: func.HttpRequest, context: func.Context) -> str:
    return f"{context.function_name} {req.params.get('q')} {req.get_body().decode()}"
"""
EVENT = {
    "id": "1",
    "topic": "/subscriptions/s",
    "subject": "runs/r",
    "eventType": "Microsoft.MachineLearningServices.RunCompleted",
    "eventTime": "2026-01-01T18:41:00.9584103Z",
    "data": {"runId": "r"},
    "dataVersion": "2",
    "metadataVersion": "1",
}
CLOUD_EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "/subscriptions/s",
    "type": "Microsoft.MachineLearningServices.RunCompleted",
    "data": {"runId": "r"},
}
YEARLY = "0 0 5 1 1 *"
NOTIFICATION = {"aeg-event-type": "Notification"}
VALIDATION = {"aeg-event-type": "SubscriptionValidation"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "function_app.py").write_text(SAMPLE)
    return tmp_path


@pytest.fixture
def host(folder: Path) -> Iterator[Host]:
    with Host(folder, timers=False, threads=4, settings={"EVERY": YEARLY}) as running:
        yield running


def app_with(
    annotation: object, action: Callable[[Any], object] = lambda _event: None
) -> func.FunctionApp:
    app = func.FunctionApp()

    def on_event(event: object) -> object:
        return action(event)

    on_event.__annotations__ = {"event": annotation}
    app.event_grid_trigger(arg_name="event")(on_event)
    return app


def deliver(host: Host, body: object, function: str = "on_event") -> requests.Response:
    return requests.post(host.webhook(function), json=body, headers=NOTIFICATION, timeout=30)


def test_a_delivery_reaches_the_function_as_an_event_grid_event() -> None:
    got: list[func.EventGridEvent] = []
    with Host(app_with(func.EventGridEvent, got.append), timers=False) as host:
        answer = deliver(host, [EVENT])
    assert answer.status_code == 202
    assert (got[0].id, got[0].topic, got[0].get_json()) == ("1", EVENT["topic"], EVENT["data"])
    assert got[0].event_time is not None


def test_a_cloud_event_reaches_the_function_as_one_whatever_it_was_annotated_with() -> None:
    got: list[Any] = []
    with Host(app_with(func.EventGridEvent, got.append), timers=False) as host:
        answer = deliver(host, CLOUD_EVENT)
    assert answer.status_code == 202
    assert isinstance(got[0], func.CloudEvent)
    assert got[0].source == CLOUD_EVENT["source"]


def test_one_failed_event_fails_the_whole_delivery_with_its_message(host: Host) -> None:
    answer = deliver(host, [EVENT, EVENT | {"subject": "bad"}, EVENT])
    assert answer.status_code == 500
    assert "Functions.on_event" in answer.text
    assert "ValueError: a poison event" in answer.text
    assert [i.ok for i in host.invocations].count(True) == 2


def test_the_events_of_one_delivery_run_side_by_side() -> None:
    together = threading.Barrier(3, timeout=10)
    app = app_with(func.EventGridEvent, lambda _event: (together.wait(), None)[1])
    with Host(app, timers=False, threads=3) as host:
        assert deliver(host, [EVENT] * 3).status_code == 202


def test_no_more_sync_functions_run_at_a_time_than_there_are_threads() -> None:
    pair, threads = threading.Barrier(2, timeout=10), set()

    def work(_event: object) -> None:
        pair.wait()
        threads.add(threading.get_ident())

    app = app_with(func.EventGridEvent, work)
    settings = {"PYTHON_THREADPOOL_THREAD_COUNT": "2"}
    with Host(app, timers=False, settings=settings) as host:
        assert deliver(host, [EVENT] * 8).status_code == 202
    assert len(threads) == 2


def test_a_value_returned_without_a_binding_for_it_is_a_failure() -> None:
    with Host(app_with(func.EventGridEvent, lambda _event: "done"), timers=False) as host:
        answer = deliver(host, [EVENT])
    assert answer.status_code == 500
    assert "without a $return binding" in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"aeg-event-type": "Something"}, 400),
        ({"aeg-event-type": "SubscriptionDeletion"}, 200),
        ({"aeg-event-type": "Unsubscribe"}, 202),
        ({"aeg-event-type": "notification"}, 202),
    ],
)
def test_the_header_says_what_a_delivery_is(
    host: Host, headers: dict[str, str], status: int
) -> None:
    answer = requests.post(host.webhook("on_event"), json=[EVENT], headers=headers, timeout=30)
    assert answer.status_code == status


def test_the_webhook_answers_in_any_case_of_its_path(host: Host) -> None:
    url = f"{host.url}/RunTime/WebHooks/eventgrid?functionName=on_event"
    assert requests.post(url, json=[EVENT], headers=NOTIFICATION, timeout=30).status_code == 202


@pytest.mark.parametrize("name", ["nobody", "tick", ""])
def test_an_unknown_function_is_not_found(host: Host, name: str) -> None:
    answer = deliver(host, [EVENT], name)
    assert (answer.status_code, answer.text) == (404, f"cannot find function: '{name}'")


@pytest.mark.parametrize("body", ["not json", "3", '"text"'])
def test_a_delivery_that_is_no_event_is_an_error(host: Host, body: str) -> None:
    url = host.webhook("on_event")
    answer = requests.post(url, data=body, headers=NOTIFICATION, timeout=30)
    assert answer.status_code == 500


@pytest.mark.parametrize("wrap", [lambda data: [{"data": data}], lambda data: {"data": data}])
@pytest.mark.parametrize("told", [lambda data: data, json.dumps])
def test_the_validation_code_is_handed_back(
    host: Host, wrap: Callable[[Any], Any], told: Callable[[Any], Any]
) -> None:
    body = wrap(told({"validationCode": "abc"}))
    url = host.webhook("on_event")
    answer = requests.post(url, json=body, headers=VALIDATION, timeout=30)
    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "abc"})


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("eventgrid.azure.net", "eventgrid.azure.net"),
        ("eventgrid.azure.us", "eventgrid.azure.us"),
        ("evil.example", "eventgrid.azure.net"),
    ],
)
def test_the_cloud_events_handshake_lets_event_grid_in(
    host: Host, origin: str, allowed: str
) -> None:
    headers = {"WebHook-Request-Origin": origin}
    answer = requests.options(host.webhook("on_event"), headers=headers, timeout=30)
    assert answer.status_code == 200
    assert answer.headers["WebHook-Allowed-Origin"] == allowed


def test_an_http_function_answers_under_its_route(host: Host) -> None:
    answer = requests.get(f"{host.url}/api/Greet/Ada/3", timeout=30)
    assert (answer.status_code, answer.text) == (201, "Hello Ada")
    assert answer.headers["x-who"] == "Ada"


def test_a_text_result_is_a_plain_answer_and_async_functions_run_too(host: Host) -> None:
    answer = requests.post(f"{host.url}/api/echo?q=1", data="hello", timeout=30)
    assert (answer.status_code, answer.text) == (200, "echo 1 hello")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "greet/Ada"), ("GET", "greet/7"), ("GET", "greet"), ("GET", "nowhere")],
)
def test_a_request_that_fits_no_route_is_not_found(host: Host, method: str, path: str) -> None:
    assert requests.request(method, f"{host.url}/api/{path}", timeout=30).status_code == 404


def test_the_routes_prefix_comes_from_host_json(folder: Path) -> None:
    settings = {"extensions": {"http": {"routePrefix": "v1"}}}
    (folder / "host.json").write_text(json.dumps(settings))
    with Host(folder, timers=False) as host:
        assert requests.get(f"{host.url}/v1/greet/Ada", timeout=30).status_code == 201


def test_headers_of_host_json_come_with_every_answer_that_has_them_not(folder: Path) -> None:
    given = {"Content-Type": "of/the-host", "X-Frame-Options": "DENY"}
    settings = {"extensions": {"http": {"customHeaders": given}}}
    (folder / "host.json").write_text(json.dumps(settings))
    with Host(folder, timers=False, settings={"LOCAL_FUNCTION_KEY": "k"}) as host:
        for path, status in (("greet/Ada?code=k", 201), ("greet/Ada", 401), ("nowhere", 404)):
            answer = requests.get(f"{host.url}/api/{path}", timeout=30)
            assert answer.status_code == status
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Content-Type"] != "of/the-host"


def test_a_function_key_is_asked_for_once_one_is_set(folder: Path) -> None:
    with Host(folder, timers=False, settings={"LOCAL_FUNCTION_KEY": "k"}) as host:
        url = f"{host.url}/api/greet/Ada"
        header = requests.get(url, headers={"x-functions-key": "k"}, timeout=30)
        answers = [
            requests.get(f"{url}{query}", timeout=30) for query in ("?code=k", "?code=x", "")
        ]
        anonymous = requests.get(f"{host.url}/api/echo", timeout=30)
        recorded = requests.get(f"{host.url}/_local/requests", timeout=30).json()
    assert [a.status_code for a in (header, *answers, anonymous)] == [201, 201, 401, 401, 200]
    told = [{*request["headers"].values(), *request["query"].values()} for request in recorded]
    assert len(told) == 5
    assert not any("k" in values for values in told)


def test_a_timer_fired_by_hand_is_accepted_and_can_be_awaited(host: Host) -> None:
    answer = requests.post(f"{host.url}/admin/functions/tick", json={"input": ""}, timeout=30)
    assert answer.status_code == 202
    query = {"function": answer.headers["Local-Invocation-Id"], "count": "1", "timeout": "20"}
    ended = requests.get(f"{host.url}/_local/invocations", params=query, timeout=30).json()
    assert [(i["function"], i["ok"]) for i in ended] == [("tick", True)]


def test_an_event_fired_by_hand_is_its_input(host: Host) -> None:
    url = f"{host.url}/admin/functions/on_event"
    good = requests.post(url, json={"input": json.dumps(EVENT)}, timeout=30)
    bad = requests.post(url, json={"input": "{"}, timeout=30)
    assert (good.status_code, bad.status_code) == (202, 400)
    assert host.worker.wait("on_event")[0].ok


def test_an_unknown_function_cannot_be_fired(host: Host) -> None:
    answer = requests.post(f"{host.url}/admin/functions/nobody", json={"input": ""}, timeout=30)
    assert answer.status_code == 404


def test_firing_needs_a_json_object(host: Host) -> None:
    answer = requests.post(f"{host.url}/admin/functions/tick", data="x", timeout=30)
    assert answer.status_code == 400


def test_waiting_for_what_never_ran_ends(host: Host) -> None:
    query = {"function": "tick", "count": "1", "timeout": "0.05"}
    answer = requests.get(f"{host.url}/_local/invocations", params=query, timeout=30)
    assert answer.status_code == 408


def test_a_timer_fires_on_its_schedule_and_never_beside_itself() -> None:
    app, running, most = func.FunctionApp(), [0], [0]

    @app.timer_trigger(arg_name="timer", schedule="* * * * * *")
    def every_second(timer: func.TimerRequest) -> None:
        assert not timer.past_due
        running[0] += 1
        most[0] = max(most[0], running[0])
        time.sleep(1.2)
        running[0] -= 1

    with Host(app) as host:
        host.worker.wait("every_second", 2)
    assert most[0] == 1


def test_a_timer_with_run_on_startup_runs_at_once(folder: Path) -> None:
    with Host(folder, settings={"EVERY": YEARLY}) as host:
        assert host.worker.wait("tick")[0].ok


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "'%EVERY%' does not resolve to a value"),
        ({"EVERY": "every day"}, "The schedule expression 'every day' was not recognized"),
        ({"EVERY": "0 0 0 32 1 *"}, "The schedule expression '0 0 0 32 1 *' was not recognized"),
    ],
)
@pytest.mark.parametrize("timers", [True, False])
def test_a_timer_whose_schedule_cannot_be_read_is_not_there_and_all_else_is(
    folder: Path,
    settings: dict[str, str],
    message: str,
    caplog: pytest.LogCaptureFixture,
    *,
    timers: bool,
) -> None:
    with Host(folder, settings=settings, timers=timers) as host:
        assert set(host.functions) == {"on_event", "greet", "echo"}
        assert deliver(host, [EVENT]).status_code == 202
    assert f"Error indexing method 'Functions.tick'. {message}" in caplog.text


def test_a_timer_that_is_never_due_is_there_and_never_fires(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "function_app.py").write_text(SAMPLE.replace(", run_on_startup=True", ""))
    with Host(folder, settings={"EVERY": "0 0 3 31 2 *"}) as host:
        assert "tick" in host.functions
        assert deliver(host, [EVENT]).status_code == 202
    assert "The listener for function 'Functions.tick' was unable to start." in caplog.text


@pytest.mark.parametrize("annotation", [dict, list[func.EventGridEvent], int])
def test_an_annotation_that_the_converters_refuse_fails_indexing(annotation: object) -> None:
    with pytest.raises(IndexingError, match=r"on_event.*eventGridTrigger.*does not match"):
        Host(app_with(annotation))


def test_a_parameter_without_a_binding_fails_indexing() -> None:
    app = func.FunctionApp()

    @app.event_grid_trigger(arg_name="event")
    def on_event(event: func.EventGridEvent, more: str) -> None:
        """Never called."""

    with pytest.raises(IndexingError, match="more"):
        Host(app)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("x = 1", "0 function apps"),
        ("import azure.functions as f; app = f.FunctionApp()", "no functions"),
        (SAMPLE.replace("def tick", "def on_event"), "on_event"),
        (SAMPLE.replace("func.TimerRequest", "Missing"), "Missing"),
    ],
)
def test_an_app_that_cannot_be_indexed_says_why(folder: Path, text: str, message: str) -> None:
    (folder / "function_app.py").write_text(text)
    with pytest.raises(IndexingError, match=message):
        Host(folder, timers=False)


def test_a_folder_without_an_app_says_so(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match=r"no function_app\.py"):
        Host(tmp_path)


def test_one_app_object_can_be_hosted_again() -> None:
    app = app_with(func.EventGridEvent)
    for _ in range(2):
        with Host(app, timers=False) as host:
            assert deliver(host, [EVENT]).status_code == 202


def run(folder: Path, *more: str) -> subprocess.Popen[str]:
    """The host as its own process."""
    options = ["--port", "0", "--app", str(folder), "--no-timers", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "local.host", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"EVERY": YEARLY},
        text=True,
    )


def listening(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it printed until it was ready, and the URL it then named."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if "Host listening on " in line:
            return text, line.split()[-1]
    raise AssertionError(text)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_alone_it_lists_its_functions_logs_and_ends_when_told(
    folder: Path, number: signal.Signals, code: int
) -> None:
    with run(folder) as process:
        listed, url = listening(process)
        where = f"{url}/runtime/webhooks/EventGrid?functionName=on_event"
        answer = requests.post(where, json=[EVENT], headers=NOTIFICATION, timeout=30)
        process.send_signal(number)
        logged, _ = process.communicate(timeout=30)
    assert answer.status_code == 202
    assert where in listed
    assert f"[GET] {url}/api/greet/" in listed
    assert "Z] INFO: saw 1 of /subscriptions/s" in logged
    assert process.returncode == code


def test_alone_it_ends_though_a_function_does_not(folder: Path) -> None:
    endless = "import threading; print('stuck', flush=True); threading.Event().wait()"
    (folder / "function_app.py").write_text(
        SAMPLE.replace('    if event.subject == "bad":', f"    {endless}\n    if False:")
    )
    with run(folder, "--grace", "0.1") as process:
        _, url = listening(process)
        event = {"input": json.dumps(EVENT)}
        requests.post(f"{url}/admin/functions/on_event", json=event, timeout=30)
        assert process.stdout is not None
        assert any("stuck" in line for line in process.stdout)
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_alone_it_ends_with_an_error_if_nothing_can_be_indexed(folder: Path) -> None:
    (folder / "function_app.py").write_text("import no_such_module")
    with run(folder) as process:
        printed, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "No functions were indexed" in printed
    assert "no_such_module" in printed


def test_a_system_key_is_asked_for_of_deliveries_once_one_is_set(folder: Path) -> None:
    with Host(folder, timers=False, settings={"LOCAL_SYSTEM_KEY": "k"}) as host:
        url = f"{host.url}/runtime/webhooks/EventGrid?functionName=nobody"
        codes = [requests.post(f"{url}{key}", timeout=30).status_code for key in ("&code=k", "")]
        for key in ("k", "x"):
            headers = {"x-functions-key": key}
            codes.append(requests.post(url, headers=headers, timeout=30).status_code)
    assert codes == [404, 401, 404, 401]


def test_timers_that_are_stopped_do_not_fire_until_they_may_and_all_else_goes_on(
    folder: Path,
) -> None:
    often = {"EVERY": "* * * * * *", "LOCAL_TIMERS_STOPPED": "1"}
    with Host(folder, settings=often) as host:
        url = f"{host.url}/_local/timers"
        assert deliver(host, [EVENT]).status_code == 202
        assert requests.get(url, timeout=30).json() == {"stopped": True, "timers": ["tick"]}
        assert [ran.function for ran in host.invocations] == ["on_event"]  # not at the start either
        assert host.fire("tick").ok  # by hand
        answer = requests.post(url, json={"stopped": False}, timeout=30)
        assert answer.json()["stopped"] is False
        host.worker.wait("tick", 2)
        requests.post(url, json={"stopped": True}, timeout=30)
    reasons = [ran.reason for ran in host.invocations if ran.function == "tick"]
    assert reasons[1] == "Timer fired"


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"stopped": "yes"}', '{"stopped": true, "x": 1}']
)
def test_what_does_not_say_whether_timers_stop_is_refused(host: Host, body: str) -> None:
    answer = requests.post(f"{host.url}/_local/timers", data=body, timeout=30)
    assert (answer.status_code, "stopped" in answer.json()["error"]) == (400, True)
