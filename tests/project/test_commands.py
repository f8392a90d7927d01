"""What people type: make, and what CI makes of its result."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = {
    "test_some.py": """
import pytest
def test_good(): pass
@pytest.mark.skip(reason="no node here")
def test_skipped(): pass
@pytest.mark.xfail
def test_expected(): assert False
""",
    "test_module.py": 'import pytest\npytest.importorskip("no_such_module")\ndef test_it(): pass\n',
}
TARGETS = {
    *("help", "demo", "up", "test", "test-clock", "soak", "seeds", "stress"),
    *(
        "bench",
        "bench-growth",
        "check",
        "infra",
        "infra-outside",
        "format",
        "lock",
        "clean",
        "proofs",
        "setup",
        "parts",
    ),
}
# Runs code as a Python of another version would: python -c CODE ARGUMENTS...
OTHER = "import sys; sys.version_info = {version}; code = sys.argv[2]; sys.argv[1:3] = []; {also}"


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # What a surrounding make or pytest has set is not for these.
    environ = {
        k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "PYTEST"))
    }
    return subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, check=False, text=True, timeout=120
    )


def test_make_alone_lists_the_targets() -> None:
    listed = [line.split()[1] for line in run("make").stdout.splitlines()]
    assert set(listed) == TARGETS


def other_python(folder: Path, version: tuple[int, int], also: str = "exec(code)") -> Path:
    code = OTHER.format(version=version, also=also)
    script = folder / "python"
    script.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{code}' \"$@\"\n")
    script.chmod(0o755)
    return script


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("version", [(2, 7), (3, 10), (3, 15)])
def test_a_python_that_does_not_fit_is_refused_by_name(
    clone: Path, version: tuple[int, int]
) -> None:
    python = other_python(clone, version)
    ran = run("make", "demo", f"PYTHON={python}", cwd=clone)
    assert ran.returncode != 0
    assert (
        f"{python} is Python {version[0]}.{version[1]}, but 3.11, 3.12, 3.13 or 3.14" in ran.stderr
    )
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("version", [(3, 11), (3, 14)])
def test_a_python_that_fits_is_taken(clone: Path, version: tuple[int, int]) -> None:
    python = other_python(clone, version)
    ran = run("make", "demo", f"PYTHON={python}", cwd=clone)
    assert f"making .venv with {python}" in ran.stdout
    assert "is needed" not in ran.stderr


def test_a_python_without_venv_is_refused_with_the_package_that_has_it(clone: Path) -> None:
    python = other_python(clone, (3, 12), 'sys.modules["venv"] = None; exec(code)')
    ran = run("make", "demo", f"PYTHON={python}", cwd=clone)
    assert ran.returncode != 0
    assert "apt-get install python3-venv" in ran.stderr


def test_a_python_that_is_not_there_is_said_so(clone: Path) -> None:
    ran = run("make", "demo", "PYTHON=python3.99", cwd=clone)
    assert ran.returncode != 0
    assert "there is no python3.99" in ran.stderr


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    for name, text in SAMPLE.items():
        (folder / name).write_text(text)
    run(sys.executable, "-m", "pytest", "-q", "--junitxml=report.xml", cwd=folder)
    return folder / "report.xml"


def judged(report: Path, *allowed: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, ROOT / ".ci" / "skips.py", report, *allowed)


@pytest.mark.parametrize("allowed", ["", ",", "no node here", "no_such_module", "something else"])
def test_a_skip_that_nobody_allowed_fails_the_run(report: Path, allowed: str) -> None:
    ran = judged(report, allowed)
    assert ran.returncode == 1
    assert "NOT ALLOWED" in ran.stdout


def test_skips_whose_reasons_are_all_named_are_allowed(report: Path) -> None:
    ran = judged(report, "no node, no node here , no_such_module")
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.splitlines()[-1] == "tests: 2 passed, 0 failed, 2 skipped"


def test_a_run_without_any_test_fails(tmp_path: Path) -> None:
    empty = tmp_path / "report.xml"
    empty.write_text("<testsuites><testsuite/></testsuites>")
    assert judged(empty).returncode == 1
