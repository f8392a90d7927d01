"""How far sweeps come that neither read nor handle all there is, by chance and step by step."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from functions.core.memory import reached, visits
from functions.core.memory.reached import Looked
from functions.core.memory.remembered import Visit
from functions.core.terms.policy import SweepPolicy
from functions.core.terms.runs import Ended, Run
from functions.core.terms.words import Outcome

BORN = datetime(2026, 1, 5, tzinfo=UTC)
POLICY = SweepPolicy()
AN_HOUR = timedelta(hours=1)


def run(name: str, at: datetime) -> Run:
    done = Outcome.COMPLETED
    return Run(id=name, name=name, experiment_id="1", status="FINISHED", outcome=done, end_time=at)


class Workspace:
    """One experiment, of which a sweep reads so many runs in one go, and handles a few of them."""

    def __init__(self, in_one_go: int) -> None:
        self.now, self.visit = BORN, Visit(BORN)
        self.runs: dict[str, tuple[datetime, datetime]] = {}
        self.looks: dict[str, list[datetime]] = {}
        self._in_one_go = in_one_go
        self.sweep(0)  # it was swept before anything ended

    def end(self, name: str, ago: timedelta, late: timedelta = timedelta(0)) -> None:
        """One has ended so long ago, and is shown only so much later than now."""
        self.runs[name] = (self.now - ago, self.now + late)

    def sweep(self, most: int) -> None:
        """Read what a sweep reads; handle so many of them."""
        ended = self._read(visits.back_to(self.visit, POLICY, self.now))
        timed = [(one.end_time or BORN, one) for one in ended.runs]
        turns = reached.in_turn(self.visit, ended, timed)
        looked = Looked(len(turns))
        if most < len(turns):
            looked = reached.cut(self.visit, ended, turns, Looked(most), most)
        for _, one in turns[:most]:
            self.looks.setdefault(one.id, []).append(self.now)
        self.visit = reached.came(self.visit, self.now, ended, looked)

    def unseen(self) -> list[str]:
        """What is shown, and was never handled though nobody would look for it any more."""
        border = (self.visit.seen or self.visit.since) - visits.OVERLAP
        shown = (name for name, (at, on) in self.runs.items() if on <= self.now and at < border)
        return [name for name in shown if name not in self.looks]

    def _read(self, since: datetime) -> Ended:
        shown = sorted(
            ((at, name) for name, (at, on) in self.runs.items() if on <= self.now), reverse=True
        )
        reach = reached.reach(self.visit)
        top = max(since, reach.top or since)
        found = shown[: self._in_one_go]
        down = self._last(shown, found, top)
        if down is None and reach.down and found and found[-1][0] > since:
            further = [one for one in shown if one[0] <= reach.down]
            beyond = further[: self._in_one_go]
            down = self._last(further, beyond, since)
            found = [one for one in found if one[0] >= top] + beyond
        found = [one for one in found if one[0] >= since]
        runs = tuple({name: run(name, at) for at, name in found}.values())
        return Ended(runs=runs, experiments={}, down=down)

    def _last(
        self, of: list[tuple[datetime, str]], found: list[tuple[datetime, str]], floor: datetime
    ) -> datetime | None:
        """The last that was read, where there are more down to there."""
        return found[-1][0] if len(found) < len(of) and found[-1][0] >= floor else None


def busy(workspace: Workspace, chance: random.Random, hour: int) -> None:
    for n in range(chance.choice((2, 10, 40))):
        late = AN_HOUR * chance.choice((0, 0, 0, 0.9))
        workspace.end(f"{hour}-{n}", AN_HOUR * chance.random(), late)


@pytest.mark.parametrize("seed", range(1, 9))
def test_no_sweep_passes_over_what_no_sweep_has_handled(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    workspace = Workspace(chance.choice((15, 30, 60)))
    for hour in range(40):
        workspace.now += AN_HOUR
        busy(workspace, chance, hour)
        workspace.sweep(chance.choice((0, 1, 7, 30, 100)))
        assert workspace.unseen() == [], f"seed {seed}, hour {hour}"
    for _ in range(120):
        workspace.now += timedelta(minutes=5)
        workspace.sweep(100)
    seven_days = workspace.now - visits.CATCHING_UP
    wanted = {name for name, (at, _) in workspace.runs.items() if at > seven_days}
    assert wanted <= workspace.looks.keys(), f"seed {seed}"


def test_what_each_sweep_has_no_time_to_look_at_again_is_looked_at_by_the_next_ones() -> None:
    workspace = Workspace(in_one_go=60)
    for hour in range(40):
        workspace.now += AN_HOUR
        for n in range(20):
            workspace.end(f"{hour}-{n}", AN_HOUR * n / 20)
        workspace.sweep(most=90)
    before = workspace.now
    for ago in range(1, 20):
        workspace.end(f"late-{ago}", AN_HOUR * ago)
    for hour in range(40, 60):
        workspace.now += AN_HOUR
        for n in range(20):
            workspace.end(f"{hour}-{n}", AN_HOUR * n / 20)
        workspace.sweep(most=90)
    assert {f"late-{ago}" for ago in range(1, 20)} <= workspace.looks.keys()
    assert len(workspace.looks["39-0"]) > 2
    assert workspace.visit.seen is not None
    assert workspace.visit.seen > before


def test_what_was_in_the_window_when_sweeps_set_out_is_looked_at_by_the_last_of_them() -> None:
    workspace = Workspace(in_one_go=60)
    for hour in range(60):
        workspace.now += AN_HOUR
        for n in range(20):
            workspace.end(f"{hour}-{n}", AN_HOUR * n / 20)
        workspace.sweep(most=90)
    while workspace.visit.down:
        workspace.now += AN_HOUR
        workspace.sweep(most=90)
    workspace.end("late", POLICY.window - timedelta(hours=1.5))
    while "late" not in workspace.looks:
        workspace.now += AN_HOUR
        for n in range(20):
            workspace.end(f"{workspace.now}-{n}", AN_HOUR * n / 20)
        workspace.sweep(most=90)
        assert workspace.visit.down or "late" in workspace.looks


def test_where_new_ones_are_left_they_are_handled_first_and_once() -> None:
    workspace = Workspace(in_one_go=1000)
    workspace.now += 12 * AN_HOUR
    for n in range(120):
        workspace.end(f"{n:03}", AN_HOUR * n / 10)
    for _ in range(4):
        workspace.sweep(most=40)
        workspace.now += timedelta(minutes=1)
    handled = sorted(workspace.looks, key=lambda name: workspace.looks[name][0])
    assert len(handled) == len(workspace.runs)
    assert {*handled[:40]} == {f"{n:03}" for n in range(80, 120)}  # the oldest


def test_after_an_outage_each_sweep_comes_further_though_it_handles_less_than_it_reads() -> None:
    workspace = Workspace(in_one_go=60)
    workspace.now += 12 * AN_HOUR
    for n in range(240):
        workspace.end(f"lost-{n}", AN_HOUR * n / 20)
    for hour in range(30):
        workspace.sweep(most=50)
        workspace.now += AN_HOUR
        for n in range(20):
            workspace.end(f"{hour}-{n}", AN_HOUR * n / 20)
    assert {f"lost-{n}" for n in range(240)} <= workspace.looks.keys()
    assert workspace.unseen() == []


def test_a_place_that_was_not_come_down_to_is_given_up() -> None:
    """More has ended since than is read in one go, and not all of that was handled."""
    hours = [BORN + n * AN_HOUR for n in range(8)]
    visit = Visit(BORN, seen=hours[6], top=hours[3], down=hours[1], set_out=hours[3])
    ended = Ended(runs=(), experiments={}, down=hours[2])
    turns = reached.in_turn(visit, ended, [(at, run(str(at), at)) for at in hours[2:]])
    assert [at for at, _ in turns] == [*hours[6:], *reversed(hours[2:6])]
    for done, down in ((2, hours[5]), (3, hours[5]), (5, hours[3]), (6, hours[2])):
        looked = Looked(done)
        if done < len(turns):
            looked = reached.cut(visit, ended, turns, looked, done)
        came = reached.came(visit, hours[7], ended, looked)
        assert (came.top, came.down, came.set_out) == (hours[7], down, hours[7])


@pytest.mark.parametrize("days", [1, 7, 30])
def test_the_window_of_several_sweeps_is_that_of_the_first_however_long_it_is(days: int) -> None:
    now, window = BORN + timedelta(days=100), timedelta(days=days)
    policy = replace(POLICY, window=window)
    for ago in (timedelta(hours=5), visits.CATCHING_UP):
        for visit in (
            Visit(BORN, now, set_out=now - ago),
            Visit(BORN, now, start_set_out=now - ago),
        ):
            assert visits.back_to(visit, policy, now) == now - ago - window
    for_ever = Visit(BORN, BORN, set_out=BORN)
    assert visits.back_to(for_ever, policy, now) == now - visits.CATCHING_UP - window
    brief = replace(policy, kept_for=window + timedelta(days=2))
    assert visits.back_to(for_ever, brief, now) == now - window - timedelta(days=1)
