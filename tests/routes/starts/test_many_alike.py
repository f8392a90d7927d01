"""Routes of one pipeline are told apart without comparing each with each."""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.routes.definition import Route, Start
from functions.core.routes.requests.lookalikes import not_told_apart

if TYPE_CHECKING:
    from types import FrameType

ID = {"run_id": "{{ run.id }}"}
UNKNOWN = "{{ run.name }}"


def route(name: str, *, shadow: bool = False, **parameters: str) -> Route:
    start = Start(organization="o", project="p", pipeline=1, parameters={**ID, **parameters})
    return Route(name=name, shadow=shadow, start=start)


def calls(routes: list[Route]) -> int:
    """How many functions and comparisons it takes to tell them apart."""
    count = 0

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.endswith("distinct.py")

    sys.setprofile(note)
    try:
        not_told_apart(routes)
    finally:
        sys.setprofile(None)
    return count


def each_its_team(count: int) -> list[Route]:
    """And one that is tried out says no team, so that the team tells nothing for certain."""
    return [route("tried", shadow=True), *(route(f"r{n}", team=f"{n}") for n in range(count))]


def each_its_name(count: int) -> list[Route]:
    return [route(f"r{n}", shadow=False, **{f"p{n}": "x"}) for n in range(count)]


def by_two(count: int) -> list[Route]:
    side = int(count**0.5)
    many = [route(f"r{n}", a=f"{n // side}", b=f"{n % side}") for n in range(side * side)]
    return [route("tried", shadow=True), *many]


@pytest.mark.parametrize(
    ("routes", "at_most"), [(each_its_team, 5), (each_its_name, 5), (by_two, 10)]
)
def test_four_times_as_many_take_about_four_times_as_much(routes: Any, at_most: float) -> None:
    assert calls(routes(900)) <= at_most * calls(routes(225))


def naive(routes: list[Route]) -> dict[str, str]:
    """By name the first other that is not tried out and in which nothing known differs."""

    def known(one: Route) -> dict[str, str]:
        assert one.start
        return {k: v for k, v in one.start.parameters.items() if "{{" not in v}

    def alike(one: Route, other: Route) -> bool:
        mine, theirs = known(one), known(other)
        return all(mine[key] == theirs[key] for key in mine.keys() & theirs.keys())

    others = [other for other in routes if not other.shadow]
    return {
        one.name: next((o.name for o in others if o is not one and alike(one, o)), "")
        for one in routes
    }


@pytest.mark.parametrize("seed", range(60))
def test_the_same_is_found_as_by_comparing_each_with_each(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    routes = [
        route(
            f"r{n}",
            shadow=draw.random() < 0.2,
            **{
                key: draw.choice([UNKNOWN, *map(str, range(draw.choice([2, 9])))])
                for key in "abc"
                if draw.random() < 0.8
            },
        )
        for n in range(draw.choice([2, 7, 20]))
    ]
    found = {name: why.split("`")[1] if why else "" for name, why in not_told_apart(routes).items()}
    assert found == naive(routes)
