"""The command that measures: that every part can be measured, and what it says where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.__main__ import LONG, USUAL
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TITLES = [
    "Warm event to POST",
    "Throughput",
    "Cold start and memory",
    "A burst",
    "Routes",
    "The bill",
    "Growth",
]


def bench(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        check=False,
        text=True,
    )


@pytest.mark.proof
@pytest.mark.usefixtures("azurite")
def test_every_part_can_be_measured_and_a_few_of_everything_is_not_kept() -> None:
    kept = [ROOT / "benchmarks" / name for name in ("RESULTS.md", "figures.json")]
    before = [file.read_bytes() if file.exists() else b"" for file in kept]
    ran = bench("--smoke", *USUAL, "growth")
    assert ran.returncode in {0, 1}, ran.stderr  # a busy machine misses targets
    titles = [line.removeprefix("## ") for line in ran.stdout.splitlines() if line[:3] == "## "]
    assert [title.partition(":")[0] for title in titles] == TITLES
    assert "| outcomes that did not start exactly once | 0 | ≤ 0 | met |" in ran.stdout
    assert (
        "| a start of a plain run | 1 (1) | 2 (2) | 4 (4) | 0 (0) | 0 (0) | 0 (0) |" in ran.stdout
    )
    assert [file.read_bytes() if file.exists() else b"" for file in kept] == before


@pytest.mark.usefixtures("azurite")
def test_what_stands_in_for_the_services_answers_as_the_app_asks_by_now() -> None:
    """Else nothing starts, and what is counted is what an app does that is refused everything."""
    ran = bench("--smoke", "backlog", "sweeping")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "| starts in that hour | 20 | ≥ 20 | met |" in ran.stdout
    assert "| runs of it that were not started in 26 sweeps | 0 |" in ran.stdout


def test_without_azurite_or_node_it_says_what_to_install(tmp_path: Path) -> None:
    bare = bench("--smoke", "routes", PATH=str(tmp_path))
    assert (bare.returncode, bare.stdout) == (2, "")
    assert bare.stderr == (
        "no node, which runs Azurite: install Node.js with npm, then: make parts\n"
    )
    (tmp_path / "node").touch(mode=0o755)
    ran = bench("--smoke", "routes", PATH=str(tmp_path), RUN_RELAY_AZURITE="/nowhere")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "no Azurite: make parts, or set RUN_RELAY_AZURITE\n"


def test_its_help_names_all_parts() -> None:
    ran = bench("--help")
    assert ran.returncode == 0
    assert [name for name in (*USUAL, *LONG) if name not in ran.stdout] == []
