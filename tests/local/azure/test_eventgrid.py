"""The local Event Grid, as its publishers and its subscribers see it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import azure.functions as func
import pytest
import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent, EventGridPublisherClient
from flask import Flask, Response, jsonify, request

from local.eventgrid import retries
from local.eventgrid.envelopes import InvalidEventError
from local.eventgrid.retries import Answer
from local.eventgrid.subscriptions import HandshakeError
from local.eventgrid.topic import WORKSPACE, Topic
from local.host.serving import Host
from local.serving.faults import Fault
from local.serving.web import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.serving.web import Received

ROOT = Path(__file__).parents[3]
KEY = "the-key"
FAST = 0.0001
RUN_COMPLETED = "Microsoft.MachineLearningServices.RunCompleted"
EVENT: dict[str, Any] = {
    "id": "e1",
    "subject": "experiments/x/runs/r",
    "eventType": RUN_COMPLETED,
    "eventTime": "2026-01-01T18:41:00.9584103Z",
    "data": {"runId": "r", "runType": "azureml.PipelineRun", "runTags": {"Stage": "production"}},
    "dataVersion": "2",
}
CLOUD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "c1",
    "source": "/subscriptions/other",
    "type": RUN_COMPLETED,
    "time": "2026-01-01T18:41:00Z",
    "subject": "experiments/x/runs/r",
    "data": {"runId": "r"},
}


class Endpoint:
    """A webhook that agrees to everything, unless told to answer otherwise."""

    def __init__(self) -> None:
        app = Flask("endpoint")
        app.add_url_rule("/hook", "hook", self._hook, methods=["POST", "OPTIONS"])
        azure = "/runtime/webhooks/EventGrid"
        app.add_url_rule(azure, "azure", self._hook, methods=["POST"])
        self.server = Server(app)
        self.url = f"{self.server.url}/hook"
        self.azure = f"{self.server.url}{azure}?functionName=f"
        self.agrees = True

    def delivered(self) -> list[Received]:
        """The notifications, in the order they came."""
        came = self.server.received("POST", "")
        return [r for r in came if r.headers["Aeg-Event-Type"] == "Notification"]

    def fails(self, status: int, times: int = 1) -> None:
        """Answer the next deliveries so."""
        self.server.faults.add(Fault(method="POST", status=status, times=times))

    def _hook(self) -> Response:
        if request.method == "OPTIONS":
            return self._options()
        if request.headers["aeg-event-type"] == "SubscriptionValidation" and self.agrees:
            return jsonify(validationResponse=request.get_json()[0]["data"]["validationCode"])
        return Response(status=200)

    def _options(self) -> Response:
        allowed = "eventgrid.azure.net" if self.agrees else "nobody.example"
        return Response(headers={"WebHook-Allowed-Origin": allowed})


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    with made.server:
        yield made


@pytest.fixture
def topic(tmp_path: Path) -> Iterator[Topic]:
    with Topic(key=KEY, dead_letters=tmp_path, time_scale=FAST, seed=1) as running:
        yield running


def publisher(topic: Topic, key: str = KEY) -> EventGridPublisherClient:
    return EventGridPublisherClient(topic.endpoint, AzureKeyCredential(key))


def letters(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    files = sorted(folder.rglob("*.json"))
    return [(path.relative_to(folder), json.loads(path.read_text())[0]) for path in files]


def test_the_real_publisher_reaches_a_subscriber(topic: Topic, endpoint: Endpoint) -> None:
    topic.subscribe("relay", endpoint.url)
    event = EventGridEvent(
        id="e1", subject="s", event_type=RUN_COMPLETED, data={"a": [1, None]}, data_version="2"
    )
    publisher(topic).send(event)
    topic.wait_delivered("e1")
    [delivery] = endpoint.delivered()
    [body] = json.loads(delivery.body)
    assert (body["topic"], body["data"]) == (WORKSPACE, {"a": [1, None]})
    assert (body["dataVersion"], body["metadataVersion"]) == ("2", "1")
    assert delivery.headers["Aeg-Subscription-Name"] == "RELAY"
    assert delivery.headers["Aeg-Delivery-Count"] == "0"
    assert delivery.headers["Aeg-Data-Version"] == "2"
    assert delivery.headers["Aeg-Metadata-Version"] == "1"


def test_the_real_publisher_may_send_cloud_events(topic: Topic, endpoint: Endpoint) -> None:
    topic.subscribe("relay", endpoint.url, schema="CloudEventSchemaV1_0")
    publisher(topic).send(CloudEvent(source="/s", type="t", data={"a": 1}, id="c1", subject="x"))
    topic.wait_delivered("c1")
    [delivery] = endpoint.delivered()
    body = json.loads(delivery.body)
    assert (body["source"], body["type"], body["data"]) == ("/s", "t", {"a": 1})
    assert delivery.headers["Content-Type"].startswith("application/cloudevents+json")


def test_bytes_of_the_real_publisher_are_delivered_in_base64(
    topic: Topic, endpoint: Endpoint
) -> None:
    topic.subscribe("cloud", endpoint.url, schema="CloudEventSchemaV1_0")
    publisher(topic).send(CloudEvent(source="/s", type="t", data=b'{"a": 1}', id="c1", subject="x"))
    topic.wait_delivered("c1")
    body = json.loads(endpoint.delivered()[0].body)
    assert (body["data_base64"], "data" in body) == ("eyJhIjogMX0=", False)


def test_a_cloud_events_bytes_are_data_in_event_grids_schema(
    topic: Topic, endpoint: Endpoint
) -> None:
    topic.subscribe("relay", endpoint.url)
    event = {"specversion": "1.0", "id": "c1", "source": "/s", "type": "t"}
    topic.publish({**event, "data_base64": "eyJhIjogMX0="})
    topic.idle()
    assert json.loads(endpoint.delivered()[0].body)[0]["data"] == {"a": 1}


def test_an_event_is_told_in_the_schema_that_the_subscription_asks_for(
    topic: Topic, endpoint: Endpoint
) -> None:
    topic.subscribe("relay", endpoint.url, schema="CloudEventSchemaV1_0")
    topic.publish(EVENT)
    topic.idle()
    assert json.loads(endpoint.delivered()[0].body) == {
        "specversion": "1.0",
        "id": "e1",
        "source": WORKSPACE,
        "type": RUN_COMPLETED,
        "time": EVENT["eventTime"],
        "subject": EVENT["subject"],
        "data": EVENT["data"],
    }


def test_a_cloud_event_can_be_told_in_event_grids_schema(topic: Topic, endpoint: Endpoint) -> None:
    topic.subscribe("relay", endpoint.url)
    topic.publish(CLOUD)
    topic.idle()
    [body] = json.loads(endpoint.delivered()[0].body)
    assert (body["topic"], body["eventType"]) == (CLOUD["source"], CLOUD["type"])
    assert (body["eventTime"], body["data"]) == (CLOUD["time"], CLOUD["data"])


def test_an_event_keeps_the_topic_that_it_names(topic: Topic, endpoint: Endpoint) -> None:
    topic.subscribe("relay", endpoint.url)
    topic.publish(EVENT | {"topic": "/subscriptions/another"})
    topic.idle()
    assert json.loads(endpoint.delivered()[0].body)[0]["topic"] == "/subscriptions/another"


def test_a_wrong_key_is_refused(topic: Topic, endpoint: Endpoint) -> None:
    topic.subscribe("relay", endpoint.url)
    with pytest.raises(ClientAuthenticationError):
        publisher(topic, "wrong").send(EventGridEvent("s", "t", {}, "1"))
    topic.idle()
    assert endpoint.delivered() == []


def send(topic: Topic, body: object, changed: dict[str, Any]) -> requests.Response:
    request: dict[str, Any] = {
        "params": {"api-version": "2018-01-01"},
        "headers": {"aeg-sas-key": KEY, "Content-Type": "application/json"},
        "data": json.dumps(body),
    }
    return requests.post(topic.endpoint, timeout=30, **(request | changed))


@pytest.mark.parametrize("missing", ["id", "subject", "eventType", "eventTime"])
def test_an_event_without_a_required_property_is_refused(topic: Topic, missing: str) -> None:
    answer = send(topic, [{k: v for k, v in EVENT.items() if k != missing}], {})
    assert answer.status_code == 400
    assert f"'{missing}'" in answer.json()["error"]["message"]


@pytest.mark.parametrize("missing", ["id", "source", "type"])
def test_a_cloud_event_without_a_required_attribute_is_refused(topic: Topic, missing: str) -> None:
    headers = {"aeg-sas-key": KEY, "Content-Type": "application/cloudevents-batch+json"}
    body = [{k: v for k, v in CLOUD.items() if k != missing}]
    assert send(topic, body, {"headers": headers}).status_code == 400
    assert send(topic, [CLOUD], {"headers": headers}).status_code == 200


@pytest.mark.parametrize(
    ("body", "changed", "status"),
    [
        ([EVENT], {}, 200),
        ([], {}, 200),
        (EVENT, {}, 400),
        (["text"], {}, 400),
        ([CLOUD], {}, 400),
        ([EVENT | {"eventTime": "yesterday"}], {}, 400),
        ([EVENT | {"metadataVersion": "2"}], {}, 400),
        ([EVENT], {"params": {"api-version": "2017-01-01"}}, 400),
        ([EVENT], {"headers": {"aeg-sas-key": KEY, "Content-Type": "text/plain"}}, 415),
        ([EVENT | {"data": "x" * 1024 * 1024}], {}, 413),
    ],
)
def test_the_topic_is_strict(
    topic: Topic, body: object, changed: dict[str, Any], status: int
) -> None:
    assert send(topic, body, changed).status_code == status


def test_one_bad_event_refuses_the_whole_batch(topic: Topic, endpoint: Endpoint) -> None:
    topic.subscribe("relay", endpoint.url)
    with pytest.raises(HttpResponseError):
        publisher(topic).send([EVENT, EVENT | {"eventTime": "yesterday"}])
    with pytest.raises(InvalidEventError, match="specversion"):
        topic.publish([EVENT, CLOUD | {"specversion": "0.3"}])
    topic.idle()
    assert endpoint.delivered() == []


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
def test_an_endpoint_that_does_not_agree_gets_no_events(
    topic: Topic, endpoint: Endpoint, schema: str
) -> None:
    endpoint.agrees = False
    with pytest.raises(HandshakeError, match="relay"):
        topic.subscribe("relay", endpoint.url, schema=schema)
    topic.publish(EVENT)
    topic.idle()
    assert endpoint.delivered() == []


def test_an_endpoint_that_answers_202_has_not_agreed(topic: Topic, endpoint: Endpoint) -> None:
    endpoint.fails(202)
    with pytest.raises(HandshakeError, match="202"):
        topic.subscribe("relay", endpoint.url)


def test_an_endpoint_that_is_not_there_cannot_agree(topic: Topic) -> None:
    with pytest.raises(HandshakeError):
        topic.subscribe("relay", "http://127.0.0.1:1/hook")


def test_the_validation_url_activates_a_subscription_by_hand(
    topic: Topic, endpoint: Endpoint
) -> None:
    endpoint.agrees = False
    with pytest.raises(HandshakeError):
        topic.subscribe("relay", endpoint.url)
    [asked] = endpoint.server.received("POST", "/hook")
    url = json.loads(asked.body)[0]["data"]["validationUrl"]
    assert requests.get(url, timeout=30).status_code == 200
    topic.publish(EVENT)
    topic.idle()
    assert len(endpoint.delivered()) == 1


def test_both_handshakes_and_deliveries_work_with_the_local_host(topic: Topic) -> None:
    app, got = func.FunctionApp(), []

    @app.event_grid_trigger(arg_name="event")
    def on_event(event: func.EventGridEvent) -> None:
        got.append(type(event).__name__)

    with Host(app, timers=False) as host:
        topic.subscribe("one", host.webhook("on_event"))
        topic.subscribe("two", host.webhook("on_event"), schema="CloudEventSchemaV1_0")
        topic.publish(EVENT)
        topic.idle()
        topic.unsubscribe("one")
    assert sorted(got) == ["CloudEvent", "EventGridEvent"]
    assert [a.status for a in topic.attempts] == [202, 202]


@pytest.mark.parametrize(
    ("operator", "key", "values", "matches"),
    [
        ("StringIn", "data.runType", ["AZUREML.pipelinerun"], 1),
        ("StringIn", "Data.RunType", ["a", "b"], 0),
        ("StringIn", "data.runStatus", ["Completed"], 0),
        ("StringIn", "data.runTags.stage", ["production"], 1),
        ("StringIn", "data.runTags.azureml.x", ["y"], 0),
        ("StringContains", "subject", ["/RUNS/"], 1),
        ("StringBeginsWith", "Subject", ["experiments/"], 1),
        ("StringEndsWith", "topic", ["/workspaces/Local"], 1),
        ("StringIn", "type", [RUN_COMPLETED], 1),
        ("StringNotIn", "data.runType", ["other"], 1),
        ("StringNotIn", "data.runType", ["azureml.pipelinerun"], 0),
        ("StringNotIn", "data.runStatus", ["x"], 1),
        ("StringNotContains", "data.runStatus", ["x"], 0),
        ("StringNotContains", "data.runType", ["x"], 1),
        ("IsNullOrUndefined", "data.runStatus", [], 1),
        ("IsNullOrUndefined", "data.runType", [], 0),
        ("IsNotNull", "data.runType", [], 1),
        ("NumberGreaterThan", "data.drift", [0.5], 1),
        ("NumberIn", "data.drift", [1, 2], 0),
        ("NumberNotInRange", "data.drift", [[0, 0.5]], 1),
        ("NumberIn", "data.runType", [1], 0),
        ("BoolEquals", "data.reused", [True], 1),
        ("BoolEquals", "data.drift", [True], 0),
        ("StringIn", "data.models", ["B:1"], 1),
        ("StringIn", "data.reused", ["true"], 0),
    ],
)
def test_advanced_filters_choose_events(
    operator: str, key: str, values: list[object], matches: int, topic: Topic, endpoint: Endpoint
) -> None:
    wire = {"operatorType": operator, "key": key, "values": values}
    topic.subscribe("relay", endpoint.url, filters=[wire])
    more = {"drift": 0.83, "reused": True, "models": ["a:1", "b:1"]}
    topic.publish(EVENT | {"data": EVENT["data"] | more})
    topic.idle()
    assert len(endpoint.delivered()) == matches


def test_all_filters_and_the_event_type_and_subject_must_fit(
    topic: Topic, endpoint: Endpoint
) -> None:
    fits = {"operatorType": "IsNotNull", "key": "id"}
    never = {"operatorType": "IsNotNull", "key": "data.nothing"}
    topic.subscribe("all", endpoint.url, filters=[fits], event_types=[RUN_COMPLETED.lower()])
    topic.subscribe("filter", endpoint.url, filters=[fits, never])
    topic.subscribe("type", endpoint.url, event_types=["Other"])
    topic.subscribe("begin", endpoint.url, subject_begins_with="models/")
    topic.subscribe("end", endpoint.url, subject_ends_with="/R")
    topic.publish(EVENT)
    topic.idle()
    assert sorted(a.subscription for a in topic.attempts) == ["all", "end"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            {"filters": [{"operatorType": "StringIn", "key": "id", "values": ["x"] * 26}]},
            "at most 25",
        ),
        ({"filters": [{"operatorType": "IsNotNull", "key": "id"}] * 26}, "at most 25"),
        (
            {"filters": [{"operatorType": "StringIn", "key": "id", "values": ["x" * 513]}]},
            "512 characters",
        ),
        ({"filters": [{"operatorType": "StringLike", "key": "id", "values": ["x"]}]}, "StringLike"),
        ({"filters": [{"operatorType": "StringIn", "values": ["x"]}]}, "key"),
        ({"max_attempts": 31}, "1 to 30"),
        ({"ttl_minutes": 1441}, "1440"),
        ({"schema": "CustomInputSchema"}, "CustomInputSchema"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_what_event_grid_would_refuse_cannot_be_subscribed(
    topic: Topic, endpoint: Endpoint, rule: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        topic.subscribe("relay", endpoint.url, **rule)


def test_as_much_as_event_grid_takes_can_be_subscribed(topic: Topic, endpoint: Endpoint) -> None:
    most = {"operatorType": "StringNotIn", "key": "data.runId", "values": ["x" * 512] * 25}
    topic.subscribe("relay", endpoint.url, filters=[most], max_attempts=30, ttl_minutes=1440)
    topic.publish(EVENT)
    topic.idle()
    assert len(endpoint.delivered()) == 1


def test_a_filter_with_one_value_may_say_value(topic: Topic, endpoint: Endpoint) -> None:
    one = {"operatorType": "NumberGreaterThan", "key": "data.drift", "value": 0.9}
    topic.subscribe("relay", endpoint.url, filters=[one])
    topic.publish([EVENT | {"id": str(n), "data": {"drift": n}} for n in (0.8, 1.0)])
    topic.idle()
    assert [a.event_id for a in topic.attempts] == ["1.0"]


def test_a_failed_delivery_is_made_again_and_counted(topic: Topic, endpoint: Endpoint) -> None:
    topic.subscribe("relay", endpoint.url)
    endpoint.fails(500, times=2)
    topic.publish(EVENT)
    topic.wait_delivered("e1")
    assert [(a.number, a.status, a.outcome) for a in topic.attempts] == [
        (1, 500, "Busy"),
        (2, 500, "Busy"),
        (3, 200, "Delivered"),
    ]
    assert endpoint.delivered()[-1].headers["Aeg-Delivery-Count"] == "2"


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204])
def test_these_answers_count_as_delivered(topic: Topic, endpoint: Endpoint, status: int) -> None:
    topic.subscribe("relay", endpoint.url)
    endpoint.fails(status)
    topic.publish(EVENT)
    topic.idle()
    assert [a.outcome for a in topic.attempts] == ["Delivered"]


def test_a_redirect_is_not_followed_and_counts_as_a_failure(
    topic: Topic, endpoint: Endpoint
) -> None:
    topic.subscribe("relay", endpoint.url)
    away = {"Location": endpoint.url}
    endpoint.server.faults.add(Fault(method="POST", status=302, headers=away))
    topic.publish(EVENT)
    topic.idle()
    assert [a.status for a in topic.attempts] == [302, 200]


def test_an_endpoint_that_does_not_answer_in_time_is_asked_again(endpoint: Endpoint) -> None:
    with Topic(key=KEY, time_scale=FAST, response_limit=0.2) as topic:
        topic.subscribe("relay", endpoint.url)
        endpoint.server.faults.add(Fault(method="POST", hang=True))
        topic.publish(EVENT)
        topic.idle()
    assert [a.outcome for a in topic.attempts] == ["TimedOut", "Delivered"]


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_lost_connection_means_another_delivery(
    topic: Topic, endpoint: Endpoint, drop: Literal["before", "after"]
) -> None:
    topic.subscribe("relay", endpoint.url)
    endpoint.server.faults.add(Fault(method="POST", drop=drop))
    topic.publish(EVENT)
    topic.idle()
    assert [a.outcome for a in topic.attempts] == ["SocketError", "Delivered"]


def address(kind: str, endpoint: Endpoint) -> str:
    return endpoint.azure if kind == "azure" else endpoint.url


@pytest.mark.parametrize(
    ("kind", "status"),
    [("webhook", s) for s in (400, 401, 403, 413)] + [("azure", s) for s in (400, 403, 413)],
)
def test_a_final_answer_is_dead_lettered_at_once(
    topic: Topic, endpoint: Endpoint, tmp_path: Path, kind: str, status: int
) -> None:
    topic.subscribe("relay", address(kind, endpoint))
    endpoint.fails(status)
    topic.publish(EVENT)
    topic.idle()
    [(_, letter)] = letters(tmp_path)
    assert (letter["deliveryAttempts"], letter["lastHttpStatusCode"]) == (1, status)
    assert letter["deadLetterReason"].startswith("UndeliverableDueToHttp")


def test_a_function_that_answers_401_is_asked_again(topic: Topic, endpoint: Endpoint) -> None:
    topic.subscribe("relay", endpoint.azure)
    endpoint.fails(401)
    topic.publish(EVENT)
    topic.idle()
    assert [a.status for a in topic.attempts] == [401, 200]


def test_a_dead_letter_is_the_event_with_its_story(
    topic: Topic, endpoint: Endpoint, tmp_path: Path
) -> None:
    topic.subscribe("relay", endpoint.url, max_attempts=3)
    endpoint.fails(404, times=3)
    before = datetime.now(UTC)
    topic.publish(EVENT)
    topic.idle()
    [(path, letter)] = letters(tmp_path)
    hours = {(at.year, at.month, at.day, at.hour) for at in (before, datetime.now(UTC))}
    assert path.parts[0] == "RELAY"
    assert tuple(int(part) for part in path.parts[1:5]) in hours
    stamps = {letter.pop(name)[-1] for name in ("publishTime", "lastDeliveryAttemptTime")}
    assert stamps == {"Z"}
    assert letter == EVENT | {
        "topic": WORKSPACE,
        "metadataVersion": "1",
        "deadLetterReason": "MaxDeliveryAttemptsExceeded",
        "deliveryAttempts": 3,
        "lastDeliveryOutcome": "NotFound",
        "lastHttpStatusCode": 404,
    }


def test_a_dead_cloud_event_tells_its_story_in_lower_case(
    topic: Topic, endpoint: Endpoint, tmp_path: Path
) -> None:
    topic.subscribe("relay", endpoint.url, schema="CloudEventSchemaV1_0")
    endpoint.fails(400)
    topic.publish(CLOUD)
    topic.idle()
    [(_, letter)] = letters(tmp_path)
    added = {k: v for k, v in letter.items() if k not in CLOUD}
    assert {k: added[k] for k in added if not k.endswith("time")} == {
        "deadletterreason": "UndeliverableDueToHttpBadRequest",
        "deliveryattempts": 1,
        "lastdeliveryoutcome": "BadRequest",
        "lasthttpstatuscode": 400,
    }
    assert {k for k in added if k.endswith("time")} == {"publishtime", "lastdeliveryattempttime"}


def test_an_event_whose_time_is_up_is_given_up_at_its_next_attempt(
    topic: Topic, endpoint: Endpoint, tmp_path: Path
) -> None:
    topic.subscribe("relay", endpoint.url, ttl_minutes=60)
    endpoint.fails(500, times=99)
    topic.publish(EVENT)
    topic.idle()
    [(_, letter)] = letters(tmp_path)
    assert letter["deadLetterReason"] == "TimeToLiveExceeded"
    assert 1 <= letter["deliveryAttempts"] < 30


def test_without_a_folder_a_given_up_event_is_dropped(endpoint: Endpoint) -> None:
    with Topic(key=KEY, time_scale=FAST) as topic:
        topic.subscribe("relay", endpoint.url)
        endpoint.fails(400)
        topic.publish(EVENT)
        topic.idle()
    assert [a.status for a in topic.attempts] == [400]


def test_a_failing_endpoint_is_put_on_probation_and_its_other_events_wait(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    with Topic(key=KEY, dead_letters=tmp_path, time_scale=0.001, seed=1) as topic:
        topic.subscribe("poison", endpoint.url, max_attempts=10)
        endpoint.fails(500, times=10)
        topic.publish([EVENT | {"id": f"poison-{n}"} for n in range(5)])
        topic.wait_for(lambda attempts: len(attempts) >= 10)
        topic.publish(EVENT | {"id": "healthy"})
        topic.idle()
    tenth, healthy = topic.attempts[9], topic.attempts[-1]
    after = [a for a in topic.attempts if a.event_id == "healthy"]
    assert healthy.outcome == "Delivered"
    assert after[0].at - tenth.at >= 0.01


def test_a_new_event_can_expire_on_probation_without_an_attempt(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    with Topic(key=KEY, dead_letters=tmp_path, time_scale=0.01, seed=1) as topic:
        topic.subscribe("relay", endpoint.azure, max_attempts=1)
        endpoint.fails(404, times=10)
        topic.publish([EVENT | {"id": f"lost-{n}"} for n in range(10)])
        topic.wait_for(lambda attempts: len(attempts) == 10)
        topic.subscribe("late", endpoint.azure, ttl_minutes=0.1)
        topic.publish(EVENT | {"id": "late"})
        topic.idle()
    letter = next(body for path, body in letters(tmp_path) if path.parts[0] == "LATE")
    assert (letter["deliveryAttempts"], letter["lastDeliveryOutcome"]) == (0, "Probation")
    assert "lastDeliveryAttemptTime" not in letter


def test_events_may_come_twice_and_in_another_order(endpoint: Endpoint) -> None:
    ids = [f"e{n}" for n in range(20)]
    with Topic(key=KEY, duplicates=1.0, shuffle=0.3, seed=7) as topic:
        topic.subscribe("relay", endpoint.url)
        topic.publish([EVENT | {"id": i} for i in ids])
        topic.idle()
    came = [json.loads(r.body)[0]["id"] for r in endpoint.delivered()]
    assert sorted(came) == sorted(ids * 2)
    assert list(dict.fromkeys(came)) != ids
    times = [a.at for a in topic.attempts]
    assert max(times) - min(times) > 0.2


def test_waiting_for_what_is_never_delivered_ends(topic: Topic) -> None:
    with pytest.raises(TimeoutError):
        topic.wait_delivered("e1", timeout=0.05)


@pytest.mark.parametrize(
    ("attempts", "status", "azure", "seconds"),
    [
        (1, 500, True, 10),
        (2, 500, True, 30),
        (3, 500, True, 60),
        (4, 500, True, 300),
        (10, 500, True, 43200),
        (29, 500, True, 43200),
        (1, 404, True, 300),
        (1, 401, True, 300),
        (1, 404, False, 10),
        (1, 408, False, 120),
        (1, 503, False, 30),
        (5, 503, False, 600),
    ],
)
def test_the_wait_is_the_schedule_or_the_statuss_minimum(
    attempts: int, status: int, azure: bool, seconds: float
) -> None:
    assert retries.wait_after(attempts, Answer.of(status), azure_function=azure) == seconds


def test_the_real_response_limit_is_30_seconds() -> None:
    assert retries.Pace().patience == 30


def test_subscriptions_are_made_listed_and_removed_by_hand(
    topic: Topic, endpoint: Endpoint
) -> None:
    url = f"{topic.url}/_local/subscriptions"
    body = {"endpoint": f"{endpoint.url}?code=hidden", "event_types": [RUN_COMPLETED]}
    made = requests.put(f"{url}/relay", json=body, timeout=30)
    listed = requests.get(url, timeout=30)
    topic.publish(EVENT)
    topic.idle()
    deliveries = requests.get(f"{topic.url}/_local/deliveries", timeout=30).json()
    removed = [requests.delete(f"{url}/relay", timeout=30).status_code for _ in range(2)]
    assert (made.status_code, [s["name"] for s in listed.json()]) == (200, ["relay"])
    assert "hidden" not in made.text + listed.text
    assert [(d["event_id"], d["status"]) for d in deliveries] == [("e1", 200)]
    assert removed == [200, 404]
    kinds = [r.headers["Aeg-Event-Type"] for r in endpoint.server.received("POST", "/hook")]
    assert kinds == ["SubscriptionValidation", "Notification", "SubscriptionDeletion"]


@pytest.mark.parametrize("body", [{}, {"endpoint": "http://127.0.0.1:1/"}, {"endpoint": 1}, []])
def test_a_subscription_that_cannot_be_made_is_refused_by_hand(topic: Topic, body: object) -> None:
    answer = requests.put(f"{topic.url}/_local/subscriptions/relay", json=body, timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequest")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_alone_it_takes_events_and_ends_when_told(number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-m", "local.eventgrid", "--port", "0"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env=os.environ | {"LOCAL_EVENT_GRID_KEY": KEY},
        text=True,
    )
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        EventGridPublisherClient(url, AzureKeyCredential(KEY)).send(
            EventGridEvent("s", "t", {}, "1")
        )
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == code
