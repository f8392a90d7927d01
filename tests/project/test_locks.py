"""What is named in requirements….in, locked in requirements….txt, installed here, and imported."""

from __future__ import annotations

import re
from importlib import metadata

import pytest
from packaging.utils import canonicalize_name

from tests.project.test_pythons import PYTHONS
from tests.running.imports import from_outside
from tests.running.shipping import (
    LOCKS,
    ROOT,
    SHIPPED,
    applies,
    lines,
    named,
    needed_by,
    requirements,
    shipped,
)

NAMES = tuple(lock.replace(".txt", ".in") for lock in LOCKS)
CLI, DEV, WORKER = LOCKS[1:]
LOCKED = re.compile(r"[a-z0-9.-]+==[^\s;]+( ; [^\\]+?)?(\s+--hash=sha256:[0-9a-f]{64})+")
OLD = "azure-functions==1."  # below the Pythons that the worker's lock is for
OWNERS = {"functions": "requirements.in", "relay": "requirements-cli.in"}


def there(python: str) -> dict[str, str]:
    """The markers' values on the machine that Azure runs the app on."""
    return {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
    }


def pinned(file: str, python: str) -> dict[str, str]:
    """Each distribution of a lock that is wanted there, with its version."""
    wanted = [r for r in requirements(file) if applies(r, there(python))]
    found: dict[str, str] = {canonicalize_name(r.name): str(r.specifier) for r in wanted}
    assert len(found) == len(wanted)
    return found


def of(lock: str) -> list[str]:
    """The Pythons that a lock is for."""
    return PYTHONS[PYTHONS.index("3.13") :] if lock == WORKER else PYTHONS


CASES = [(lock, python) for lock in LOCKS for python in of(lock)]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_one_version_with_its_hashes(lock: str) -> None:
    assert len(lines(lock)) > len(lines(lock.replace(".txt", ".in")))
    assert [line for line in lines(lock) if not LOCKED.fullmatch(line)] == []


@pytest.mark.parametrize("file", NAMES)
def test_every_name_is_given_one_version(file: str) -> None:
    operators = {r.name: [s.operator for s in r.specifier] for r in requirements(file)}
    assert {name: o for name, o in operators.items() if o != ["=="]} == {}


@pytest.mark.parametrize(("lock", "python"), CASES)
def test_a_lock_holds_each_version_that_is_named(lock: str, python: str) -> None:
    asked = [r for r in named(lock.replace(".txt", ".in")) if applies(r, there(python))]
    chosen = {canonicalize_name(r.name): str(r.specifier) for r in asked}
    assert chosen.items() <= pinned(lock, python).items()


@pytest.mark.parametrize(("lock", "python"), CASES)
def test_a_lock_holds_all_that_is_needed(lock: str, python: str) -> None:
    needed = needed_by(named(lock.replace(".txt", ".in")), there(python))
    assert needed - pinned(lock, python).keys() == set()


@pytest.mark.parametrize("lock", LOCKS[:3])
def test_a_lock_holds_nothing_that_is_not_needed(lock: str) -> None:
    assert shipped(lock) - needed_by(named(lock.replace(".txt", ".in"))) == set()


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_what_is_deployed_is_the_same_in_every_lock(lock: str) -> None:
    assert entries(SHIPPED).items() <= entries(lock).items()


def entries(lock: str) -> dict[str, set[str]]:
    """Each locked version, with its hashes."""
    found = ((re.split(r"[\s;]", line)[0], line) for line in lines(lock))
    kept = {pin: set(re.findall(r"sha256:(\w+)", line)) for pin, line in found}
    return {pin: kept[pin] for pin in kept if lock != SHIPPED or not pin.startswith(OLD)}


def test_the_tests_run_on_what_is_locked() -> None:
    """Mend it with: make clean setup."""
    here = {canonicalize_name(d.name): f"=={d.version}" for d in metadata.distributions()}
    locked = {canonicalize_name(r.name): str(r.specifier) for r in requirements(DEV) if applies(r)}
    assert {name: here.get(name) for name in locked} == locked


@pytest.mark.parametrize(("folder", "file"), OWNERS.items())
def test_every_package_that_is_imported_is_named(folder: str, file: str) -> None:
    names = {canonicalize_name(r.name) for r in named(file)}
    outside = from_outside(folder)
    assert {name: by for name, by in outside.items() if not by & names} == {}


@pytest.mark.parametrize("folder", ["local", "examples"])
def test_every_package_that_the_demo_imports_is_locked(folder: str) -> None:
    outside = from_outside(folder)
    assert {name: by for name, by in outside.items() if not by & shipped(DEV)} == {}


MERE_DATA = {"tzdata"}  # which the standard library's zoneinfo reads


@pytest.mark.parametrize(("folder", "file"), OWNERS.items())
def test_every_package_that_is_named_is_imported(folder: str, file: str) -> None:
    brought = set[str]().union(*from_outside(folder).values())
    assert {canonicalize_name(r.name) for r in requirements(file)} - brought - MERE_DATA == set()


@pytest.mark.parametrize("file", OWNERS.values())
def test_every_package_that_is_named_has_its_reason(file: str) -> None:
    told = (ROOT / "docs/adr/0005-dependencies.md").read_text("utf-8")
    rows = [row.split("|")[1] for row in told.splitlines() if row.startswith("| ")]
    reasons = {name.strip() for row in rows for name in row.split(",")}
    assert {r.name for r in requirements(file)} - reasons == set()
