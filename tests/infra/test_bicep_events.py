"""Subscriptions, always-ready instances and topics fit the functions that the app declares."""

from __future__ import annotations

import re
import runpy
from functools import cache
from typing import Any

from tests.infra.bicep import INFRA, Code, one
from tests.shipping import ROOT

ALWAYS_TOLD = ["Failed", "Canceled", "NotResponding"]
MODULE = "modules/subscriptions.bicep"


@cache
def triggers() -> dict[str, str]:
    """The functions that the host indexes, each with the type of its trigger.

    Run anew, since an app lists its functions once only.
    """
    app = runpy.run_path(str(ROOT / "function_app.py"))["app"]
    return {f.get_function_name(): f.get_trigger().get_binding_name() for f in app.get_functions()}


def taking_events() -> set[str]:
    return {name for name, trigger in triggers().items() if trigger == "eventGridTrigger"}


def subscriptions() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = one("events.bicep", "variable", "subscriptions").given
    return found


def subscription() -> dict[str, Any]:
    properties: dict[str, Any] = one(MODULE, "resource", "made").body["properties"]
    return properties


def by_function() -> dict[str, dict[str, Any]]:
    return {each["function"]: each for each in subscriptions()}


def test_each_function_that_takes_events_has_one_subscription() -> None:
    assert sorted(each["function"] for each in subscriptions()) == sorted(taking_events())


def test_each_function_gets_the_events_it_is_for() -> None:
    types = {name: each["type"] for name, each in by_function().items()}
    assert types == {
        "on_run_completed": "Microsoft.MachineLearningServices.RunCompleted",
        "on_run_status_changed": "Microsoft.MachineLearningServices.RunStatusChanged",
        "on_model_registered": "Microsoft.MachineLearningServices.ModelRegistered",
        "on_model_deployed": "Microsoft.MachineLearningServices.ModelDeployed",
        "on_dataset_drift_detected": "Microsoft.MachineLearningServices.DatasetDriftDetected",
    }


def test_events_that_have_no_status_are_not_filtered_by_one() -> None:
    filtered = [name for name, each in by_function().items() if each["filters"]]
    assert filtered == ["on_run_status_changed"]


def test_statuses_that_tell_of_no_success_always_come() -> None:
    (only,) = by_function()["on_run_status_changed"]["filters"]
    always = ", ".join(f"'{status}'" for status in ALWAYS_TOLD)
    assert only == {
        "operatorType": "StringIn",
        "key": "data.runStatus",
        "values": f"union([{always}], moreStatuses)",
    }
    assert isinstance(only["values"], Code)


def test_other_statuses_are_a_parameter_and_none_of_them_is_told_already() -> None:
    parameter = one("events.bicep", "parameter", "moreStatuses")
    assert parameter.given == []
    assert set(re.findall(r"'(\w+)'", parameter.text)).isdisjoint(ALWAYS_TOLD)


def test_the_destination_is_the_function_of_that_name() -> None:
    destination = subscription()["destination"]
    assert destination["endpointType"] == "AzureFunction"
    where = destination["properties"]["resourceId"]
    assert where == "'${functionAppId}/functions/${item.function}'"


def test_events_come_one_by_one() -> None:
    assert subscription()["destination"]["properties"]["maxEventsPerBatch"] == 1


def test_retrying_is_said_and_is_as_long_as_event_grid_allows() -> None:
    assert subscription()["retryPolicy"] == {
        "maxDeliveryAttempts": "maxDeliveryAttempts",
        "eventTimeToLiveInMinutes": "timeToLiveMinutes",
    }
    assert one("events.bicep", "parameter", "maxDeliveryAttempts").given == 30
    assert one("events.bicep", "parameter", "timeToLiveMinutes").given == 1440


def test_what_cannot_be_delivered_is_kept_by_the_topics_own_identity() -> None:
    letters = subscription()["deadLetterWithResourceIdentity"]
    assert letters["identity"] == {"type": "SystemAssigned"}
    assert letters["deadLetterDestination"] == {
        "endpointType": "StorageBlob",
        "properties": {"resourceId": "storageId", "blobContainerName": "deadLetterContainer"},
    }
    assert "deadLetterDestination" not in subscription()


def test_dead_letters_go_where_the_topic_may_write() -> None:
    container = one("main.bicep", "variable", "deadLetterContainer").given
    call = one("events.bicep", "module", "topics").body["params"]["deadLetterContainer"]
    assert call == container == "dead-letters"


def test_the_schema_is_a_parameter() -> None:
    assert subscription()["eventDeliverySchema"] == "eventSchema"
    allowed = one("events.bicep", "parameter", "eventSchema").decorated("allowed")
    assert re.findall(r"'(\w+)'", allowed) == ["EventGridSchema", "CloudEventSchemaV1_0"]


def test_several_apps_can_share_a_topic_since_each_names_its_own_subscriptions() -> None:
    name = one(MODULE, "resource", "made").body["name"]
    assert "last(split(functionAppId, '/'))" in name
    longest = len("func-") + 16 + len("-") + 13 + len("-") + max(map(len, taking_events()))
    assert longest <= 64


def test_a_topic_stands_on_a_workspace_where_that_is() -> None:
    made = one("modules/topic.bicep", "resource", "made").body
    assert made["properties"]["source"] == "workspaceId"
    topic_type = "Microsoft.MachineLearningServices.Workspaces"
    assert made["properties"]["topicType"] == topic_type
    assert made["identity"] == {"type": "SystemAssigned"}
    called = one("modules/workspace.bicep", "module", "topic").body
    assert called["params"]["location"] == "workspace.location"


def test_a_topic_that_was_there_is_never_written() -> None:
    assert one("modules/topic.bicep", "resource", "found").is_existing
    assert "if (empty(foundName))" in one("modules/topic.bicep", "resource", "made").text


def test_a_topics_failures_and_metrics_are_seen() -> None:
    shown = one("modules/topic-watch.bicep", "resource", "metrics").body["properties"]
    assert shown["logs"] == [{"category": "DeliveryFailures", "enabled": True}]
    assert shown["metrics"] == [{"category": "AllMetrics", "enabled": True}]


def always_ready_in(text: str) -> list[str]:
    return re.findall(r"'function:(\w+)'", text)


def test_what_is_always_ready_is_there() -> None:
    assert set(always_ready_in(one("main.bicep", "parameter", "alwaysReady").text)) <= set(
        triggers()
    )
    prod = (INFRA / "prod.bicepparam").read_text("utf-8")
    assert set(always_ready_in(prod)) == {"on_run_completed", "on_run_status_changed"}
    assert set(always_ready_in(prod)) <= taking_events()
