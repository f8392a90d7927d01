"""Experiments that cannot be read, among those that are asked for with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flow.rounds.sweeps import end, lines, searches, sweep
from tests.flow.rounds.test_sweep_lost import searching
from tests.flow.rounds.test_sweep_lost import stage as stage  # noqa: PLC0414 - the fixture

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.stage.azure import Stage

NAMES = [f"defect-{number:03}" for number in range(120)]
HOWS: list[dict[str, Any]] = [
    {"status": 403},
    {"status": 404},
    {"status": 500},
    {"status": 200, "body": b'["no", "runs"]'},
]
PLACES = [0, 31, 49, 119]


def breaks(stage: Stage, *broken: str, **how: Any) -> set[str]:
    """A search that is about one of these experiments is answered so, as long as it is in there."""
    ids = {stage.aml.add_experiment(name) for name in broken}

    def answer(body: Any, ask: Any) -> Any:
        found = ask()
        return found._replace(**how) if ids & {*body["experiment_ids"]} else found

    searching(stage, answer)
    return ids


def by_id(stage: Stage) -> list[str]:
    """The names in the order in which they are asked for."""
    return sorted(NAMES, key=stage.aml.add_experiment)


def end_in_each(stage: Stage, ending: Iterable[int] = range(len(NAMES))) -> list[str]:
    """A run ends in the experiments at these places, in the order in which they are asked for."""
    ended = [by_id(stage)[place] for place in ending]
    for name in ended:
        end(stage, f"run-of-{name}", experiment=name)
    return ended


def ending(how: int, place: int) -> list[int]:
    """All for some; for the others this one, those beside it, and where fifty begin and end."""
    if how == PLACES.index(place):
        return [*range(len(NAMES))]
    return sorted({place - 1, place, place + 1, 0, 49, 50, 99, 100, 119} & {*range(len(NAMES))})


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("how", range(len(HOWS)))
def test_an_experiment_that_cannot_be_read_costs_itself(
    stage: Stage, caplog: pytest.LogCaptureFixture, how: int, place: int
) -> None:
    names, broken = end_in_each(stage, ending(how, place)), by_id(stage)[place]
    unreadable = breaks(stage, broken, **HOWS[how])
    sweep(stage, minutes=1)
    others = sorted((42, f"run-of-{name}") for name in names if name != broken)
    assert sorted(stage.started()) == others
    (line,) = lines(caplog, "sweep")
    assert f' complete=no lacking="experiment {broken}: runs of ml-prod: answered' in line
    unreadable.clear()
    sweep(stage, minutes=1)
    assert sorted(stage.started()) == sorted([*others, (42, f"run-of-{broken}")])
    assert " complete=yes " in lines(caplog, "sweep")[-1]


def test_several_of_them_cost_themselves_in_so_many_searches(stage: Stage) -> None:
    names = end_in_each(stage)
    broken = [names[3], names[40], names[77]]
    breaks(stage, *broken, status=403)
    before = len(searches(stage))
    sweep(stage, minutes=1)
    assert {run for _, run in stage.started()} == {f"run-of-{n}" for n in {*names} - {*broken}}
    assert len(searches(stage)) - before < 90  # each batch and half is asked for by end and start


@pytest.mark.parametrize(("status", "most"), [(403, 21), (429, 3)])
def test_a_workspace_whose_runs_nobody_may_read_is_asked_a_few_times(
    stage: Stage, status: int, most: int
) -> None:
    end_in_each(stage)
    unreadable = breaks(stage, *NAMES, status=status)
    before = len(searches(stage))
    sweep(stage, minutes=1)
    assert 0 < len(searches(stage)) - before <= most
    assert stage.started() == []
    unreadable.clear()
    for _ in range(3):
        sweep(stage, hours=1)
    assert len(stage.started()) == len(NAMES)
