"""Settings that were mistyped: what is used instead, and that it is told."""

from __future__ import annotations

import pytest

from functions import settings
from functions.core.policy import Policy
from functions.declared import Environment


@pytest.mark.parametrize("value", ["1", "true", "YES", " on "])
def test_paused_is_said_in_several_ways(value: str) -> None:
    read = settings.read({"PAUSED": value})
    assert (read.policy.paused, read.complaints) == (True, ())


@pytest.mark.parametrize("value", ["0", "False", "no", "off", ""])
def test_not_paused_is_said_in_several_ways(value: str) -> None:
    read = settings.read({"PAUSED": value})
    assert (read.policy.paused, read.complaints) == (False, ())


def test_who_may_have_meant_to_pause_is_paused() -> None:
    read = settings.read({"PAUSED": "maybe"})
    assert read.policy.paused
    assert read.complaints == ("PAUSED='maybe' is neither 0 nor 1; 1 is used",)


def test_an_unknown_way_to_authorize_is_a_pat_and_told() -> None:
    read = settings.read({"DEVOPS_AUTH": "kerberos"})
    assert not read.devops_entra
    assert read.complaints == ("DEVOPS_AUTH='kerberos' is not one of pat, entra; pat is used",)


@pytest.mark.parametrize("value", ["pat", "Entra", "ENTRA "])
def test_a_known_way_to_authorize_is_taken_in_any_case(value: str) -> None:
    read = settings.read({"DEVOPS_AUTH": value})
    assert read.devops_entra is value.lower().startswith("entra")
    assert read.complaints == ()


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "inf", "1e9"])
def test_what_is_no_number_of_seconds_keeps_the_default_and_is_told(value: str) -> None:
    read = settings.read({"CLAIM_LEASE_SECONDS": value})
    assert read.policy == Policy()
    told = f"CLAIM_LEASE_SECONDS={value!r} is no number above 0 and up to 1e+07; 120 is used"
    assert read.complaints == (told,)


def test_a_deadline_that_event_grid_would_not_wait_for_is_not_taken() -> None:
    read = settings.read({"DELIVERY_DEADLINE_SECONDS": "900"})
    assert read.policy.delivery_deadline == 20
    assert "up to 25" in read.complaints[0]


@pytest.mark.parametrize("name", ["DEVOPS_URL", "KEY_VAULT_URL", "RESOURCE_MANAGER_URL"])
def test_an_address_without_a_scheme_is_taken_as_https_and_told(name: str) -> None:
    read = settings.read({name: "here.example/"})
    assert getattr(read, name.lower()) == "https://here.example"
    assert read.complaints == (f"{name}='here.example' is no address; https is assumed",)


@pytest.mark.parametrize(
    ("value", "entra"), [("", False), ("key", False), ("Entra", True), ("kee", False)]
)
def test_the_page_asks_for_a_key_unless_people_sign_in(value: str, *, entra: bool) -> None:
    assert Environment({"OPERATIONS_AUTH": value}).operations_entra() is entra
    told = settings.read({"OPERATIONS_AUTH": value}).complaints
    wrong = ("OPERATIONS_AUTH='kee' is not one of key, entra; key is used",)
    assert told == (wrong if value == "kee" else ())


def test_every_mistake_is_told() -> None:
    mistaken = {"PAUSED": "maybe", "DEVOPS_AUTH": "x", "IN_DOUBT_GRACE_SECONDS": "long"}
    assert len(settings.read(mistaken).complaints) == 3


def test_a_cloud_that_is_not_known_is_the_public_one_and_told() -> None:
    read = settings.read({"AZURE_CLOUD": "AzureMoon"})
    assert read.resource_manager_url == "https://management.azure.com"
    assert "'AzureMoon' is not one of AzureCloud, " in read.complaints[0]


def test_a_cloud_is_named_in_any_case() -> None:
    read = settings.read({"AZURE_CLOUD": "azureusgovernment"})
    assert (read.policy.studio, read.complaints) == ("https://ml.azure.us", ())
