"""benchmarks/README.md names every module, and none that is gone."""

from __future__ import annotations

import re

from tests.shipping import ROOT

FOLDER = ROOT / "benchmarks"


def test_every_module_is_named_and_none_else() -> None:
    table = (FOLDER / "README.md").read_text("utf-8").partition("## Where what is")[2]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name.partition(".")[0] for cell in first for name in re.findall(r"`([^`]+)`", cell)}
    there = {file.stem for file in FOLDER.iterdir() if file.suffix in {".py", ".js", ""}}
    assert named - {"prices"} == there - {"__init__", "__main__", "__pycache__", "prices"}
