"""An earlier commit of the app, laid out so that today's benchmarks can measure it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from importlib import metadata
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import Requirement

from benchmarks.names import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APP = ("function_app.py", "functions", "requirements.txt")
INSTRUMENTS = ("benchmarks", "local")  # today's, whatever is measured


class Build(NamedTuple):
    """A tree of the app with today's instruments beside it, and the Python that runs it."""

    commit: str
    root: Path
    python: str
    own: bool = False  # its requirements are not those that are installed here


def today() -> Build:
    """The tree as it is, with what has changed since it was committed."""
    changed = "" if not _git("status", "--porcelain", "--", *APP) else ", changed"
    return Build(_git("rev-parse", "--short", "HEAD") + changed, ROOT, sys.executable)


def earlier(commit: str, folder: Path) -> Build:
    """The app of that commit in the folder; raises RuntimeError where there is no such commit."""
    short = _git("rev-parse", "--short", "--verify", f"{commit}^{{commit}}")
    root, archive = folder / short, folder / f"{short}.tar"
    _git("archive", "-o", str(archive), short, *APP)
    with tarfile.open(archive) as packed:
        packed.extractall(root, filter="data")
    for name in INSTRUMENTS:
        (root / name).symlink_to(ROOT / name)
    if fits(root / "requirements.txt"):
        return Build(short, root, sys.executable)
    return Build(short, root, _installed(root, folder / f"venv-{short}"), own=True)


def fits(requirements: Path) -> bool:
    """Whether what it wants is what is installed here, to the version."""
    return all(_has(wanted) for wanted in _wanted(requirements))


def _wanted(requirements: Path) -> Iterator[Requirement]:
    for line in requirements.read_text("utf-8").splitlines():
        text = line.partition("#")[0].partition("--hash")[0].rstrip(" \\")
        if text.strip() and not text.startswith((" ", "-")):
            yield Requirement(text)


def _has(wanted: Requirement) -> bool:
    if wanted.marker and not wanted.marker.evaluate():
        return True
    try:
        return wanted.specifier.contains(metadata.version(wanted.name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False


def _installed(root: Path, venv: Path) -> str:
    """A Python of its own, with what it wants."""
    python = str(venv / "bin" / "python")
    file = str(root / "requirements.txt")
    _run(sys.executable, "-m", "venv", str(venv))
    _run(python, "-m", "pip", "install", "--quiet", "--requirement", file)
    return python


def _git(*words: str) -> str:
    return _run("git", *words)


def _run(*command: str) -> str:
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    if ran.returncode:
        raise RuntimeError(f"{' '.join(command)}: {ran.stderr.strip()[-500:]}")
    return ran.stdout.strip()
