"""Subscriptions, always-ready instances and topics fit the functions that the app declares."""

from __future__ import annotations

import runpy
from functools import cache
from typing import Any

import pytest

from tests.infra.predicted import SETS, one, properties, resources, template
from tests.infra.sets import INFRA
from tests.running.shipping import ROOT

KIND = "EventGrid/systemTopics/eventSubscriptions"
TOPIC_TYPE = "Microsoft.MachineLearningServices.Workspaces"


@cache
def triggers() -> dict[str, str]:
    """The functions that the host indexes, each with the type of its trigger.

    Run anew, since an app lists its functions once only.
    """
    app = runpy.run_path(str(ROOT / "function_app.py"))["app"]
    return {f.get_function_name(): f.get_trigger().get_binding_name() for f in app.get_functions()}


def taking_events() -> set[str]:
    return {name for name, trigger in triggers().items() if trigger == "eventGridTrigger"}


def by_function(topic: int = 0) -> dict[str, dict[str, Any]]:
    """The subscriptions of one of the two topics."""
    made = [each["properties"] for each in resources("events", KIND)]
    half = made[: len(made) // 2] if topic == 0 else made[len(made) // 2 :]
    return {function(each): each for each in half}


def function(subscription: dict[str, Any]) -> str:
    where: str = subscription["destination"]["properties"]["resourceId"]
    return where.rpartition("/functions/")[2]


@pytest.mark.parametrize("topic", [0, 1])
def test_each_function_that_takes_events_has_one_subscription(topic: int) -> None:
    assert sorted(by_function(topic)) == sorted(taking_events())


def test_each_function_gets_the_events_it_is_for() -> None:
    types = {name: each["filter"]["includedEventTypes"] for name, each in by_function().items()}
    assert types == {
        "on_run_completed": ["Microsoft.MachineLearningServices.RunCompleted"],
        "on_run_status_changed": ["Microsoft.MachineLearningServices.RunStatusChanged"],
        "on_model_registered": ["Microsoft.MachineLearningServices.ModelRegistered"],
        "on_model_deployed": ["Microsoft.MachineLearningServices.ModelDeployed"],
        "on_dataset_drift_detected": ["Microsoft.MachineLearningServices.DatasetDriftDetected"],
    }


def test_statuses_that_tell_of_no_success_always_come_and_others_where_that_is_said() -> None:
    filters = {name: each["filter"]["advancedFilters"] for name, each in by_function().items()}
    (only,) = filters.pop("on_run_status_changed")
    assert only == {
        "operatorType": "StringIn",
        "key": "data.runStatus",
        "values": ["Failed", "Canceled", "NotResponding", "Paused"],
    }
    assert list(filters.values()) == [[]] * 4


@pytest.mark.parametrize("name", sorted(taking_events()))
def test_a_subscription_delivers_to_its_function_and_loses_nothing(name: str) -> None:
    each = by_function()[name]
    site = "/providers/Microsoft.Web/sites/func-relay/functions/"
    assert each["destination"]["endpointType"] == "AzureFunction"
    assert site + name in each["destination"]["properties"]["resourceId"]
    assert each["destination"]["properties"]["maxEventsPerBatch"] == 1
    assert each["retryPolicy"] == {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440}
    assert each["eventDeliverySchema"] == "EventGridSchema"
    letters = each["deadLetterWithResourceIdentity"]
    assert letters["identity"] == {"type": "SystemAssigned"}
    assert letters["deadLetterDestination"]["endpointType"] == "StorageBlob"
    assert "deadLetterDestination" not in each


def test_dead_letters_go_where_the_topic_may_write() -> None:
    letters = by_function()["on_run_completed"]["deadLetterWithResourceIdentity"]
    container = letters["deadLetterDestination"]["properties"]["blobContainerName"]
    made = resources("dev", "Storage/storageAccounts/blobServices/containers")
    assert [each for each in made if each["name"].endswith(f"/{container}")]


def test_several_apps_can_share_a_topic_since_each_names_its_own_subscriptions() -> None:
    names = [each["name"].rpartition("/")[2] for each in resources("events", KIND)]
    assert sorted(set(names)) == sorted(
        f"func-relay-{name.replace('_', '-')}" for name in taking_events()
    )
    longest = len("func-") + 16 + len("-") + 13 + len("-") + max(map(len, taking_events()))
    assert longest <= 64


def test_each_workspace_has_a_topic_in_its_own_group_whatever_the_other_is_called() -> None:
    topics = resources("two-subscriptions", "EventGrid/systemTopics")
    sources = [each["properties"]["source"] for each in topics]
    assert [each["id"].partition("/providers/")[0] for each in topics] == [
        source.partition("/providers/")[0] for source in sources
    ]
    assert len({each["name"] for each in topics}) == len(topics) == 2
    for each in topics:
        assert each["properties"]["topicType"] == TOPIC_TYPE
        assert each["identity"] == {"type": "SystemAssigned"}
        assert each["properties"]["source"] in each["location"]  # read from the workspace


def test_a_topic_that_was_there_is_never_written_but_watched() -> None:
    assert resources("existing", "EventGrid/systemTopics") == []
    watched = one("existing", "Insights/diagnosticSettings")
    theirs = "/resourceGroups/topics/providers/Microsoft.EventGrid/systemTopics/their-topic/"
    assert theirs in watched["id"]


@pytest.mark.parametrize("name", SETS)
def test_a_topics_failures_and_metrics_are_seen(name: str) -> None:
    for each in resources(name, "Insights/diagnosticSettings"):
        assert each["properties"]["logs"] == [{"category": "DeliveryFailures", "enabled": True}]
        assert each["properties"]["metrics"] == [{"category": "AllMetrics", "enabled": True}]


def test_other_statuses_are_none_that_is_told_already() -> None:
    allowed = template("events")["parameters"]["moreStatuses"]["allowedValues"]
    assert set(allowed).isdisjoint(["Failed", "Canceled", "NotResponding"])


@pytest.mark.parametrize("name", SETS)
def test_what_is_always_ready_is_there(name: str) -> None:
    scale = properties(name, "Web/sites")["functionAppConfig"]["scaleAndConcurrency"]
    ready = {each["name"].removeprefix("function:") for each in scale["alwaysReady"]}
    assert ready <= taking_events()
    assert bool(ready) is (name != "dev")


def test_the_subscribed_functions_are_found_by_the_script_that_waits_for_them() -> None:
    text = (INFRA / "events.bicep").read_text("utf-8")
    assert text.count("\n    function: '") == len(taking_events())
