"""What is wrong is told before anything is made, and letters do not tell two things apart."""

from __future__ import annotations

import json

import pytest

from tests.infra.predicted import answers, everything, one, resources, settings, template
from tests.infra.refused import cases
from tests.infra.sets import WORKSPACE


@pytest.mark.parametrize("name", cases())
def test_what_nobody_can_have_meant_is_refused_by_name_and_value(name: str) -> None:
    said = answers().refusals[name]
    assert [words for words in cases()[name].words if words not in said] == []


def test_what_is_refused_makes_nothing() -> None:
    refused = [name for name in answers().snapshots if name.startswith("refused-")]
    assert len(refused) > 10
    assert [name for name in refused if answers().snapshots[name]] == []


def test_one_deployment_in_the_letters_of_two_people_is_one() -> None:
    quiet, loud = (answers().snapshots[name] for name in ("quiet", "loud"))
    assert quiet != loud
    assert names(quiet) == names(loud)
    assert len(names(quiet)) > 50


def names(snapshot: str) -> list[tuple[str, str]]:
    """What Azure takes for the same, whatever the letters."""
    found = json.loads(snapshot)["predictedResources"]
    return sorted((each["id"].lower(), each["name"].lower()) for each in found)


def test_a_variable_that_is_set_and_empty_is_none() -> None:
    assert settings("dev")["DEVOPS_AUTH"] == "pat"
    assert one("dev", "Web/sites")["tags"]["azd-env-name"] == "dev"
    assert resources("dev", "KeyVault/vaults")
    assert len(resources("dev", "EventGrid/systemTopics")) == 1


def test_a_list_may_have_blanks_and_a_comma_at_its_end() -> None:
    assert settings("prod")["SWEEP_WORKSPACES"].split(",")[0] == WORKSPACE
    assert len(resources("prod", "EventGrid/systemTopics")) == 2
    mails = one("prod", "Insights/actionGroups")["properties"]["emailReceivers"]
    assert [each["emailAddress"] for each in mails] == ["one@example.com", "two@example.com"]


def test_what_a_variable_says_is_deployed() -> None:
    assert settings("prod")["DEVOPS_URL"] == "https://devops.example.com/tfs"
    assert one("prod", "Web/sites")["tags"]["azd-env-name"] == "live"
    assert everything("prod")["outputs"]["AZURE_KEY_VAULT_NAME"] == "theirs"
    kinds = {
        each["properties"]["principalId"]: each["properties"]["principalType"]
        for each in resources("prod", "Authorization/roleAssignments")
    }
    assert kinds["abcdef22-2222-2222-2222-222222222224"] == "ServicePrincipal"


def test_no_address_that_is_a_key_can_be_read_from_a_deployment() -> None:
    parameter = template()["parameters"]["alertWebhooks"]
    assert parameter["type"] == "securestring"
    group = one("prod", "Insights/actionGroups")["properties"]
    assert group["webhookReceivers"] == "[unknown()]"
