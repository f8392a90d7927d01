"""An earlier commit is laid out so that today's benchmarks measure it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.earlier import building
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="no repository: the commits are in it"
)
WHERE = """
import function_app, benchmarks.latency.relay as relay
from functions import bootstrap
print(bootstrap.__file__, relay.__file__)
"""


def test_the_app_is_the_commit_s_and_the_instruments_are_today_s(tmp_path: Path) -> None:
    build = building.earlier("HEAD", tmp_path)
    ran = subprocess.run(
        [build.python, "-c", WHERE], cwd=build.root, capture_output=True, check=True, text=True
    )
    app, instrument = ran.stdout.split()
    assert app == str(build.root / "functions" / "bootstrap.py")
    assert instrument == str(build.root / "benchmarks" / "latency" / "relay.py")
    assert (build.root / "benchmarks").resolve() == ROOT / "benchmarks"


def test_packages_that_are_installed_here_are_not_installed_again(tmp_path: Path) -> None:
    build = building.earlier("HEAD", tmp_path)
    assert (build.python, build.own) == (sys.executable, False)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ("packaging >= 20  # a comment", True),
        ("packaging==1.0 \\\n    --hash=sha256:00", False),
        ("packaging==1.0; python_version < '3'", True),
        ("no-such-package-here==1.0", False),
    ],
)
def test_whether_what_a_commit_wants_is_here(tmp_path: Path, wanted: str, *, fits: bool) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(wanted, "utf-8")
    assert building.fits(file) is fits


def test_a_commit_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no-such-commit"):
        building.earlier("no-such-commit", tmp_path)
