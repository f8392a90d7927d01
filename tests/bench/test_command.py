"""The command that measures: that every part can be measured, and what it says where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.__main__ import LONG, USUAL
from tests.shipping import ROOT


def bench(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        check=False,
        text=True,
    )


@pytest.mark.usefixtures("azurite")
def test_parts_are_measured_roughly_and_nothing_is_kept() -> None:
    kept = [ROOT / "benchmarks" / name for name in ("RESULTS.md", "figures.json")]
    before = [file.read_bytes() if file.exists() else b"" for file in kept]
    ran = bench("--quick", "routes", "burst", "bill")
    assert ran.returncode in {0, 1}, ran.stderr  # a busy machine may miss a target
    titles = [line for line in ran.stdout.splitlines() if line.startswith("## ")]
    assert titles[:2] == ["## Routes", "## A burst"]
    assert titles[2].startswith("## The bill")
    assert "| outcomes that started not once | 0 | ≤ 0 | met |" in ran.stdout
    assert [file.read_bytes() if file.exists() else b"" for file in kept] == before


def test_without_azurite_it_says_what_to_install() -> None:
    ran = bench("--quick", "routes", RUN_RELAY_AZURITE="/nowhere")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "no Azurite: npm install --prefix .cache azurite, or set RUN_RELAY_AZURITE\n"
    )


def test_its_help_names_all_parts() -> None:
    ran = bench("--help")
    assert ran.returncode == 0
    assert [name for name in (*USUAL, *LONG) if name not in ran.stdout] == []
