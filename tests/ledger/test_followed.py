"""The list of what is followed, kept by each store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from functions.core.kept.summary import EVER
from functions.core.terms.pipelines import PipelineEnd
from functions.core.terms.words import Ending
from tests.ledger.samples import HOSTILE, NOON, followed, opened, started

if TYPE_CHECKING:
    from functions.core.ports.ledger import Ledger
    from tests.ledger.stores import Store

MINUTE = timedelta(minutes=1)
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return store.ledger()


def test_what_is_due_comes_back_as_it_was_the_longest_due_first(ledger: Ledger) -> None:
    book = ledger.followed
    late, early = followed("b", 2, absent_since=NOON), followed("a", 1, runs=(7, 8))
    for one in (late, early, followed("c", 3)):
        book.follow(one)
    assert book.due(NOON + 2 * MINUTE, 9) == [early, late]
    assert book.due(NOON, 9) == []


def test_what_is_moved_is_due_then_and_once(ledger: Ledger) -> None:
    book, one = ledger.followed, followed()
    book.follow(one)
    book.move(one, later := replace(one, due_at=NOON + MINUTE, refused_since=NOON))
    assert book.due(NOON, 9) == []
    assert book.due(LATER, 9) == [later]
    book.move(later, later)
    assert book.due(LATER, 9) == [later]


def test_of_all_who_move_what_they_found_one_does_wherever_they_want_it(ledger: Ledger) -> None:
    """Each has a pause of its own, and all look at once: a row each would be one more each time."""
    book, one = ledger.followed, followed()
    book.follow(one)
    to = [replace(one, due_at=NOON + n * MINUTE) for n in range(1, 9)]
    with ThreadPoolExecutor(len(to)) as pool:
        list(pool.map(lambda later: book.move(one, later), to))
    (left,) = book.due(LATER, 9)
    assert left in to


def test_what_was_dropped_meanwhile_is_not_put_elsewhere(ledger: Ledger) -> None:
    ledger.followed.follow(followed())
    ledger.followed.drop(followed())
    ledger.followed.move(followed(), followed(minutes=1))
    assert ledger.followed.due(LATER, 9) == []


def test_what_is_moved_to_where_it_is_known_already_is_there_once(ledger: Ledger) -> None:
    for minutes in (0, 1):
        ledger.followed.follow(followed(minutes=minutes))
    ledger.followed.move(followed(), later := followed(minutes=1, absent_since=NOON))
    assert ledger.followed.due(LATER, 9) == [later]


def test_what_is_dropped_is_gone_and_dropping_it_again_is_no_error(ledger: Ledger) -> None:
    ledger.followed.follow(followed())
    for _ in range(2):
        ledger.followed.drop(followed())
    assert (ledger.followed.due(LATER, 9), ledger.followed.keys()) == ([], frozenset())


def test_the_same_start_at_the_same_time_is_one_row(ledger: Ledger) -> None:
    for part in (0, 0.001):
        ledger.followed.follow(followed(minutes=part))
    assert len(ledger.followed.due(LATER, 9)) == 1


def test_whoever_is_far_behind_does_not_hide_who_became_due_just_now(ledger: Ledger) -> None:
    for n in range(4):
        ledger.followed.follow(followed(f"old-{n}", n))
    ledger.followed.follow(new := followed("new", 59))
    assert ledger.followed.due(LATER, 2)[-1] == new


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_is_too_strange(ledger: Ledger, text: str) -> None:
    ledger.followed.follow(one := followed(text))
    assert ledger.followed.due(LATER, 9) == [one]
    assert ledger.followed.keys() == frozenset({one.key})
    ledger.followed.move(one, later := followed(text, 1))
    assert ledger.followed.due(LATER, 9) == [later]


def test_it_is_not_scheduled_open_or_listed(ledger: Ledger) -> None:
    ledger.followed.follow(followed())
    assert ledger.backlog(LATER).open == 0
    assert [*ledger.due(LATER, 9), *ledger.listed(EVER, 9)] == []


def test_an_end_is_listed_once_it_is_shown(ledger: Ledger) -> None:
    c = started(opened())
    ledger.write(ledger.claim(opened()).entry, c)
    ledger.retire(c.key)
    (before,) = ledger.followed.lately(EVER)
    assert before.ended is None
    end = PipelineEnd(how=Ending.CANCELED, at=LATER, detail="canceled while it was queued")
    over = replace(c, ended=end, updated_at=c.updated_at + MINUTE)
    ledger.followed.show(over)
    (after,) = ledger.followed.lately(EVER)
    assert (after.ended, after.ended_at, after.ended_detail) == ("canceled", LATER, end.detail)
    assert list(ledger.listed(EVER, 9)) == [after]
