"""What is deployed: the distributions that requirements.txt brings, with all they need."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]


def requirements(file: str) -> list[Requirement]:
    """The lines of one requirements file, without those of the files it includes."""
    lines = ((ROOT / file).read_text("utf-8")).splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]


@cache
def shipped(*files: str) -> frozenset[str]:
    """The names of every distribution that these bring on this Python, requirements.txt first."""
    return needed_by(r for file in ("requirements.txt", *files) for r in requirements(file))


def needed_by(these: Iterable[Requirement]) -> frozenset[str]:
    """The names of these distributions and of every one that they need on this Python."""
    found: set[str] = set()
    left = [r for r in these if _applies(r)]
    while left:
        name = canonicalize_name(left.pop().name)
        if name not in found:
            found.add(name)
            left += [r for r in map(Requirement, metadata.requires(name) or ()) if _applies(r)]
    return frozenset(found)


@cache
def provided() -> dict[str, frozenset[str]]:
    """The packages that can be imported here, with the distributions that brought them."""
    found = metadata.packages_distributions().items()
    return {package: frozenset(map(canonicalize_name, by)) for package, by in found}


def beside() -> frozenset[str]:
    """The packages that can be imported here but not in the deployed app."""
    return frozenset(package for package, by in provided().items() if not by & shipped())


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})
