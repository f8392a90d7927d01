"""docs/export.schema.json tells every line: each state, reason and step, and what operators did."""

from __future__ import annotations

import inspect
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest

from functions.core.kept import continuation as kept
from functions.core.kept.continuation import GATE_IGNORED, Continuation
from functions.core.kept.history import LONGEST_HISTORY
from functions.core.operators import decisions
from functions.core.rounds.following import ends, mistaken, sequels
from functions.core.starts import steps
from functions.core.terms.pipelines import PipelineEnd, PipelineRun
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import SWEPT
from functions.core.terms.words import Ending, Outcome, State
from relay import printing
from relay.export.lines import APP, EVENT, OPERATOR, SWEEP, Line
from relay.export.places import named, placed
from tests.ledger.samples import HOSTILE, LEASE, NOON, event, key, opened, request
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = json.loads((ROOT / "docs" / "export.schema.json").read_text("utf-8"))
FIELDS = SCHEMA["properties"]
VALID = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
RUNBOOK = (ROOT / "docs" / "operations.md").read_text("utf-8")
BODY = json.dumps({"variables": {"TOKEN": {"value": "s3cret", "isSecret": True}}})
RUN = PipelineRun(id=1042, note="no link")


def told(c: Continuation) -> list[dict[str, Any]]:
    """Its lines as they are written, each held against the schema."""
    written = [printing.json_line(Line(*one, c).document) for one in placed(c)]
    documents = [json.loads(line) for line in written]
    for document in documents:
        VALID.validate(document)
        assert named(document["cursor"]).cursor == document["cursor"]
    assert "s3cret" not in "".join(written)
    return documents


def asked(**given: Any) -> Continuation:
    return steps.asked(opened(**given), NOON, request(BODY), LEASE, "")


def ended_at(state: State, reason: Reason) -> Continuation:
    """One that came to this state for this reason, by the step that leads there."""
    if state is State.STARTED:
        return steps.started(asked(), NOON, RUN, reason, LEASE)
    if state is State.OPEN:
        return steps.parked(opened(), NOON, reason, "a detail", NOON + LEASE)
    return steps.ended(opened(), NOON, state, reason, "a detail")


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("reason", Reason)
def test_every_state_and_reason_is_told_by_the_last_line(state: State, reason: Reason) -> None:
    last = told(ended_at(state, reason))[-1]
    assert last["reason"] == reason
    assert reason in FIELDS["reason"]["examples"]
    assert last["what"] == ("parked" if state is State.OPEN else state)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_named(outcome: Outcome) -> None:
    (line,) = told(opened(outcome=outcome))
    assert line["outcome"] == outcome
    assert outcome in FIELDS["outcome"]["examples"]


# the second argument after the continuation, a literal or a constant, or what is chosen before
WRITTEN = (
    r'[sS]tep\((?:\s*\w+,)?\s*now,\s*(?:"([^"]+)"|([A-Z_]+))|what = "(.*?)" if \w+ else "(.*?)"'
)
STARTED = steps.started(asked(), NOON, RUN, Reason.ANSWERED, LEASE)
FOUND: dict[str, Callable[[], Continuation]] = {
    "claimed": opened,
    "passed over": lambda: steps.passed_over(key(), event(), NOON, "tags.stage"),
    "resumed": lambda: steps.resumed(opened(), NOON, LEASE),
    "parked": lambda: ended_at(State.OPEN, Reason.LIMIT),
    "asked": asked,
    "taken back": lambda: steps.unasked(asked(), opened(), NOON),
    "looked: absent": lambda: steps.absent(asked(), NOON),
    "started": lambda: STARTED,
    "held": lambda: ended_at(State.HELD, Reason.GATE),
    "skipped": lambda: ended_at(State.SKIPPED, Reason.NOT_ROOT),
    "failed": lambda: ended_at(State.FAILED, Reason.REJECTED),
    "duplicate": lambda: steps.duplicated(STARTED, NOON, 7),
    "looked again": lambda: steps.looked_again(STARTED, NOON),
    "looking again later": lambda: steps.look_later(STARTED, NOON, NOON + LEASE),
    "second look given up": lambda: steps.look_later(STARTED, NOON, None),
    "replayed": lambda: done(decisions.again, ended_at(State.HELD, Reason.GATE)),
    "hastened": lambda: done(decisions.again, ended_at(State.OPEN, Reason.NOT_SENT)),
    "put right": lambda: mistaken.with_own(STARTED, [PipelineRun(id=7)], "that of b", NOON),
    "ended": lambda: ends.ended(STARTED, NOON, PipelineEnd(how=Ending.LOST, at=NOON, detail="?")),
}


def done(decide: Callable[..., Any], c: Continuation, who: str = "ada", **how: Any) -> Continuation:
    """What an operator's word made of it."""
    made = decide(c, NOON, who=who, **how or {"ignore_gate": False})
    assert isinstance(made, Continuation)
    return made


@pytest.mark.parametrize("what", FOUND)
def test_every_step_is_told_and_named(what: str) -> None:
    assert told(FOUND[what]())[-1]["what"] == what


def test_the_schema_names_every_step_that_there_is_and_no_other() -> None:
    assert FIELDS["what"]["examples"] == [*FOUND]
    code = "".join(inspect.getsource(module) for module in (steps, decisions, ends, mistaken))
    named = {name for found in re.findall(WRITTEN, code) for name in found if name}
    modules = (kept, steps, ends, mistaken)
    known = {n: v for m in modules for n, v in vars(m).items() if n.isupper()}
    assert {known.get(name, name) for name in named} | {*State} - {State.OPEN} == {*FOUND}


@pytest.mark.parametrize("who", ["ada", "Ada L.: pipeline run 7", "a, ignoring the gate, b", "é😀"])
def test_who_an_operator_is_stands_apart_whatever_they_did(who: str) -> None:
    doubtful = steps.ended(asked(), NOON, State.HELD, Reason.IN_DOUBT)
    named_once = done(decisions.named, doubtful, who, run=RUN)
    made = [
        done(decisions.again, ended_at(State.FAILED, Reason.REJECTED), who, ignore_gate=True),
        done(decisions.again, ended_at(State.OPEN, Reason.NOT_SENT), who, ignore_gate=False),
        done(decisions.anew, doubtful, who, ignore_gate=False),
        named_once,
        done(decisions.named, named_once, who, run=PipelineRun(id=7)),
    ]
    lines = [line for c in made for line in told(c) if line["by"] == OPERATOR]
    assert [line["who"] for line in lines] == [who] * 7
    assert [line["pipeline_run"] for line in lines] == [None] * 4 + [1042, 1042, 7]


def test_a_name_that_fills_the_line_is_an_operators_all_the_same() -> None:
    c = done(decisions.again, ended_at(State.HELD, Reason.GATE), "x" * 300, ignore_gate=True)
    last = told(c)[-1]
    assert last["by"] == OPERATOR
    assert last["who"].startswith("x" * 190)


def test_who_made_it_claimed_is_the_event_or_the_sweep() -> None:
    (line,) = told(opened())
    assert (line["by"], line["who"]) == (EVENT, f"{event().type} {event().id}")
    swept = steps.opened(key(), event(type=SWEPT, id=""), NOON, LEASE)
    (line,) = told(swept)
    assert (line["by"], line["who"]) == (SWEEP, "")


def test_what_goes_on_by_an_end_is_no_events() -> None:
    end = PipelineEnd(how=Ending.SUCCEEDED, at=NOON)
    first = ends.ended(ended_at(State.STARTED, Reason.ANSWERED), NOON, end)
    (line,) = told(sequels.opened(first, "register.succeeded", NOON, ""))
    assert (line["by"], line["who"]) == (APP, "")
    assert line["why"] == "then, after register: pipeline run 1042 succeeded"


def test_only_what_was_asked_last_and_may_be_queued_has_its_request() -> None:
    parked = steps.parked(asked(), NOON, Reason.IN_DOUBT, "", NOON)
    again = steps.asked(parked, NOON + LEASE, request(BODY), LEASE, GATE_IGNORED)
    assert [bool(line["request"]) for line in told(again)] == [False, False, False, True]
    back = steps.unasked(again, parked, NOON + LEASE)
    assert [bool(line["request"]) for line in told(back)] == [False, True, False, False, False]
    assert not any(line["request"] for line in told(steps.unasked(asked(), opened(), NOON)))


def test_a_line_reads_the_same_whatever_comes_after_it() -> None:
    c = ended_at(State.OPEN, Reason.LIMIT)
    before = told(c)
    for n in range(3 * LONGEST_HISTORY):
        c = steps.resumed(c, NOON + (n // 2) * timedelta(seconds=1), LEASE)
    after = {line["cursor"]: line for line in told(c)}
    assert [after[line["cursor"]] for line in before] == before


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_fit_the_schema(hostile: str) -> None:
    c = opened(hostile, route=hostile)
    held = steps.ended(c, NOON, State.HELD, Reason.GATE, hostile)
    operated = done(decisions.again, held, hostile, ignore_gate=False)
    assert told(msgspec.structs.replace(operated))[0]["run"] == hostile


def test_a_reason_of_another_version_is_in_the_words_alone() -> None:
    step = steps.step(opened(), NOON, State.HELD, "of_tomorrow why")
    last = told(step)[-1]
    assert (last["reason"], last["why"]) == (None, "of_tomorrow why")


def test_the_runbook_has_a_row_for_every_field_in_their_order() -> None:
    section = RUNBOOK.partition("\n## The audit trail\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == [*FIELDS]
    assert SCHEMA["required"] == [*FIELDS]


def test_the_pipeline_run_that_gave_way_is_told_by_the_line_that_named_it() -> None:
    put_right = mistaken.with_own(
        STARTED, [PipelineRun(id=7)], "pipeline run 1042 is that of b", NOON
    )
    assert [line["pipeline_run"] for line in told(put_right)][-2:] == [1042, 7]
