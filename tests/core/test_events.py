"""Payloads of either schema, in any case, become the same news; the rest is refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.events import parsing
from functions.core.terms.errors import NotARunEvent
from functions.core.terms.words import Outcome
from tests.stage.azure import as_cloud_event, changed, completed

STATUS_CHANGED = "Microsoft.MachineLearningServices.RunStatusChanged"


def pascal(value: object) -> object:
    if isinstance(value, dict):
        return {k[:1].upper() + k[1:]: pascal(v) if k == "data" else v for k, v in value.items()}
    return value


@pytest.mark.parametrize("spell", [lambda e: e, as_cloud_event, pascal])
def test_every_spelling_tells_the_same(spell: object) -> None:
    event = parsing.parse(spell(changed("r1", "Completed")))  # type: ignore[operator]
    assert (event.run, event.outcome) == ("r1", Outcome.COMPLETED)
    assert event.experiment == "defect-detection"
    assert event.workspace.name == "ml-prod"
    assert event.run_type == "azureml.PipelineRun"
    assert event.time is not None
    assert event.time.microsecond == 958410


@pytest.mark.parametrize("tags", [None, "text", 7])
def test_tags_that_are_not_there_are_unknown_and_not_empty(tags: object) -> None:
    assert parsing.parse(completed("r1", runTags=tags)).tags is None
    assert parsing.parse(completed("r1", runTags={})).tags == {}


def test_a_run_type_of_null_is_no_run_type() -> None:
    assert parsing.parse(completed("r1", runType=None)).run_type == ""


def test_the_subject_names_the_run_where_the_data_does_not() -> None:
    event = completed("r1")
    del event["data"]["runId"]
    assert parsing.parse(event).run == "r1"


@pytest.mark.parametrize("status", ["failed", "FAILED", "Failed"])
def test_a_status_is_read_in_any_case(status: str) -> None:
    assert parsing.parse(changed("r1", status)).outcome is Outcome.FAILED


@pytest.mark.parametrize("status", ["Running", "Finalizing", "Paused"])
def test_a_status_that_is_no_end_goes_on(status: str) -> None:
    with pytest.raises(parsing.NotAnEnd, match="goes on"):
        parsing.parse(changed("r1", status))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"eventType": "Microsoft.Storage.BlobCreated"}, "not a run event"),
        ({"topic": "/subscriptions/s/resourceGroups/g"}, "no AML workspace id"),
        ({"topic": None}, "no AML workspace id"),
        ({"topic": "https://evil.example/subscriptions/s"}, "no AML workspace id"),
        ({"data": None, "subject": ""}, "no usable run id"),
        ({"eventType": STATUS_CHANGED, "data": None}, "it names no status"),
        ({"eventType": STATUS_CHANGED, "data": {"runId": "r1"}}, "it names no status"),
    ],
)
def test_what_is_no_run_event_says_why_with_its_id_and_type(
    change: dict[str, object], why: str
) -> None:
    with pytest.raises(NotARunEvent, match=why) as refused:
        parsing.parse({**completed("r1"), **change})
    assert refused.value.event_id == "event-r1-completed"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
KEYS = ["id", "eventType", "type", "topic", "source", "subject", "data", "eventTime", "time"]


@given(JSON | st.dictionaries(st.sampled_from(KEYS), JSON))
def test_no_payload_raises_anything_but_a_refusal(payload: object) -> None:
    with pytest.raises(NotARunEvent):
        parsing.parse(payload)


@given(st.dictionaries(st.sampled_from(["runId", "runTags", "runStatus", "runType"]), JSON))
def test_no_data_raises_anything_but_a_refusal(data: dict[str, object]) -> None:
    try:
        event = parsing.parse(changed("r1", "Completed", **data))
    except NotARunEvent:
        return
    event.run.encode()
