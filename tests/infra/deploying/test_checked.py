"""infra/hooks/deploy.sh uploads no code whose routes the app could not read."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.infra.deploying.checkout import APP, NOBODY, UPLOAD, Azure, checkout, run

if TYPE_CHECKING:
    from pathlib import Path

UPLOADED = [f"{UPLOAD} {APP}"]
NOTHING = "Nothing was uploaded."


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A checkout that a test may change."""
    folder = tmp_path / "own"
    folder.mkdir()
    return checkout(folder, compiled=True)


def rewrite(folder: Path, old: str, new: str, *, commit: bool = True) -> None:
    """Change the route file."""
    file = folder / "routes.yaml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")
    if commit:
        words = ["git", "commit", "-q", "-a", "-m", "routes"]
        subprocess.run(words, cwd=folder, env={**os.environ, **NOBODY}, check=True, timeout=60)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_no_code_is_uploaded_whose_routes_cannot_be_read(
    own: Path, deployed: Azure, shell: str
) -> None:
    rewrite(own, "organization:", "organisation:")
    ran = run(own, deployed.environ(RELAY_CHECK="yes"), "code", shell=shell)
    assert (ran.returncode, deployed.acts()) == (2, [])
    assert NOTHING in ran.stderr
    first = ran.stderr.splitlines()[0]
    assert first.startswith("routes.yaml:")
    assert "organisation" in first


def test_what_is_committed_is_checked_since_that_is_uploaded(own: Path, deployed: Azure) -> None:
    rewrite(own, "organization:", "organisation:", commit=False)
    ran = run(own, deployed.environ(RELAY_CHECK="yes"), "code")
    assert (ran.returncode, deployed.acts()) == (0, UPLOADED), ran.stderr


def test_azd_checks_what_lies_in_the_folder_since_it_packs_that(own: Path, deployed: Azure) -> None:
    assert run(own, deployed.environ(RELAY_CHECK="yes"), "routes").returncode == 0
    rewrite(own, "organization:", "organisation:", commit=False)
    ran = run(own, deployed.environ(RELAY_CHECK="yes"), "routes")
    assert (ran.returncode, NOTHING in ran.stderr) == (2, True)
    (own / "routes.yaml").unlink()
    gone = run(own, deployed.environ(RELAY_CHECK="yes"), "routes")
    assert (gone.returncode, "which is not here" in gone.stderr) == (2, True)


def test_the_organization_of_the_sample_is_warned_of(own: Path, deployed: Azure) -> None:
    ran = run(own, deployed.environ(RELAY_CHECK="yes"), "code")
    assert (ran.returncode, "names contoso" in ran.stderr) == (0, True)
    rewrite(own, "contoso", "fabrikam")
    again = run(own, deployed.environ(RELAY_CHECK="yes"), "code")
    assert (again.returncode, "contoso" in again.stderr) == (0, False)


def test_without_the_packages_it_says_what_to_install_and_how_to_go_on(
    folder: Path, deployed: Azure, tmp_path: Path
) -> None:
    for name in ("python3", "python"):  # before any other: none of these has a package
        (tmp_path / "azure" / name).write_text("#!/bin/sh\nexit 1\n", "utf-8")
        (tmp_path / "azure" / name).chmod(0o755)
    bare = deployed.environ(RUN_RELAY_PYTHON="", RELAY_CHECK="yes")
    ran = run(folder, bare, "code")
    assert (ran.returncode, deployed.acts()) == (2, [])
    assert "pip install -r requirements-cli.txt" in ran.stderr
    assert "RELAY_CHECK=no" in ran.stderr
    without = run(folder, {**bare, "RELAY_CHECK": "no"}, "code")
    assert (without.returncode, deployed.acts()) == (0, UPLOADED), without.stderr
    assert "was not checked" in without.stderr
