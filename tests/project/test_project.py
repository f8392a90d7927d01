"""What the function app is made of and deployed with."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from functions import headers
from functions.core.rounds import sweep
from functions.core.terms import deadline
from tests.running.imports import imported
from tests.running.shipping import ROOT, shipped

TOO_SLOW_TO_START = {"mlflow", "mlflow-skinny", "azure-ai-ml", "httpx", "jinja2", "structlog"}
COMMAND_LINE = {"typer", "rich"}
TEST_TOOLS = {"pytest", "hypothesis", "flask", "trustme", "azure-devops", "mypy", "ruff"}
LONGEST_ON_CONSUMPTION = timedelta(minutes=10)


@pytest.fixture
def host() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ROOT / "host.json").read_text("utf-8"))
    return read


def seconds(text: str) -> float:
    hours, minutes, rest = map(int, text.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=rest).total_seconds()


def test_the_host_lets_a_round_of_the_reconciler_end(host: dict[str, Any]) -> None:
    longest = deadline.ROUND_SECONDS + deadline.EACH_SECONDS
    assert longest < seconds(host["functionTimeout"]) <= LONGEST_ON_CONSUMPTION.total_seconds()


def test_the_host_lets_a_sweep_end(host: dict[str, Any]) -> None:
    last_start = 2 * deadline.EACH_SECONDS
    longest = deadline.ROUND_SECONDS + last_start + sweep.PRUNING_SECONDS
    assert longest < seconds(host["functionTimeout"])


def test_the_host_says_of_its_own_answers_what_the_app_says(host: dict[str, Any]) -> None:
    assert host["extensions"]["http"]["customHeaders"] == headers.ALWAYS


def test_the_host_loads_the_event_grid_extension(host: dict[str, Any]) -> None:
    bundle = host["extensionBundle"]
    assert host["version"] == "2.0"
    assert bundle["id"] == "Microsoft.Azure.Functions.ExtensionBundle"
    assert bundle["version"].startswith("[4.")


def test_no_outcome_is_sampled_away(host: dict[str, Any]) -> None:
    sampling = host["logging"]["applicationInsights"]["samplingSettings"]
    assert not sampling["isEnabled"] or "Trace" in sampling["excludedTypes"].split(";")


def test_nothing_is_deployed_that_only_people_or_tests_need_or_that_starts_slowly() -> None:
    assert shipped() & (COMMAND_LINE | TEST_TOOLS | TOO_SLOW_TO_START) == set()


def test_the_entry_hands_over_to_the_triggers_and_knows_nothing_below_the_wiring() -> None:
    below = ("functions.adapters", "functions.core")
    assert [m for m in imported(ROOT / "function_app.py") if m.startswith(below)] == []
