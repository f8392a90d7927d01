"""Who stood still puts an older row into the schedule: a join that is whole goes on in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.core.operators.replaying import Replaying
from tests.flow.following.test_breaking import mortal
from tests.flow.joins.several import A, B, C, joining, key, sent, set_up, told, trained
from tests.saying.wrapped import Wrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stage.azure import Stage


@pytest.fixture(name="stage")
def with_a_join(stage: Stage) -> Stage:
    return set_up(stage)


def others_come_before_it_is_scheduled(stage: Stage, come: Callable[[], None]) -> list[str]:
    """Another process takes them in while this one stands still at its row in the schedule."""
    rows, between = mortal(stage), list[str]()

    def before(kind: str, place: object, *_: object) -> None:
        if kind == "put" and "Joined" in str(place) and "open" in str(place) and not between:
            between.append(kind)
            own = stage.app
            stage.build()
            come()
            stage.app = own

    rows.before = before
    return between


def goes_on(stage: Stage) -> list[dict[str, object]]:
    """What is sent within minutes."""
    stage.deploy()
    for seconds in (1, 130, 130):
        stage.reconcile(seconds=seconds)
    return sent(stage)


def test_who_begins_a_join_and_finds_no_room_in_it_does_not_put_it_off(stage: Stage) -> None:
    stage.routes(joining(all_of=2))

    def two_others() -> None:
        trained(stage, "r2", B)
        trained(stage, "r3", C)

    between = others_come_before_it_is_scheduled(stage, two_others)
    trained(stage, "r1", A)
    assert (between, goes_on(stage)) == (["put"], [told(runs=("r2", "r3"))])


def test_a_round_that_looked_at_it_before_the_last_came_does_not_put_it_off(stage: Stage) -> None:
    trained(stage, "r1", A)
    trained(stage, "r2", B)
    assert Replaying(stage.ledger, stage.clock, "ada").replay(key()).done
    between = others_come_before_it_is_scheduled(stage, lambda: trained(stage, "r3", C))
    stage.reconcile(seconds=1)
    assert (between, goes_on(stage)) == (["put"], [told(runs=("r1", "r2", "r3"))])


def test_a_round_that_finds_it_put_off_by_another_does_not_put_off_who_came_since(
    stage: Stage,
) -> None:
    trained(stage, "r1", A)
    trained(stage, "r2", B)
    assert Replaying(stage.ledger, stage.clock, "ada").replay(key()).done

    class Behind(Wrapped):
        """Another round takes up what was listed, between this one's listing and its look."""

        def due(self, *given: Any) -> Any:
            found = self.real.due(*given)
            own = stage.app
            stage.build()
            stage.app.reconciler.reconcile()
            stage.app = own
            return found

    between = others_come_before_it_is_scheduled(stage, lambda: trained(stage, "r3", C))
    stage.build(ledger=Behind(stage.app.reconciler._ledger))  # noqa: SLF001 - rows that count
    stage.reconcile(seconds=1)
    assert (between, goes_on(stage)) == (["put"], [told(runs=("r1", "r2", "r3"))])
