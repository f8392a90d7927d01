"""Which commit this is, and one line where something that it needs is missing."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from functions.configuration import version
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.relay.conftest import Desk

GIT = ("git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=m")


def ran(*words: str, at: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=at, env=environ, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_commit_of_the_checkout_is_told(desk: Desk) -> None:
    said = desk.type("--version")
    assert (said.code, said.err) == (0, "")
    known = r"Run Relay, commit ([0-9a-f]{4,} of \d{4}-\d\d-\d\d(, with changes)?|not known)\n"
    assert re.fullmatch(known, said.out)


def test_without_git_nothing_breaks(tmp_path: Path) -> None:
    typed = ran(sys.executable, "-m", "relay", "--version", at=ROOT, PATH=str(tmp_path))
    assert (typed.returncode, typed.stdout, typed.stderr) == (
        0,
        "Run Relay, commit not known\n",
        "",
    )


def test_what_git_packs_tells_its_commit(tmp_path: Path) -> None:
    """As `infra/hooks/deploy.sh code` packs it."""
    (tmp_path / "functions" / "configuration").mkdir(parents=True)
    for name in (".gitattributes", "functions/configuration/commit.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "x")):
        subprocess.run([*GIT, *words], cwd=tmp_path, check=True)
    packed = tmp_path / "packed.zip"
    subprocess.run(
        [*GIT, "archive", "--format=zip", "-o", str(packed), "HEAD", "--", "functions"],
        cwd=tmp_path,
        check=True,
    )
    with zipfile.ZipFile(packed) as files:
        files.extractall(tmp_path / "there")
    commit = subprocess.run(
        [*GIT, "log", "-1", "--format=%h of %cs"], cwd=tmp_path, check=True, capture_output=True
    )
    found = version.packed(tmp_path / "there" / "functions" / "configuration" / "commit.txt")
    assert found == commit.stdout.decode().strip()
    assert (
        version.packed(tmp_path / "functions" / "configuration" / "commit.txt") == ""
    )  # what was never packed


def test_missing_packages_are_one_line() -> None:
    """`-S`: without the packages of this Python."""
    typed = ran(sys.executable, "-S", "-m", "relay", "list", at=ROOT)
    assert (typed.returncode, typed.stdout) == (2, "")
    assert re.fullmatch(
        r"relay: this Python has no package typer: (run make setup|call bin/relay) in \S+\n",
        typed.stderr,
    )


def test_without_a_python_there_is_one_line_too(tmp_path: Path) -> None:
    typed = ran(
        str(ROOT / "bin" / "relay"),
        at=tmp_path,
        RUN_RELAY_PYTHON="/nowhere/python",
        PATH="/usr/bin:/bin",
    )
    assert typed.returncode == 2
    assert re.fullmatch(r"relay: there is no Python: run make setup in \S+\n", typed.stderr)


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("show", "a/b/Completed"),
        ("why", "r1"),
        ("coverage",),
        ("replay", "--failed"),
        ("reconcile",),
        ("what-if",),
        ("doctor",),
    ],
)
def test_where_no_app_is_named_each_command_says_the_same_once(
    desk: Desk, words: tuple[str, ...]
) -> None:
    none = dict.fromkeys(("LEDGER_URL", "AzureWebJobsStorage", "RUN_RELAY_APP"), "")
    said = desk.type(*words, **none)
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[-1] == (
        "name the app: --app RESOURCE_ID, or RUN_RELAY_APP; or have its settings in the environment"
        " (AzureWebJobsStorage or LEDGER_URL)"
    )
    assert said.err.count("name the app") == 1
