"""Settings that were mistyped: what is used instead, and that it is told."""

from __future__ import annotations

import pytest

from functions.configuration import settings
from functions.configuration.declared import Environment
from functions.core.terms.policy import Policy

APP = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-relay"
    "/providers/Microsoft.Web/sites/func-relay"
)


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


@pytest.mark.parametrize(
    ("name", "value", "used"),
    [
        ("DEVOPS_URL", "https://server/tfs/", "https://server/tfs"),
        ("DEVOPS_URL", "https://server/tfs/DefaultCollection", None),
        ("DEVOPS_URL", "http://build_server:8080/tfs", None),
        ("DEVOPS_URL", "https://[::1]:8443", None),
        ("DEVOPS_URL", "HTTPS://DEV.Azure.com/", "https://dev.azure.com"),
        ("DEVOPS_URL", "https://dev.azure.com.example", None),
        ("DEVOPS_URL", "https://notvisualstudio.com/tfs", None),
        ("KEY_VAULT_URL", "https://Relay.vault.azure.net/", "https://relay.vault.azure.net"),
        ("RESOURCE_MANAGER_URL", "https://management.local.azurestack.external", None),
    ],
)
def test_an_address_that_can_be_meant_is_used(name: str, value: str, used: str | None) -> None:
    read = settings.read({name: value})
    assert (getattr(read, name.lower()), read.complaints) == (used or value, ())


@pytest.mark.parametrize(
    "value",
    [
        *("https://dev.azure.com/contoso", "dev.azure.com/contoso", "http://dev.azure.com"),
        *("https://contoso.visualstudio.com", "https://Contoso.VisualStudio.com/DefaultCollection"),
        *("https://dev.azure.com./contoso", "https://dev.azure.com:8443"),
    ],
)
def test_the_service_of_azure_devops_is_the_same_for_every_organization(value: str) -> None:
    read = settings.read({"DEVOPS_URL": value})
    assert read.devops_url == "https://dev.azure.com"
    assert (
        "where routes name the organization; https://dev.azure.com is used" in read.complaints[-1]
    )


@pytest.mark.parametrize(
    ("value", "used"),
    [
        ("https://v.vault.azure.net/secrets/pat", "https://v.vault.azure.net"),
        ("http://v.vault.azure.net", "https://v.vault.azure.net"),
        ("https://v.vault.azure.net?x", ""),
    ],
)
def test_a_vault_is_asked_at_its_own_host_over_tls(value: str, used: str) -> None:
    read = settings.read({"KEY_VAULT_URL": value})
    (told,) = read.complaints
    assert (read.key_vault_url, told.endswith(f"; {used or 'none'} is used")) == (used, True)


@pytest.mark.parametrize("value", ["1", "60"])
def test_a_lease_that_one_look_may_outlast_is_taken_and_doubted(value: str) -> None:
    read = settings.read({"CLAIM_LEASE_SECONDS": value})
    assert (read.policy.lease.total_seconds(), read.complaints) == (float(value), ())
    assert read.doubts == (f"CLAIM_LEASE_SECONDS={value!r} should be above 60",)


@pytest.mark.parametrize("token", ["a2" * 26, "a1B2" * 19 + "AZDO" + "a1B2"])
def test_a_token_in_place_of_its_secrets_name_is_neither_used_nor_shown(token: str) -> None:
    read = settings.read({"DEVOPS_PAT_SECRET": token})
    assert read.policy.secret == "azure-devops-pat"
    assert token not in str(read)


def test_the_same_is_complained_of_once() -> None:
    assert len(settings.read({"AZURE_CLIENT_ID": "relay"}).complaints) == 1


def test_settings_of_storage_count_only_where_the_ledger_is_there() -> None:
    wrong = {"AzureWebJobsStorage__accountName": "my_account", "LEDGER_TABLE": "a-b"}
    assert "accountName='my_account'" in settings.read(wrong).no_ledger
    assert settings.read({**wrong, "LEDGER_URL": "sqlite:///here.db"}).no_ledger == ""
    stored = {**wrong, "AzureWebJobsStorage": "a=b"}
    assert "LEDGER_TABLE='a-b'" in settings.read(stored).no_ledger


@pytest.mark.parametrize(
    ("value", "signed"),
    [
        ("ClientId=00000000-0000-4000-8000-000000000001;Authorization=AAD", True),
        ("Authorization=AAD", True),
        ("Authorization=Key", False),
    ],
)
def test_telemetry_is_signed_where_that_is_said(value: str, *, signed: bool) -> None:
    given = {"RELAY_OTEL": "1", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": value}
    read = settings.read(given)
    assert (read.insights_entra, len(read.complaints)) == (signed, int(not signed))


@pytest.mark.parametrize(
    ("between", "equals"), [("; ", "="), (" ;", "="), (";", " = "), (";\n", "=")]
)
def test_a_connection_string_with_spaces_loses_no_endpoint_and_is_told(
    between: str, equals: str
) -> None:
    """The exporter would send what is for an endpoint of one's own to the public one."""
    key = "InstrumentationKey=00000000-0000-4000-8000-000000000001"
    text = f"{key}{between}IngestionEndpoint{equals}https://a.example/"
    read = settings.read({"RELAY_OTEL": "1", "APPLICATIONINSIGHTS_CONNECTION_STRING": text})
    assert read.insights == f"{key};IngestionEndpoint=https://a.example/"
    (said,) = read.complaints
    assert said.startswith("APPLICATIONINSIGHTS_CONNECTION_STRING has spaces")
    assert "a.example" not in said


def test_a_connection_string_as_azure_gives_it_is_used() -> None:
    key = "InstrumentationKey=00000000-0000-4000-8000-000000000001"
    text = f"{key};IngestionEndpoint=https://a.example/;LiveEndpoint=https://b.example/"
    given = {"RELAY_OTEL": "1", "APPLICATIONINSIGHTS_CONNECTION_STRING": text}
    assert (settings.read(given).insights, settings.read(given).complaints) == (text, ())


@pytest.mark.parametrize(
    ("given", "known"),
    [
        (APP, APP),
        (f" {APP}\n", APP),
        ("func-relay", ""),
        (f"{APP}/functions/x", ""),
        (f"{APP} --yes", ""),
        ("", ""),
    ],
)
def test_the_app_knows_itself_by_the_id_that_its_deployment_says(given: str, known: str) -> None:
    assert settings.read({"RUN_RELAY_APP": given}).app == known
