"""What becomes of starts when an App's installation is suspended, or its key is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.operators.explaining import explained
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Ending, State
from local.cloud import GITHUB_SECRET
from tests.flow.github.test_answers import says
from tests.flow.github.test_credentials import as_app, key_pair, made

if TYPE_CHECKING:
    from local.github.access.apps import App, Installation
    from tests.flow.github.hub import Hub

SUSPENDED = "This installation has been suspended"


def installed(hub: Hub, app: App) -> Installation:
    (one,) = hub.hub.accounts.installations(app)
    return one


def test_a_suspended_installation_is_told_and_what_waits_goes_on_when_it_is_none(hub: Hub) -> None:
    app = as_app(hub)
    hub.happen("r1")
    one = installed(hub, app)
    hub.hub.suspend(one)
    hub.happen("r2")
    row = hub.only("r2")
    assert (row.state, row.reason) == (State.OPEN, Reason.SECRET_UNREADABLE)
    assert f"no token of the GitHub App for contoso: GitHub answered 403: {SUSPENDED}" in row.detail
    means = explained(row, hub.clock.now(), hub.read.policy).means
    assert means.endswith("could not be read from Key Vault, or obtains no token")
    for _ in range(5):
        hub.reconcile(hours=20)
    assert hub.only("r2").state is State.OPEN
    one.suspended_at = None
    hub.reconcile(hours=1)
    assert (hub.only("r2").state, len(hub.runs)) == (State.STARTED, 2)


def test_a_token_of_before_that_is_refused_for_it_starts_nothing_and_fails_nothing(
    hub: Hub,
) -> None:
    app = as_app(hub)
    hub.happen("r1")
    one = installed(hub, app)
    hub.hub.server.faults.add(says(403, SUSPENDED))
    hub.happen("r2")
    assert hub.only("r2").reason is Reason.REFUSED
    hub.hub.suspend(one)
    for _ in range(3):
        hub.reconcile(hours=20)
    one.suspended_at = None
    hub.reconcile(hours=1)
    assert (hub.only("r2").state, len(hub.runs)) == (State.STARTED, 2)


def test_the_end_of_what_was_started_is_seen_after_the_suspension(hub: Hub) -> None:
    app = as_app(hub)
    hub.happen("r1")
    hub.reconcile(minutes=3)
    one = installed(hub, app)
    hub.hub.suspend(one)
    hub.hub.finish(hub.runs[0].id, "failure")
    for _ in range(5):
        hub.reconcile(hours=20)
    assert hub.only("r1").ended is None
    one.suspended_at = None
    for _ in range(3):
        hub.reconcile(minutes=40)
    ended = hub.only("r1").ended
    assert ended is not None
    assert ended.how is Ending.FAILED


def test_a_new_key_is_taken_at_once_when_the_one_before_is_taken_no_more(hub: Hub) -> None:
    app = as_app(hub)
    hub.happen("r1")
    hub.clock.forward(minutes=54)
    hub.happen("r2")  # the key is read again, and believed for five minutes
    private, public = key_pair()
    hub.hub.accounts.rekey(app, public)
    hub.cloud.vault.put(GITHUB_SECRET, private)
    hub.clock.forward(minutes=2)  # by now another token is needed
    hub.happen("r3")
    assert (hub.only("r3").state, len(hub.runs)) == (State.STARTED, 3)
    assert made(hub) == 2


def test_a_key_that_is_taken_no_more_is_told_as_long_as_there_is_no_other(hub: Hub) -> None:
    app = as_app(hub)
    hub.hub.accounts.rekey(app, key_pair()[1])
    hub.happen()
    row = hub.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.SECRET_UNREADABLE)
    assert "is it the key of the App that GITHUB_APP_ID names?" in row.detail


def test_a_token_in_the_place_of_the_key_is_taken_as_it_is(hub: Hub) -> None:
    app = as_app(hub)
    hub.happen("r1")
    hub.clock.forward(minutes=54)
    hub.happen("r2")
    hub.hub.accounts.rekey(app, key_pair()[1])
    hub.cloud.vault.put(GITHUB_SECRET, hub.cloud.github_token)
    hub.clock.forward(minutes=2)
    hub.happen("r3")
    assert (hub.only("r3").state, len(hub.runs)) == (State.STARTED, 3)


def test_a_key_whose_app_is_in_more_places_than_are_looked_through_is_told_so(hub: Hub) -> None:
    private, public = key_pair()
    app = hub.hub.add_app(public)
    for n in range(1000):
        hub.hub.install(app, f"owner{n}")
    hub.hub.install(app, "contoso")
    hub.cloud.vault.put(GITHUB_SECRET, private)
    hub.deploy(GITHUB_APP_ID=app.client_id)
    hub.happen()
    assert "not among the first 1000" in hub.only("r1").detail
