"""Hosts are killed and frozen while something goes on by an end: it goes on, and once.

On a ledger in a file: what a store must do for it is tried on each in tests/ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.terms.words import State
from tests.crash.points import Going, Later, Telling
from tests.crash.theatre import FREEZE, KILL, SHORT, cut, dead, playing, reconcile, until, wake
from tests.flow.following.after import CHAIN, DEPLOY, set_up
from tests.flow.notices.people import HOSTS
from tests.soak.team import AFTER_ALL
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.chat.front import Chat
    from local.cloud import Cloud
    from tests.crash.points import Anywhere
    from tests.crash.theatre import Theatre
    from tests.stage.hosted import Hosted

POINTS = [Later.LOOKED, Later.ENDED, Later.SHOWN, *Going]


TELL = "      succeeded:\n        tell: [{webhook: hook-ops, signing: hook-key}]\n"
TELLING = CHAIN.replace("      succeeded:\n", TELL, 1)

pytestmark = pytest.mark.usefixtures("chat")  # before all that reads its address


@pytest.fixture
def theatre(cloud: Cloud, tmp_path: Path) -> Iterator[Theatre]:
    stage = set_up(Stage(cloud, tmp_path, NOTIFY_HOSTS=HOSTS, **SHORT), TELLING)
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    (build,) = stage.devops.runs
    stage.devops.finish(build.id, "succeeded")
    with playing(stage, tmp_path) as made:
        yield made


def until_it_went_on(theatre: Theatre, host: Hosted) -> None:
    """Let this host do rounds until what goes on has been started, and nothing is open."""
    ledger = theatre.stage.ledger

    def is_over() -> bool:
        host.fire("reconcile")
        by_route = theatre.stage.of_run("r1")
        after = by_route.get("register.succeeded")
        is_started = after is not None and after.state is State.STARTED
        left = {key.route for key in ledger.followed.keys() or ()}
        return is_started and "register" not in left and not ledger.backlog(AFTER_ALL).open

    until(is_over)


def assert_went_on_once(theatre: Theatre) -> None:
    assert theatre.stage.started() == [(42, "r1"), (DEPLOY, "r1")]
    after = theatre.stage.of_run("r1")["register.succeeded"]
    assert (after.pipeline_run, after.duplicates) == (theatre.stage.devops.runs[1].id, ())


@pytest.mark.parametrize("point", POINTS)
def test_a_host_that_is_killed_neither_loses_nor_repeats_what_goes_on(
    theatre: Theatre, point: Anywhere
) -> None:
    host, last = cut(theatre, point, KILL, reconcile)
    dead(host, last)
    until_it_went_on(theatre, theatre.host())
    assert_went_on_once(theatre)


@pytest.mark.proof
@pytest.mark.parametrize("point", POINTS)
def test_a_host_that_was_frozen_starts_nothing_again(theatre: Theatre, point: Anywhere) -> None:
    host, last = cut(theatre, point, FREEZE, reconcile)
    until_it_went_on(theatre, theatre.host())
    wake(host, last)
    assert_went_on_once(theatre)


@pytest.mark.parametrize("point", [Later.ENDED, Going.CLAIMED, Telling.NOTICED])
def test_a_host_that_is_killed_around_an_end_tells_of_it_once(
    theatre: Theatre, chat: Chat, point: Anywhere
) -> None:
    host, last = cut(theatre, point, KILL, reconcile)
    dead(host, last)
    second = theatre.host()
    until_it_went_on(theatre, second)

    def is_told() -> bool:
        second.fire("reconcile")
        return bool(chat.events)

    until(is_told)
    second.fire("reconcile")
    assert [event["data"]["about"] for event in chat.events] == ["ended"]
    assert_went_on_once(theatre)
