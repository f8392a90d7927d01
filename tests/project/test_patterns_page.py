"""docs/patterns.md shows routes that the app would take, and names files that are there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml
from typer.testing import CliRunner

from functions.core.routes.file.interpreting import decode
from functions.core.terms.pipelines import is_github
from functions.core.terms.words import Outcome
from relay.__main__ import app
from relay.github import declared
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs" / "patterns.md"
TEXT = PAGE.read_text("utf-8")
SHOWN = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("number", range(len(SHOWN)))
def test_what_it_shows_is_a_route_file_that_check_passes(number: int, tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(SHOWN[number], "utf-8")
    checked = CliRunner().invoke(app, ["check"], env={"ROUTES_FILE": str(file)})
    assert checked.exit_code == 0, checked.output


def test_its_routes_have_no_warnings_and_are_about_every_event_but_the_end_of_a_run() -> None:
    read = [decode(text) for text in SHOWN]
    assert [line for routes in read for line in routes.warnings] == []
    about = {outcome for routes in read for route in routes.routes for outcome in route.outcomes}
    assert {one for one in Outcome if not one.ends_run and one is not Outcome.JOINED} <= about


def test_the_workflow_that_it_shows_takes_what_its_route_sends_and_shows_the_mark() -> None:
    (text,) = re.findall(r"```yml\n(.*?)```", TEXT, re.DOTALL)
    workflow = declared.read(text)
    every = [route.start for shown in SHOWN for route in decode(shown).routes if route.start]
    (start,) = (one for one in every if is_github(one.organization))
    assert workflow.inputs is not None
    assert {*workflow.inputs} == {*start.parameters, start.correlation}
    assert workflow.shows(str(start.correlation))
    steps = yaml.safe_load(text)["jobs"]["deploy"]["steps"]
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []


def test_every_file_that_it_names_is_there() -> None:
    links = re.findall(r"\]\((?!https:)([^)#]+)\)", TEXT)
    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
