"""What an operator is shown of what the app did, while it does it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from functions import web
from functions.core.operators import overview
from functions.core.operators.lists.wanted import Wanted
from functions.core.terms.words import State
from functions.web.parts import filters
from tests.ledger.samples import opened, started
from tests.page.reader import Reader
from tests.stage.azure import completed

if TYPE_CHECKING:
    from functions.core.operators.overview import Seen
    from functions.core.ports.ledger import Ledger
    from tests.stage.azure import Stage

EXPERIMENT = "defect-detection"
T = TypeVar("T")


def look(stage: Stage, **query: str) -> Seen:
    return stage.app.overview.look(Wanted.of(query))


def run(stage: Stage, *names: str) -> None:
    for name in names:
        stage.aml.add_run(name, experiment=EXPERIMENT)
        stage.deliver(completed(name))


def test_a_start_is_shown_as_one_at_once(stage: Stage) -> None:
    run(stage, "r1")
    (one,) = look(stage, state="started").listed
    assert (one.state, one.pipeline_run) == (State.STARTED, stage.only("r1").pipeline_run)
    stage.reconcile(minutes=3)
    assert [one.state for one in look(stage).listed] == [State.STARTED]


def test_what_is_parked_is_shown_with_its_reason_and_when_it_is_due(stage: Stage) -> None:
    stage.deploy(PAUSED="1")
    run(stage, "r1")
    seen = look(stage)
    (one,) = seen.listed
    assert seen.paused
    assert (one.state, one.reason, one.due_at) == ("open", "paused", stage.only("r1").due_at)


def test_what_has_started_since_it_was_parked_is_shown_as_started(stage: Stage) -> None:
    stage.devops.throttle(1, 0)
    run(stage, "r1")
    assert [one.state for one in look(stage).listed] == [State.OPEN]
    stage.reconcile(minutes=31)
    (one,) = look(stage).listed
    assert (one.state, one.attempts) == (State.STARTED, 1)


def test_until_when_the_secrets_are_valid_is_shown_after_a_sweep(stage: Stage) -> None:
    assert look(stage).ends == {}
    stage.app.sweep.sweep()
    assert set(look(stage).ends) == {"azure-devops-pat"}


def test_the_page_says_that_of_what_has_ended_it_knows_what_was_claimed_last(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MOST_ENDED", 2)
    monkeypatch.setattr(filters, "MOST_ENDED", 2)
    now = stage.clock.now()
    for run, age in (("r3", 1), ("r2", 2), ("r1", 3)):  # the oldest ends last
        new = opened(run, at=now - timedelta(days=age))
        stage.ledger.write(stage.ledger.claim(new).entry, started(new))
        stage.ledger.retire(new.key)
    text = Reader(web.answer(lambda: stage.app.overview, {}, "text/html").body).text
    assert [one.key.run for one in look(stage).listed] == ["r3", "r2"]
    assert "knows all that is open, and of what has ended the 2 that were claimed last" in text


class Meeting:
    """A ledger of which so many first calls of these names go on when all of them are made."""

    def __init__(self, ledger: Ledger, names: set[str], count: int) -> None:
        self._ledger, self._names = ledger, names
        self._left, self._all = iter(range(count)), threading.Barrier(count)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._ledger, name)
        if name not in self._names:
            return found

        def met(*given: object) -> object:
            return self._met(found)(*given)

        return met if callable(found) else self._met(found)

    def _met(self, found: T) -> T:
        if next(self._left, None) is not None:
            self._all.wait(30)
        return found


@pytest.mark.parametrize(
    ("names", "count"),
    [({"listed", "waits", "shared"}, 4), ({"read"}, 3)],
    ids=["lists and small rows", "what is at work"],
)
def test_what_does_not_need_each_other_is_asked_for_at_once(
    stage: Stage, names: set[str], count: int
) -> None:
    for run in ("a", "b", "c"):
        stage.ledger.claim(opened(run, at=stage.clock.now()))
    told = look(stage)
    stage.build(ledger=Meeting(stage.ledger, names, count))
    assert look(stage)._replace(at=told.at) == told
