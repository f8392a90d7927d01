"""What .funcignore leaves is what the app needs, and nothing else.

Core Tools reads the file in a way of its own: a line hides every path that begins with it, seen
from the root, and `*` stands for one character or more.
https://github.com/Azure/azure-functions-core-tools/issues/1507
The Azure Developer CLI reads it as git reads .gitignore.
https://learn.microsoft.com/azure/developer/azure-developer-cli/service-packaging-ignore-files
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from pathspec import GitIgnoreSpec

from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Hides = Callable[[str], bool]

DEPLOYED = {"function_app.py", "functions", "host.json", "requirements.txt", "routes.yaml"}
LINES = (ROOT / ".funcignore").read_text("utf-8").splitlines()
IMPORT_ALL = """
import function_app, functions, importlib, pkgutil
for module in pkgutil.walk_packages(functions.__path__, "functions."):
    importlib.import_module(module.name)
print(*sorted(f.get_function_name() for f in function_app.app.get_functions()))
"""


def as_git() -> Hides:
    return GitIgnoreSpec.from_lines(LINES).match_file


def as_core_tools() -> Hides:
    lines = [re.escape(line) for line in LINES if line and not line.startswith("#")]
    starts = [line.replace(r"\*\*", ".+").replace(r"\*", "[^/]+") for line in lines]
    found = re.compile("|".join(starts))
    return lambda path: found.match(path) is not None


def kept(hides: Hides, folder: Path = ROOT) -> Iterator[str]:
    for entry in folder.iterdir():
        path = entry.relative_to(ROOT).as_posix()
        if hides(path):
            continue
        if entry.is_dir():
            yield from kept(hides, entry)
        else:
            yield path


@pytest.fixture(params=[as_git, as_core_tools])
def paths(request: pytest.FixtureRequest) -> set[str]:
    return set(kept(request.param()))


def test_the_app_and_nothing_else_is_deployed(paths: set[str]) -> None:
    assert {path.partition("/")[0] for path in paths} == DEPLOYED
    assert [path for path in paths if "__pycache__" in path] == []
    assert {"functions/web/page.css", "functions/web/page.js"} <= paths


@pytest.mark.parametrize("hides", [as_git, as_core_tools])
def test_a_pat_in_a_file_is_neither_deployed_nor_committed(hides: Callable[[], Hides]) -> None:
    assert hides()("pat.txt")
    ignored = GitIgnoreSpec.from_lines((ROOT / ".gitignore").read_text("utf-8").splitlines())
    assert ignored.match_file("pat.txt")


@pytest.fixture
def package(paths: set[str], tmp_path: Path) -> Path:
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def test_what_is_deployed_imports_whole(package: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        cwd=package,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    declared = {"on_run_completed", "on_run_status_changed", "operations", "reconcile", "sweep"}
    assert declared <= set(ran.stdout.split())
