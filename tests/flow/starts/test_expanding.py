"""Values that Azure Pipelines would expand or obey are not sent, whoever chose them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.operators.explaining import explained
from functions.core.operators.replaying import Replaying
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.asking import EXPERIMENT, asked, route
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

HOSTILE = ["$(relayKey)", "a $(b", "$[variables.a]", "x ##vso[task.setvariable variable=a]b"]
BEGIN = {"$(": "would replace", "$[": "may evaluate", "##vso[": "would obey"}


def ended(stage: Stage, text: str, **tags: str) -> None:
    """Deliver r1, whose parameter and tag `a` are this text."""
    tags = {"a": text, **tags}
    stage.aml.add_run("r1", experiment=EXPERIMENT, params={"a": text}, tags=tags)
    stage.deliver(completed("r1", runTags=tags))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "value", ["{{ run.tags.a }}", "{{ run.params.a }}", "model {{run.tags.a}}"]
)
def test_what_a_run_says_is_not_sent_where_it_would_be_expanded(
    stage: Stage, value: str, text: str
) -> None:
    route(stage, model=value)
    ended(stage, text)
    row = stage.only("r1")
    begin = next(one for one in BEGIN if one in text)
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.EXPANDS, 0)
    assert row.detail.startswith(f"model holds `{begin}`, which ")
    assert BEGIN[begin] in row.detail
    do = explained(row, stage.clock.now(), Policy()).do
    assert do.startswith("name in next a fact without it, or mend what the run is called or tagged")
    assert "replay" in do


def test_what_only_two_facts_together_hold_is_not_sent(stage: Stage) -> None:
    route(stage, model="{{ run.tags.a }}{{ run.tags.b }}")
    ended(stage, "cost in $", b="(key)")
    assert stage.only("r1").reason is Reason.EXPANDS


@pytest.mark.parametrize(
    "start",
    [
        "parameters: {run_id: '{{ run.id }}', model: {at: ['{{ run.tags.a }}']}}",
        "parameters: {run_id: '{{ run.id }}'}, variables: {model: '{{ run.tags.a }}'}",
        "parameters: {run_id: '{{ run.id }}', model: 'for {{ run.id }}: $(b)'}",
    ],
)
def test_it_is_seen_in_a_structure_in_a_variable_and_in_the_route(stage: Stage, start: str) -> None:
    route(stage)
    text = stage.routes_file.read_text("utf-8")
    stage.routes(text[: text.index("parameters: ")] + start + "}")
    ended(stage, '$(a) "b')
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.EXPANDS, 0)
    assert row.detail.startswith("model holds `$(`, ")


def test_other_texts_with_such_characters_are_sent_as_they_are(stage: Stage) -> None:
    text = "100 $ (a) #[b] ##[c] $b"
    route(stage, model="{{ run.tags.a }}", whole='{"a": "{{ run.params.a }}"}')
    ended(stage, text)
    assert asked(stage) == {"model": text, "whole": json.dumps({"a": text})}


def test_it_starts_once_the_route_sends_something_else(stage: Stage) -> None:
    route(stage, model="{{ run.tags.a }}")
    ended(stage, "$(a)")
    route(stage, model="{{ run.name }}")
    assert Replaying(stage.ledger, stage.clock, "me").replay(stage.only("r1").key).done
    stage.reconcile(minutes=1)
    assert stage.only("r1").state is State.STARTED


def test_the_log_names_the_reason_and_not_the_value(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    route(stage, model="{{ run.tags.a }}")
    ended(stage, "$(relayKey)")
    (line,) = [r.getMessage() for r in caplog.records if "continuation=held" in r.getMessage()]
    assert "reason=expands" in line
    assert "relayKey" not in caplog.text
