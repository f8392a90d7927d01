"""`bin/relay notify` and the doctor, as an operator meets them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.routes.channel import BY_ITSELF
from local.chat.front import Chat
from relay.deployment.signin import SignedIn
from relay.doctor.app import channels
from relay.doctor.case import Case
from relay.doctor.findings import Status
from relay.notify import command
from tests.flow.notices.people import HOSTS, fail, notified, said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.relay.conftest import Desk


@pytest.fixture
def chat(desk: Desk) -> Iterator[Chat]:
    """People who are told in three ways."""
    vault = desk.stage.cloud.vault
    with Chat() as running:
        vault.put("teams-ops", running.teams)
        vault.put("slack-ops", running.slack)
        vault.put("hook-ops", running.hook)
        vault.put("hook-key", running.signing)
        desk.stage.routes(notified())
        desk.stage.deploy(NOTIFY_HOSTS=HOSTS)
        yield running


def test_a_test_message_reaches_each_channel_and_says_what_it_is(desk: Desk, chat: Chat) -> None:
    done = desk.type("notify", "--test")
    assert (done.code, done.out.count(": taken, id ")) == (0, 3)
    assert "this is a test" in said(chat.messages[0])
    assert (len(chat.cards), chat.events[0]["type"]) == (1, "RunRelay.Notice.test")
    assert chat.token not in done.out


def test_a_channel_that_does_not_take_it_is_told_and_exits_with_4(desk: Desk, chat: Chat) -> None:
    chat.archived = True
    done = desk.type("notify", "--test", "--to", "slack/slack-ops")
    assert done.code == 4
    assert done.err.startswith(
        "slack/slack-ops: not taken: slack answered 410: channel_is_archived"
    )
    assert (len(chat.cards), chat.messages) == (0, [])


def test_the_list_says_what_waits_and_why(
    desk: Desk, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.archived = True
    fail(desk.stage, "r1")
    desk.stage.reconcile(seconds=121)
    listed = desk.type("notify").out
    told = ", ".join(sorted(BY_ITSELF))
    assert f"slack/slack-ops: of {told}\n" in listed
    assert "  waits    1 notice" in listed
    assert "  why      slack answered 410: channel_is_archived; again at 2" in listed
    found = {one["channel"]: one for one in json.loads(desk.type("notify", "--json").out)}
    assert (found["slack/slack-ops"]["waits"], found["slack/slack-ops"]["last"]) == (1, None)
    assert (found["teams/teams-ops"]["waits"], found["teams/teams-ops"]["why"]) == (0, "")
    assert {one["waits_is_at_least"] for one in found.values()} == {False}
    monkeypatch.setattr(command, "MOST_WAITING", 1)
    assert "  waits    at least 1 notice\n" in desk.type("notify").out
    found = {one["channel"]: one for one in json.loads(desk.type("notify", "--json").out)}
    least = [found[name]["waits_is_at_least"] for name in ("slack/slack-ops", "teams/teams-ops")]
    assert least == [True, False]


@pytest.mark.usefixtures("chat")
def test_names_that_are_not_there_and_files_that_tell_nobody(desk: Desk) -> None:
    assert desk.type("notify", "--to", "teams/other").code == 3
    desk.stage.routes(notified(""))
    assert desk.type("notify").code == 1


def test_the_doctor_looks_at_every_secret_and_host(desk: Desk, chat: Chat) -> None:
    def found() -> list[tuple[Status, str]]:
        case = Case(desk.stage.read, SignedIn())
        return [(one.status, one.said) for one in channels.told(case)]

    assert {status for status, _ in found()} == {Status.OK}
    vault = desk.stage.cloud.vault
    vault.put("slack-ops", "https://hooks.slack.com.example.org/services/T/B/x")
    vault.put("hook-key", "whsec_short")
    vault.delete("teams-ops")
    bad = [said for status, said in found() if status is Status.FAILURE]
    no_host = (
        "is at hooks.slack.com.example.org, which is no host of slack: NOTIFY_HOSTS may name it"
    )
    assert bad == [
        "teams-ops is not in the vault",
        f"the address in slack-ops {no_host}",
        "hook-key is no key",
    ]
    assert chat.token not in " ".join(bad)
