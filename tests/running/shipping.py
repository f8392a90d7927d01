"""What is deployed: the distributions that requirements.txt locks, and what else was locked.

Each requirements….in names what somebody chose, each requirements….txt is what `make lock` makes
of it: those and all that they need, with hashes, for every Python and system.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
LOCKS = tuple(f"requirements{which}.txt" for which in ("", "-cli", "-dev", "-worker"))
SHIPPED = LOCKS[0]


def lines(file: str) -> list[str]:
    """What stands in a requirements file, each entry in one line."""
    text = (ROOT / file).read_text("utf-8").replace("\\\n", " ")
    return [line for line in map(str.strip, text.splitlines()) if line and line[0] != "#"]


@cache
def requirements(file: str) -> list[Requirement]:
    """Those of one file, without those of the files that it includes."""
    return [Requirement(re.split(r"\s--hash", line)[0]) for line in lines(file) if line[0] != "-"]


def named(file: str) -> Iterator[Requirement]:
    """What stands in requirements….in, and in what that includes."""
    for line in lines(file):
        if line.startswith("-r "):
            yield from named(line.removeprefix("-r "))
    yield from requirements(file)


@cache
def shipped(file: str = SHIPPED) -> frozenset[str]:
    """The names of every distribution that this lock brings on this Python."""
    return frozenset(canonicalize_name(r.name) for r in requirements(file) if applies(r))


def needed_by(
    these: Iterable[Requirement], python: Mapping[str, str] | None = None
) -> frozenset[str]:
    """The names of these distributions and of every one that they need, as those here say.

    `python` holds the markers' values of another Python. What is not installed needs nothing.
    """
    found: set[tuple[str, str]] = set()
    left = [(r, "") for r in these]
    while left:
        requirement, wanted_by = left.pop()
        if not applies(requirement, {**(python or {}), "extra": wanted_by}):
            continue
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras} - {e for n, e in found if n == name}:
            found.add((name, extra))
            left += [(r, extra) for r in _needs(name)]
    return frozenset(name for name, _ in found)


def _needs(name: str) -> list[Requirement]:
    try:
        return [Requirement(line) for line in metadata.requires(name) or ()]
    except metadata.PackageNotFoundError:
        return []


@cache
def provided() -> dict[str, frozenset[str]]:
    """The packages that can be imported here, with the distributions that brought them."""
    found = metadata.packages_distributions().items()
    return {package: frozenset(map(canonicalize_name, by)) for package, by in found}


def beside() -> frozenset[str]:
    """The packages that can be imported here but not in the deployed app."""
    return frozenset(package for package, by in provided().items() if not by & shipped())


def applies(requirement: Requirement, environment: Mapping[str, str] | None = None) -> bool:
    """Whether it is wanted there: on this Python, unless said otherwise."""
    there = {"extra": "", **(environment or {})}
    return requirement.marker is None or requirement.marker.evaluate(there)
