"""Hosts are killed and frozen while a run that should have come does not: people hear it once.

On a ledger in a file: what a store must do for it is tried on each in tests/ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.points import Expecting, Telling
from tests.crash.test_told import sent
from tests.crash.theatre import FREEZE, KILL, SHORT, cut, dead, playing, reconcile, until, wake
from tests.flow.notices.people import HOSTS, WEBHOOK, notified
from tests.stage.azure import ROUTES, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.chat.front import Chat
    from local.cloud import Cloud
    from tests.crash.theatre import Theatre

pytestmark = pytest.mark.usefixtures("chat")  # before all that reads its address
EXPECTS = ROUTES.replace("    start:", "    expect: {within: 26h}\n    start:", 1)
POINTS = [*Expecting, *Telling]
HOW = pytest.mark.parametrize("how", [KILL, pytest.param(FREEZE, marks=pytest.mark.proof)])


@pytest.fixture
def theatre(cloud: Cloud, tmp_path: Path) -> Iterator[Theatre]:
    stage = Stage(cloud, tmp_path, NOTIFY_HOSTS=HOSTS, **SHORT)
    stage.routes(notified(WEBHOOK, EXPECTS))
    with playing(stage, tmp_path) as made:
        yield made


@HOW
@pytest.mark.parametrize("point", POINTS)
def test_people_are_told_once_that_none_came(
    theatre: Theatre, chat: Chat, point: Expecting | Telling, how: str
) -> None:
    if point is not Expecting.AWAITED:
        theatre.stage.reconcile()  # from now on it is awaited
        theatre.forward(hours=27)
    host, last = cut(theatre, point, how, reconcile)
    if how == KILL:
        dead(host, last)
    other = theatre.host()
    if point is Expecting.AWAITED:
        reconcile(other)
        theatre.forward(hours=27)

    def is_told() -> bool:
        reconcile(other)
        return bool(sent(chat))

    until(is_told)
    if how == FREEZE:
        wake(host, last)
    theatre.forward(minutes=6)
    for _ in range(3):
        reconcile(other)
    ids = sent(chat)
    assert len({*ids}) == 1
    assert len(ids) <= (2 if point is Telling.SENT else 1)
    assert [event["data"]["about"] for event in chat.events] == ["overdue"]
