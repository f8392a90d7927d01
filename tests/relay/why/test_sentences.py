"""What is printed of a continuation, for every state and every reason that there is."""

from __future__ import annotations

import re

import pytest

from functions.configuration import settings as known_settings
from functions.core.operators import decisions
from functions.core.operators.explaining import explained
from functions.core.operators.meanings import GOES_ON, LOOKS
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from relay.forecasts import telling
from tests.ledger.samples import NOON, opened, request

SETTINGS = known_settings.read({})
# What an operator can hasten: the others wait for their turn, for a clock, or are looked for.
HASTENED = {
    Reason.ROUTES_UNREADABLE,
    Reason.RUN_UNREADABLE,
    Reason.SECRET_UNREADABLE,
    Reason.SECRET_EXPIRED,
    Reason.NOT_SENT,
    Reason.REFUSED,
    Reason.UNAVAILABLE,
    Reason.LOOK_FAILED,
}


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("state", State)
def test_no_line_is_a_chain_of_colons_and_one_is_told_as_one(state: State, reason: Reason) -> None:
    for asked in (None, NOON):
        c = opened(state=state, reason=reason, request=request(), asked_at=asked, sends=1)
        told = [*telling.lines(c, NOON, SETTINGS), f"KEY: {decisions.standing(c)}"]
        assert [line for line in told if len(re.findall(": ", line)) > 2] == []
        assert [line for line in told if re.search(r"\b1 (tries|requests|days|runs)\b", line)] == []


@pytest.mark.parametrize("reason", Reason)
def test_a_command_is_named_to_who_waits_only_where_it_helps(reason: Reason) -> None:
    do = explained(opened(reason=reason, request=request()), NOON, Policy()).do
    if reason in HASTENED:
        assert "then, to try at once: bin/relay replay register/run-1/Completed" in do
    elif reason in {Reason.FACTS_MISSING, Reason.NOT_FINAL, Reason.IN_DOUBT}:
        assert do == LOOKS
    elif reason in {Reason.WORKING, Reason.DEADLINE, Reason.LATE, Reason.THROTTLED}:
        assert do == GOES_ON
    elif reason in {Reason.PAUSED, Reason.LIMIT, Reason.CREDENTIAL_REFUSED}:
        assert "bin/relay replay" not in do
    assert do


def test_the_history_tells_of_each_ask_which_pipeline_and_what_its_gate_saw() -> None:
    asked = [("asked", "run.metrics.accuracy = 0.9"), ("asked", "pipeline contoso/mlops/42")]
    c = opened(request=request())
    for what, detail in asked:
        step = type(c.history[0])(NOON, what, detail)
        c = type(c)(
            **{n: getattr(c, n) for n in c.__struct_fields__ if n != "history"},
            history=(*c.history, step),
        )
    told = [line for line in telling.lines(c, NOON, SETTINGS) if "  asked" in line]
    assert [line.partition("asked")[2].strip() for line in told] == [
        "pipeline contoso/mlops/42; its gate saw run.metrics.accuracy = 0.9",
        "pipeline contoso/mlops/42",
    ]
