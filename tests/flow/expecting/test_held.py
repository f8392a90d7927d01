"""One that is held for longer than its route expects: told once, and when it goes on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from functions.core.rounds.expecting import held
from functions.core.rounds.expecting.row import name_of
from functions.core.terms.words import State
from tests.flow.asking import EXPERIMENT
from tests.flow.expecting.test_overdue import expecting, heard, said
from tests.flow.operators.test_replay import operator
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from local.chat.front import Chat

HELD = "    when: run.metrics.accuracy >= 0.9\n    start:"


@pytest.fixture(autouse=True)
def _lines(caplog: pytest.LogCaptureFixture, stage: Stage) -> None:
    caplog.set_level(logging.INFO)
    stage.routes(expecting("held: 2h").replace("    start:", HELD, 1))


def hold(stage: Stage, run: str = "r1") -> None:
    stage.aml.add_run(run, experiment=EXPERIMENT, metrics={"accuracy": 0.5})
    stage.deliver(completed(run))
    assert stage.only(run).state is State.HELD
    stage.reconcile(seconds=121)


def test_one_that_is_held_for_too_long_is_told_once_and_again_when_it_goes_on(
    stage: Stage, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    hold(stage)
    stage.reconcile(minutes=110)
    assert (said(caplog), heard(chat)) == ([], [])
    for _ in range(4):
        stage.reconcile(minutes=6)
    assert heard(chat) == ["still_held"]
    (line,) = said(caplog)
    assert line.startswith("expect=still_held route=register run=r1 held_since=")
    (event,) = chat.events
    assert event["data"]["title"] == "Still held, route register"
    assert event["data"]["notices"][0]["continuation"] == "register/r1/Completed"
    operator(stage).replay(stage.only("r1").key, ignore_gate=True)
    for _ in range(3):
        stage.reconcile(minutes=6)
    assert stage.only("r1").state is State.STARTED
    assert heard(chat) == ["still_held", "goes_on"]
    assert len(said(caplog)) == 2
    assert held.known(stage.ledger.shared(name_of("register")).value) == []


def test_one_that_goes_on_in_time_is_not_told_of(stage: Stage, chat: Chat) -> None:
    hold(stage)
    operator(stage).replay(stage.only("r1").key, ignore_gate=True)
    for _ in range(3):
        stage.reconcile(hours=1)
    assert heard(chat) == []


def test_one_that_is_held_again_is_told_of_by_its_new_time(stage: Stage, chat: Chat) -> None:
    hold(stage)
    stage.reconcile(minutes=100)
    operator(stage).replay(stage.only("r1").key)
    stage.reconcile(minutes=6)
    stage.reconcile(minutes=6)
    assert stage.only("r1").state is State.HELD
    stage.reconcile(minutes=30)
    assert heard(chat) == []
    for _ in range(3):
        stage.reconcile(minutes=45)
    assert heard(chat) == ["still_held"]


def test_of_very_many_the_first_hundred_are_told_and_a_line_says_so(
    stage: Stage, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(held.MOST + 1):
        stage.aml.add_run(f"r{n}", experiment=EXPERIMENT, metrics={"accuracy": 0.5})
        stage.deliver(completed(f"r{n}"))
    stage.reconcile(seconds=121)
    stage.reconcile(minutes=5)
    assert f"expect=full route=register most={held.MOST}" in said(caplog)
    for _ in range(30):
        stage.reconcile(minutes=6)
    assert {*heard(chat)} == {"still_held"}
    assert sum(event["data"]["count"] for event in chat.events) == held.MOST
