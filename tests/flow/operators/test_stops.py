"""What stops everything is told, with what to do: on the page, and on the error output."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from functions import web
from functions.configuration import overseen
from functions.core.kept.summary import Listed
from functions.core.ledger import rowledger
from functions.core.operators.lists.wanted import Wanted
from functions.core.operators.replaying import Replaying
from functions.core.operators.stops.looking import Stops
from functions.core.operators.stops.stop import Kind
from functions.core.terms.errors import LedgerUnavailable
from tests.ledger.counted import counted
from tests.ledger.samples import wait
from tests.page.reader import Reader
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from functions.core.operators.stops.stop import Stop
    from tests.stage.azure import Stage

BROKEN = ROUTES.replace("organization:", "organisation:")


def stops(stage: Stage) -> dict[str, Stop]:
    """What a process that has just begun tells, by kind; each has all its words."""
    stage.build()
    found: dict[str, Stop] = {stop.kind: stop for stop in stage.app.overview.look(Wanted()).stops}
    assert [stop for stop in found.values() if "{" in f"{stop.says} {stop.do}"] == []
    return found


def ended(stage: Stage, *runs: str) -> None:
    for run in runs:
        stage.aml.add_run(run, experiment="defect-detection")
        stage.deliver(completed(run))


class Failing(Wrapped):
    """A ledger of which one method may be another one."""

    due: Any


def page(stage: Stage, **query: str) -> str:
    return web.answer(lambda: stage.app.overview, query, "text/html").body


def test_nothing_is_told_of_an_app_in_which_all_goes_on(stage: Stage) -> None:
    assert stops(stage) == {}
    ended(stage, "r1")
    stage.reconcile()
    stage.app.sweep.sweep()
    stage.reconcile(minutes=9)
    assert stops(stage) == {}
    assert "To do:" not in page(stage)


# the route file


def test_a_route_file_that_cannot_be_read_is_told_with_the_line_and_what_waits(
    stage: Stage,
) -> None:
    stage.routes(BROKEN)
    ended(stage, "r1", "r2")
    stop = stops(stage)[Kind.ROUTES]
    assert "routes.yaml:3: " in stop.says
    assert "organisation" in stop.says
    assert "2 events wait in the inbox since " in stop.says
    assert (stop.waits, stop.is_grave) == (2, True)
    assert "bin/relay check" in stop.do
    text = Reader(page(stage)).text
    assert text.index(stop.what) < text.index("Operations", text.index("Skip"))
    stage.routes(ROUTES)
    stage.reconcile()
    assert stops(stage) == {}


@pytest.mark.parametrize("others", [False, True])
def test_the_page_does_not_say_that_nothing_waits_while_events_do(
    stage: Stage, *, others: bool
) -> None:
    if others:
        ended(stage, "r0")
    stage.routes(BROKEN)
    ended(stage, "r1", "r2")
    stage.build()
    text = Reader(page(stage)).text
    assert "nothing waits" not in text
    assert (
        "2 events in the inbox" if others else "2 events wait in the inbox until what is"
    ) in text
    assert ("Nothing is open yet; 2 events wait in the inbox, see above." in text) is others
    assert (
        json.loads(web.answer(lambda: stage.app.overview, {}, "application/json").body)["inbox"]
        == 2
    )


def test_of_the_inbox_no_more_is_told_than_was_counted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> tuple[str, dict[str, Any]]:
        stage.build()
        answer = web.answer(lambda: stage.app.overview, {}, "application/json")
        return Reader(page(stage)).text, json.loads(answer.body)

    ended(stage, "r0")
    stage.routes(BROKEN)
    ended(stage, "r1", "r2")
    text, listing = told()
    assert "2 events in the inbox" in text
    assert (listing["inbox_is_at_least"], listing["stops"][0]["waits_is_at_least"]) == (False,) * 2
    monkeypatch.setattr(rowledger, "MOST_SORTED", 2)
    text, listing = told()
    assert "2+ events in the inbox" in text
    assert "2+ events wait in the inbox, see above" in text
    assert (listing["inbox_is_at_least"], listing["stops"][0]["waits_is_at_least"]) == (True,) * 2


def test_where_the_app_is_no_deployed_one_nobody_is_told_to_deploy(stage: Stage) -> None:
    stage.routes(BROKEN)
    assert "it is read again by itself" in stops(stage)[Kind.ROUTES].do
    known = overseen.known(replace(stage.read, ledger_url=""))
    there = Stops(stage.ledger, stage.clock, known, stage.ports.routes).look(Listed([], whole=True))
    assert there[0].do.endswith("then: sh infra/hooks/deploy.sh code")


def test_what_another_instance_cannot_read_is_told_by_one_that_can(stage: Stage) -> None:
    stage.routes(BROKEN)
    stage.reconcile()
    stage.routes(ROUTES)
    said = stops(stage)[Kind.ROUTES].says
    assert said.startswith("The route file of another instance cannot be read")
    assert "routes.yaml:3: " in said
    stage.reconcile()
    assert stops(stage) == {}


def test_events_that_nobody_takes_out_of_the_inbox_are_told(stage: Stage) -> None:
    stage.routes(BROKEN)
    ended(stage, "r1")
    stage.routes(ROUTES)
    assert stops(stage) == {}
    stage.clock.forward(minutes=11)
    assert "1 event waits in the inbox since " in stops(stage)[Kind.INBOX].says


# credentials


def test_a_refused_credential_is_told_with_secret_organization_and_how_many_wait(
    stage: Stage,
) -> None:
    stage.devops.refuse(stage.cloud.pat)
    ended(stage, "r1", "r2")
    first = stops(stage)[Kind.REFUSED]
    told = "Azure DevOps refuses the secret azure-devops-pat for contoso since "
    assert first.says.startswith(told)
    assert first.says.endswith(" UTC. 2 continuations wait for that.")
    assert first.do.endswith("store it as a new version of the secret azure-devops-pat")
    assert first.is_grave
    for _ in range(3):  # refused again and again, since the same time
        stage.reconcile(minutes=16)
        assert stops(stage)[Kind.REFUSED].since == first.since


def test_a_replay_does_not_move_since_when_it_is_refused(stage: Stage) -> None:
    stage.devops.refuse(stage.cloud.pat)
    ended(stage, "r1")
    first = stops(stage)[Kind.REFUSED].since
    for _ in range(2):
        stage.clock.forward(minutes=5)
        key = stage.only("r1").key
        assert Replaying(stage.ledger, stage.clock, "ada").replay(key).done
        assert stops(stage)[Kind.REFUSED].since == first  # it waits, and was not let in yet
        stage.reconcile(seconds=15)
        assert len(stage.only("r1").history) > 4
        assert stops(stage)[Kind.REFUSED].since == first
    assert any(step.what == "hastened" for step in stage.only("r1").history)


def test_one_that_is_refused_anew_later_is_so_since_then(stage: Stage) -> None:
    stage.devops.refuse(stage.cloud.pat)
    ended(stage, "r1")
    first = stops(stage)[Kind.REFUSED].since
    stage.devops.accept(stage.cloud.pat)
    stage.reconcile(minutes=16)
    assert Kind.REFUSED not in stops(stage)
    stage.clock.forward(days=1)
    stage.devops.refuse(stage.cloud.pat)
    ended(stage, "r2")
    second = stops(stage)[Kind.REFUSED].since
    assert first
    assert second
    assert (second - first).days == 1


def test_an_organization_that_asks_to_slow_down_is_told_until_it_is_over(stage: Stage) -> None:
    stage.reconcile()
    stage.devops.throttle(1, 120)
    ended(stage, "r1", "r2")
    stop = stops(stage)[Kind.THROTTLED]
    assert "nothing is sent to contoso until " in stop.says
    assert not stop.is_grave
    stage.reconcile(minutes=4)
    assert stops(stage) == {}


@pytest.mark.parametrize(("days", "kind"), [(10, Kind.EXPIRING), (-1, Kind.EXPIRED)])
def test_a_secret_that_ends_is_told_until_it_has_a_later_end(
    stage: Stage, days: int, kind: Kind
) -> None:
    renewed(stage, days)
    stage.app.sweep.sweep()
    stop = stops(stage)[kind]
    assert "The secret azure-devops-pat expire" in stop.says
    assert "new version of the secret" in stop.do
    assert ("relay replay KEY" in stop.do) is (kind is Kind.EXPIRED)  # else nothing waits yet
    renewed(stage, 300)
    stage.deploy()
    stage.app.sweep.sweep()
    assert stops(stage) == {}


def test_of_two_secrets_that_expired_each_is_told_with_what_waits_for_it(stage: Stage) -> None:
    stage.routes(ROUTES.replace("{pipeline: 43,", "{pipeline: 43, secret: another-pat,"))
    for name in ("azure-devops-pat", "another-pat"):
        renewed(stage, -1, name)
    stage.app.sweep.sweep()
    ended(stage, "r1", "r2")
    another, usual = [
        one for one in stage.app.overview.look(Wanted()).stops if one.waits is not None
    ]
    assert (another.what[:22], another.waits) == ("The secret another-pat", 0)
    assert (usual.what[:27], usual.waits) == ("The secret azure-devops-pat", 2)


def renewed(stage: Stage, days: int, name: str = "azure-devops-pat") -> None:
    """Store a version of the secret that ends in so many days."""
    ends = stage.clock.now().timestamp() + days * 86_400
    stage.cloud.vault.put(name, stage.cloud.pat, expires=int(ends))


def test_a_secret_that_cannot_be_read_is_told_with_what_the_vault_says(stage: Stage) -> None:
    stage.deploy(DEVOPS_PAT_SECRET="gone")
    ended(stage, "r1")
    stop = stops(stage)[Kind.UNREADABLE]
    assert "gone" in stop.says
    assert stop.says.endswith("1 continuation waits for that.")


# the app


def test_a_paused_app_says_since_when_and_how_many_wait(stage: Stage) -> None:
    stage.deploy(PAUSED="1")
    stage.reconcile()
    since = stage.clock.now()
    stage.clock.forward(minutes=2)
    ended(stage, "r1")
    stage.reconcile()
    stop = stops(stage)[Kind.PAUSED]
    assert f"Paused since {since:%Y-%m-%d %H:%M} UTC" in stop.says
    assert (stop.waits, stop.do) == (1, "set PAUSED=0 to let it start")


def test_a_reconciler_that_was_not_seen_is_told(stage: Stage) -> None:
    stage.reconcile()
    stage.clock.forward(minutes=11)
    stop = stops(stage)[Kind.RECONCILER]
    assert stop.says.startswith("The timer's last round ended at ")
    assert "bin/relay reconcile" in stop.do
    stage.reconcile()
    assert stops(stage) == {}


@pytest.mark.parametrize("swept", [True, False])
def test_a_sweep_that_was_not_seen_for_two_periods_is_told(stage: Stage, *, swept: bool) -> None:
    stage.reconcile()
    if swept:
        stage.app.sweep.sweep()
    stage.reconcile(minutes=59)
    assert stops(stage) == {}
    stage.reconcile(minutes=75)
    said = stops(stage)[Kind.SWEEP].says
    assert said.startswith("The last sweep ended at " if swept else "No sweep has ended since ")
    stage.app.sweep.sweep()
    assert stops(stage) == {}


def test_a_mistyped_setting_is_told_with_the_default_that_holds(stage: Stage) -> None:
    stage.deploy(RETRY_FIRST_SECONDS="soon")
    stop = stops(stage)[Kind.SETTING]
    assert "RETRY_FIRST_SECONDS='soon'" in stop.says
    assert "30 is used" in stop.says


def test_a_ledger_that_failed_a_round_is_told_for_an_hour(stage: Stage) -> None:
    def refuses(*_: Any) -> None:
        raise LedgerUnavailable("the table service answered 503")

    good = stage.ports.ledger
    failing = Failing(good)
    failing.due = refuses
    stage.build(ledger=failing)
    with pytest.raises(LedgerUnavailable):
        stage.app.reconciler.reconcile()
    failing.due = good.due
    stage.app.reconciler.reconcile()
    assert "the table service answered 503" in stops(stage)[Kind.LEDGER].says
    stage.reconcile(minutes=61)
    stage.app.sweep.sweep()
    assert Kind.LEDGER not in stops(stage)


# rows that this version cannot read


def damaged_waits(stage: Stage, count: int) -> None:
    """So many tasks that wait, whose rows nobody can read; each is told by a name of its own."""
    for n in range(count):
        stage.ledger.waits.enroll(wait(f"job-{n}"))
    with closing(sqlite3.connect(stage.read.ledger_url.removeprefix("sqlite:///"))) as file:
        file.execute(
            "UPDATE ledger SET columns = json_set(columns, '$.wait', '[', '$.run', key)"
            " WHERE partition = 'waits'"
        )
        file.commit()


def test_a_wait_that_cannot_be_read_is_told_by_the_first_look(stage: Stage) -> None:
    damaged_waits(stage, 1)
    stage.build()
    overview = overseen.overview(stage.read, stage.ports, lambda call: call)  # as without threads
    (stop,) = overview.look(Wanted()).stops
    assert "1 row of the ledger cannot be read by this version" in stop.says


@pytest.mark.parametrize(("count", "told"), [(99, "99 rows of"), (150, "At least 100 rows of")])
def test_no_more_rows_are_named_than_were_counted(stage: Stage, count: int, told: str) -> None:
    damaged_waits(stage, count)
    assert stops(stage)[Kind.LEDGER].says.startswith(told)


# what it costs


def test_a_view_costs_a_few_small_reads_more(stage: Stage) -> None:
    stage.reconcile()
    stage.app.sweep.sweep()
    ended(stage, *(f"r{n}" for n in range(20)))
    stage.reconcile(minutes=3)
    rows = counted(stage.ledger)
    stage.build(ledger=rows.ledger)
    stage.app.overview.look(Wanted())
    assert dict(rows.calls) == {
        "find": 4,  # what is scheduled, what ended, the tasks that wait: as ever; the inbox
        "get": 3,  # until when secrets are valid: as ever; the rounds, and the routes' account
    }
