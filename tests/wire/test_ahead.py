"""Calls that are begun before they are asked for, and the threads that do them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from functions.adapters.ahead import Ahead, Beside
from functions.adapters.clock import SystemClock
from functions.core.terms.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

FEW = 2


def doing() -> str:
    return threading.current_thread().name


def until(reached: Callable[[], bool]) -> None:
    while not reached():
        threading.Event().wait(0.001)


def ours() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "ahead"]


def test_calls_are_done_beside_who_began_them() -> None:
    begin, met = Beside().begin, threading.Barrier(FEW)
    both = [begin(met.wait) for _ in range(FEW)]
    assert sorted(wait() for wait in both) == [0, 1]


def test_nothing_runs_before_the_first_call() -> None:
    before = set(ours())
    beside = Beside()
    assert set(ours()) <= before
    assert beside.begin(doing)() in {"ahead", doing()}


def test_who_asks_does_it_where_all_threads_are_busy() -> None:
    beside, free = Beside(most=FEW), threading.Event()
    busy = [beside.begin(free.wait) for _ in range(FEW)]
    assert beside.begin(doing)() == doing()
    free.set()
    assert [wait() for wait in busy] == [True] * FEW


def test_calls_that_wait_for_calls_do_not_lock_each_other_out() -> None:
    beside, met = Beside(most=FEW), threading.Barrier(FEW)

    def outer() -> int:
        met.wait()
        return beside.begin(lambda: 1)()

    assert [wait() for wait in [beside.begin(outer) for _ in range(FEW)]] == [1] * FEW


def test_what_a_call_raises_is_raised_where_it_is_asked_for() -> None:
    def fail() -> None:
        raise LookupError("gone")

    wait = Beside().begin(fail)
    with pytest.raises(LookupError, match="gone"):
        wait()


def test_idle_threads_end_and_others_begin() -> None:
    before = set(ours())
    beside = Beside(idle_seconds=0.001)
    for _ in range(FEW):
        met = threading.Barrier(2)
        wait = beside.begin(met.wait)
        met.wait()
        wait()
        until(lambda: set(ours()) <= before)


def test_calls_that_no_thread_was_left_for_leave_later_ones_theirs() -> None:
    before, free = set(ours()), threading.Event()
    beside = Beside(most=1, idle_seconds=0.001)
    busy = [beside.begin(free.wait) for _ in range(FEW + 1)]
    free.set()
    assert all(wait() for wait in busy)
    until(lambda: set(ours()) <= before)
    held = threading.Event()
    later = beside.begin(held.wait)
    assert not set(ours()) <= before
    held.set()
    assert later()


def test_each_answer_is_handed_out_once_and_only_for_its_own_deadline() -> None:
    made: list[str] = []
    one, other = Ahead(Beside().begin), Ahead(Beside().begin)
    mine, another = (Deadline(SystemClock(), 9) for _ in range(2))
    for _ in range(FEW):
        one.begin(mine, "a", lambda: made.append("a"))
    assert other.take(mine, "a") is None
    assert one.take(another, "a") is None
    taken = one.take(mine, "a")
    assert taken
    taken()
    assert one.take(mine, "a") is None
    assert made == ["a"]


def test_what_is_dropped_is_not_handed_out() -> None:
    one, other = Ahead(Beside().begin), Ahead(Beside().begin)
    mine = Deadline(SystemClock(), 9)
    one.begin(mine, "a", doing)
    other.begin(mine, "a", doing)
    one.drop(mine)
    assert one.take(mine, "a") is None
    assert other.take(mine, "a")


def test_without_threads_a_call_is_made_when_it_is_asked_for() -> None:
    made: list[str] = []
    ahead, mine = Ahead(), Deadline(SystemClock(), 9)
    ahead.begin(mine, "a", lambda: made.append("a"))
    assert made == []
    taken = ahead.take(mine, "a")
    assert taken
    taken()
    assert made == ["a"]
