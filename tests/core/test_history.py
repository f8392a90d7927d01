"""Which steps a history keeps that has no room for all."""

from __future__ import annotations

from itertools import pairwise

from functions.core.kept.history import LONGEST_HISTORY
from functions.core.starts import steps
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.ledger.samples import LEASE, NOON, opened, request


def test_decisions_stay_and_tries_that_are_like_others_go() -> None:
    """Held by its gate twice, which saw something else each time, and refused again and again."""
    c = opened()
    for saw in ("accuracy = 0.7", "accuracy = 0.8"):
        for n in range(30):
            c = steps.parked(c, NOON, Reason.RUN_UNREADABLE, f"try {n}", NOON)
            c = steps.resumed(c, NOON, LEASE)
        c = steps.ended(c, NOON, State.HELD, Reason.GATE, saw)
    told = [step.detail for step in c.history]
    assert len(told) == LONGEST_HISTORY
    for saw in ("accuracy = 0.7", "accuracy = 0.8"):
        assert any(detail.startswith(f"gate {saw}") for detail in told)


def test_a_request_that_was_taken_back_is_not_kept_as_one_that_was_sent() -> None:
    c = steps.parked(steps.resumed(opened(), NOON, LEASE), NOON, Reason.LIMIT, "", NOON)
    for n in range(LONGEST_HISTORY):
        c = steps.resumed(c, NOON, LEASE)
        asked = steps.asked(c, NOON, request(), LEASE, f"accuracy = {n}")
        c = steps.parked(steps.unasked(asked, c, NOON), NOON, Reason.THROTTLED, "", NOON)
        told = [step.what for step in c.history]
        after = {then for what, then in pairwise(told) if what == "asked"}
        assert after == {"taken back"}
    assert len(told) == LONGEST_HISTORY
