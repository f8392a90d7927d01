"""What people are to be told, and were, kept by each store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from functions.core.kept.notice import Notice, Told
from functions.core.terms.words import Happening
from tests.ledger.samples import HOSTILE, NOON, key

if TYPE_CHECKING:
    from functions.core.ports.ledger import Ledger
    from tests.ledger.stores import Store

WILD = "".join(HOSTILE)
MINUTE = timedelta(minutes=1)
UNTIL = (NOON + timedelta(days=400)).isoformat()


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return store.ledger()


def notice(of: str = "ab12", minutes: float = 0, **given: Any) -> Notice:
    at = NOON + minutes * MINUTE
    one = Notice(channel="slack/ops", about=Happening.HELD, of=of, at=at, since=at, key=key("r"))
    return replace(one, **given)


def told(why: str = "") -> Told:
    return Told(channel="slack/ops", about=Happening.HELD, at=NOON, why=why)


def test_what_waits_comes_back_as_it_was_the_oldest_of_a_channel_first(ledger: Ledger) -> None:
    book = ledger.notices
    late, early = notice("cd34", 2, saw=WILD, key=key(WILD[:300])), notice(minutes=1)
    other = notice(channel="slack/ops-2", pipeline_run=7, secret="s", ends=NOON, ended="failed")
    nobody = notice(channel="")
    for one in (late, early, other, nobody, early):
        book.keep(one)
    assert book.waiting(9, "slack/ops") == [early, late]
    assert book.waiting(1, "slack/ops") == [early]
    assert book.waiting(9, "slack/ops-2") == [other]
    assert book.waiting(9, "") == [nobody]
    assert len(book.waiting(9)) == 4


def test_what_is_settled_waits_no_more_and_is_known_until_it_is_forgotten(ledger: Ledger) -> None:
    book, one = ledger.notices, notice()
    book.keep(one)
    assert not book.is_told(one)
    book.settle(one, told(), UNTIL)
    assert book.is_told(one)
    assert (book.waiting(9), book.of(one.of)) == ([], ([told()], []))
    book.keep(one)  # somebody who stood still
    assert (book.is_told(one), book.of(one.of)) == (True, ([told()], [one]))
    book.drop(one)
    book.drop(one)
    assert book.of(one.of) == ([told()], [])
    assert ledger.forget(NOON + timedelta(days=399), 9) == 0
    assert ledger.forget(NOON + timedelta(days=401), 9) == 1
    assert not book.is_told(one)


def test_of_one_subject_nothing_is_told_of_another(ledger: Ledger) -> None:
    book = ledger.notices
    for of in ("ab12", "ab1", "ab123", "ff00"):
        book.settle(notice(of), told(of), UNTIL)
        book.keep(notice(of, 1))
    for of in ("ab12", "ab1", "ab123", "ff00"):
        assert book.of(of) == ([told(of)], [notice(of, 1)])
