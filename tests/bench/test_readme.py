"""benchmarks/README.md names every module, and none that is gone."""

from __future__ import annotations

import re
from pathlib import Path

from tests.running.shipping import ROOT

FOLDER = ROOT / "benchmarks"
CODE = {".py", ".js"}


def test_every_module_is_named_in_its_folder_and_none_else() -> None:
    table = (FOLDER / "README.md").read_text("utf-8").partition("## Where what is")[2]
    lines = [line for line in table.splitlines() if line.startswith("| ")][1:]
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in lines]
    named, folder = set(), ""
    for of, modules in rows:
        folder = of.strip("`") or folder
        named |= {f"{folder}/{name}".lstrip("/") for name in re.findall(r"`([^`]+)`", modules)}
    there = {file.relative_to(FOLDER) for file in FOLDER.rglob("*.*") if file.suffix in CODE}
    there |= {Path("cold/MLmodel"), Path("cost/prices.toml")}
    shown = {str(file.with_suffix("") if file.suffix == ".py" else file) for file in there}
    assert named == {name for name in shown if not name.endswith(("__init__", "__main__"))}
