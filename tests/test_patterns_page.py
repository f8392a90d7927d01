"""docs/patterns.md shows routes that the app would take, and names files that are there."""

from __future__ import annotations

import re

import yaml

from functions.core.routes import decode
from functions.core.values import Outcome
from tests.shipping import ROOT

PAGE = ROOT / "docs" / "patterns.md"
TEXT = PAGE.read_text("utf-8")
HEAD = {"version": 1, "defaults": {"organization": "contoso", "project": "mlops"}}


def test_every_route_that_it_shows_can_be_read_and_told_apart() -> None:
    shown = re.findall(r"```yaml\n(routes:.*?)```", TEXT, re.DOTALL)
    read = [decode(yaml.safe_dump({**HEAD, **yaml.safe_load(text)})) for text in shown]
    assert [line for routes in read for line in routes.warnings] == []
    about = {outcome for routes in read for route in routes.routes for outcome in route.outcomes}
    assert {outcome for outcome in Outcome if not outcome.ends_run} <= about


def test_every_file_that_it_names_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
