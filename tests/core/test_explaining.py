"""Every state and every reason there is can be explained; a new one without words fails here."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from functions.core.operators.explaining import AS_IDENTITY, explained
from functions.core.operators.meanings import REASONS, STATES
from functions.core.terms.pipelines import PipelineEnd
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key
from functions.core.terms.words import PAUSED, Ending, Outcome, State, line
from tests.ledger.samples import NOON, opened, request

HOSTILE = Key("w", "run'; rm -rf ~; {key}", Outcome.COMPLETED, "ro{ute}")


def test_every_reason_and_every_state_has_its_words() -> None:
    assert REASONS.keys() == {*Reason}
    assert STATES.keys() == {*State}


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("state", State)
def test_a_continuation_is_explained_whatever_it_is(state: State, reason: Reason) -> None:
    c = opened(state=state, reason=reason, request=request())
    told = explained(c, NOON, Policy())
    assert told.means.startswith(STATES[state])
    assert told.next
    assert "{" not in " ".join(told)


def test_who_waits_for_the_service_is_not_told_of_a_secret() -> None:
    c = opened(reason=Reason.THROTTLED, waits_on="account/contoso/azure-devops-pat")
    assert "secret" not in explained(c, NOON, Policy()).next


@pytest.mark.parametrize("reason", AS_IDENTITY)
def test_where_no_secret_is_used_none_is_spoken_of(reason: Reason) -> None:
    c = opened(reason=reason, request=request(), waits_on="account/contoso/azure-devops-pat")
    told = " ".join(explained(c, NOON, Policy(by_identity=True)))
    assert "secret" not in told
    assert "{" not in told
    assert "identity" in told


@pytest.mark.parametrize("reason", Reason)
def test_a_command_to_copy_keeps_hostile_names_in_one_word(reason: Reason) -> None:
    c = msgspec.structs.replace(opened(state=State.HELD, reason=reason), key=HOSTILE)
    do = explained(c, NOON, Policy()).do
    if "replay" in do:
        command = do[do.index("bin/relay replay") :].split(", or")[0]
        assert HOSTILE.text in shlex.split(command)


LOST = PipelineEnd(how=Ending.LOST, at=NOON)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"due_at": NOON}, "with the reconciler's next round"),
        ({"due_at": NOON + timedelta(minutes=5)}, "at 2026-03-14 12:05:00 UTC"),
        ({"reason": Reason.PAUSED}, "tried again"),
        ({"reason": Reason.PAUSED, "waits_on": PAUSED}, "when the app goes on"),
        ({"reason": Reason.LIMIT, "waits_on": line("a")}, "who were claimed before it"),
        (
            {"reason": Reason.PAUSED, "waits_on": PAUSED, "asked_at": NOON},
            "looks it up in Azure DevOps when the app goes on, those claimed first",
        ),
        ({"reason": Reason.IN_DOUBT, "asked_at": NOON}, "; nothing is sent again before that"),
        (
            {"reason": Reason.CREDENTIAL_REFUSED, "waits_on": "o"},
            "as soon as the secret is renewed",
        ),
        ({"reason": Reason.WORKING}, "takes it over"),
        ({"state": State.STARTED}, "is followed until that ends"),
        ({"state": State.STARTED, "updated_at": NOON - timedelta(days=31)}, "nothing more happens"),
        ({"state": State.STARTED, "ended": LOST}, "nothing more happens"),
        ({"state": State.HELD}, "nothing more happens"),
        ({"state": State.STARTED, "recheck_at": NOON}, "second pipeline run"),
    ],
)
def test_what_happens_next_is_told(given: dict[str, Any], says: str) -> None:
    assert says in explained(opened(**given), NOON, Policy()).next


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"reason": Reason.IN_DOUBT}, "12:00:00 UTC and no usable answer came"),
        ({"reason": Reason.LOOK_FAILED}, "came; the pipeline's runs could not be looked"),
        ({"reason": Reason.THROTTLED}, "no usable answer came; Azure DevOps asked to slow down"),
        ({"reason": Reason.WORKING}, "UTC, and a process waits for the answer or died at it"),
        ({"state": State.HELD, "reason": Reason.DEADLINE}, "came; the services took so long"),
    ],
)
def test_of_what_was_asked_for_it_is_said_first_that_nobody_knows(
    given: dict[str, Any], says: str
) -> None:
    told = explained(opened(asked_at=NOON, request=request(), **given), NOON, Policy()).means
    ended = "held, and " if "state" in given else ""
    assert told.startswith(f"{ended}it is not known whether pipeline contoso/mlops/42 was started:")
    assert says in told
    assert STATES[State.OPEN] not in told


def test_what_is_settled_asks_nothing_of_a_person() -> None:
    c = opened(state=State.STARTED, reason=Reason.FOUND)
    assert explained(c, NOON, Policy()).do == ""
