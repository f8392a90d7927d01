"""The runbook explains everything that the app may tell."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest
import yaml

from functions.core.operators.explaining import AS_IDENTITY
from functions.core.operators.meanings import REASONS, STATES
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.running.shipping import ROOT

RUNBOOK = (ROOT / "docs" / "operations.md").read_text("utf-8")
ALERTS = [alert["name"] for alert in yaml.safe_load((ROOT / "infra" / "alerts.yaml").read_text())]


def row(name: str) -> str:
    (found,) = re.findall(rf"^\| `{name}` \|.*$", RUNBOOK, re.MULTILINE)
    return str(found)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_stands_there_with_the_words_of_the_command_line(reason: Reason) -> None:
    beginning = re.split(r"\{", REASONS[reason].means)[0]
    assert beginning in row(reason)


@pytest.mark.parametrize("reason", Reason)
def test_the_row_of_a_reason_is_what_the_app_says_of_it_and_nothing_else(reason: Reason) -> None:
    words, identity = REASONS[reason].about(), AS_IDENTITY.get(reason)
    else_do = (
        f"; with `DEVOPS_AUTH=entra`: {identity.about().do}" if identity and identity.do else ""
    )
    assert row(reason) == f"| `{reason}` | {words.means} | {words.do}{else_do} |"


@pytest.mark.parametrize("state", State)
def test_every_state_stands_there(state: State) -> None:
    assert row(state)


@pytest.mark.parametrize("state", State)
def test_a_state_is_told_as_the_app_tells_it(state: State) -> None:
    assert row(state).startswith(f"| `{state}` | {STATES[state]}")


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_its_section(alert: str) -> None:
    assert f"\n### {alert}\n" in RUNBOOK


def test_there_is_no_section_of_an_alert_that_is_gone() -> None:
    sections = RUNBOOK.partition("## Alerts")[2].partition("\n## ")[0]
    assert re.findall(r"^### (.+)$", sections, re.MULTILINE) == ALERTS


def test_the_example_of_an_outcome_event_is_one() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", RUNBOOK, re.DOTALL)
    schema = json.loads((ROOT / "docs" / "outcome-event.schema.json").read_text("utf-8"))
    of_aml = "s/resourceGroups/g/providers/Microsoft.MachineLearningServices"
    event = json.loads(example.replace("…", of_aml))
    jsonschema.validate(event, schema)


def test_the_schema_of_outcome_events_names_every_reason() -> None:
    schema = json.loads((ROOT / "docs" / "outcome-event.schema.json").read_text("utf-8"))
    assert schema["properties"]["data"]["properties"]["reason"]["examples"] == [*map(str, Reason)]
