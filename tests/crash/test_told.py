"""Hosts are killed and frozen while they tell people: nobody is forgotten, or told a third time.

On a ledger in a file: what a store must do for it is tried on each in tests/ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.rounds.notices.noticing import of_key
from functions.core.terms.words import State
from tests.crash.points import Telling
from tests.crash.theatre import FREEZE, KILL, SHORT, cut, dead, playing, reconcile, until, wake
from tests.flow.notices.people import HOSTS, WEBHOOK, fail, notified
from tests.stage.azure import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.chat.front import Chat
    from local.cloud import Cloud
    from tests.crash.theatre import Theatre
    from tests.stage.hosted import Hosted

pytestmark = pytest.mark.usefixtures("chat")  # before all that reads its address


@pytest.fixture
def theatre(cloud: Cloud, tmp_path: Path) -> Iterator[Theatre]:
    stage = Stage(cloud, tmp_path, NOTIFY_HOSTS=HOSTS, **SHORT)
    stage.routes(notified(WEBHOOK))
    fail(stage, "r1")
    assert stage.only("r1").state is State.FAILED
    with playing(stage, tmp_path) as made:
        yield made


def until_all_is_told(theatre: Theatre, host: Hosted) -> None:
    """Let this host do rounds until it is known what became of the notice, and none waits."""
    subject = of_key(theatre.stage.only("r1").key)

    def is_over() -> bool:
        host.fire("reconcile")
        known, waits = theatre.stage.ledger.notices.of(subject)
        return bool(known) and not waits

    until(is_over)


def sent(chat: Chat) -> list[str]:
    """The ids of what came."""
    return [r.headers["Webhook-Id"] for r in chat.server.received("POST", chat.token)]


def assert_told(chat: Chat, point: Telling) -> None:
    """Once; and once more, by the same id, if nobody could know that it had left."""
    ids = sent(chat)
    assert len(ids) == (2 if point is Telling.SENT else 1)
    assert len({*ids}) == 1
    assert [event["data"]["count"] for event in chat.events] == [1]


@pytest.mark.parametrize("point", list(Telling))
def test_a_host_that_is_killed_while_it_tells_forgets_nobody(
    theatre: Theatre, chat: Chat, point: Telling
) -> None:
    host, last = cut(theatre, point, KILL, reconcile)
    dead(host, last)
    until_all_is_told(theatre, theatre.host())
    assert_told(chat, point)


@pytest.mark.parametrize("point", [Telling.LEAVES, Telling.SENT])
def test_a_host_that_was_frozen_while_it_told_tells_nobody_again(
    theatre: Theatre, chat: Chat, point: Telling
) -> None:
    host, last = cut(theatre, point, FREEZE, reconcile)
    until_all_is_told(theatre, theatre.host())
    wake(host, last)
    assert_told(chat, point)
