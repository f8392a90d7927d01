"""Each check of the doctor on a deployment that lacks just that."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from functions.adapters.clock import SystemClock
from functions.configuration import settings as known_settings
from functions.core.rounds.watch import ROUNDS
from local.arm.roles import READER, SECRETS_USER, Role
from local.arm.vaults import VaultResource
from local.arm.web import Site
from local.cloud import SECRET, SUBSCRIPTION, WORKSPACE
from local.devops import Parameter
from local.eventgrid.topic import Topic
from local.serving.faults import Fault
from local.serving.web import Server
from local.trainings import COMPLETED, STATUS_CHANGED
from relay.deployment.deployed import Deployed
from relay.deployment.signin import SignedIn
from relay.doctor.app import probe
from relay.doctor.azure import devops
from relay.doctor.azure.vault import UNSEEN
from relay.doctor.case import Case
from tests.conftest import PAT
from tests.doctor.conftest import APP, GROUP, PRINCIPAL, STATUSES, TOPIC, VAULT, Patient
from tests.ledger import samples
from tests.saying.refusals import says
from tests.stage.azure import ROUTES, now

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.doctor.conftest import Report

ASKED = "*/_apis/connectionData"
ALLOWED = "the app's identity may read azure-devops-pat"


def only(report: Any, check: str) -> tuple[str, str]:
    """Status and words of the one line that is not ok, which is the check's."""
    (bad,) = [(f["check"], f["status"], f["said"]) for f in report.findings if wrong(f)]
    assert bad[0] == check
    return bad[1], bad[2]


def wrong(finding: dict[str, str]) -> bool:
    return finding["status"] != "ok" and not finding["said"].startswith("LEDGER_URL is")


def test_a_setting_that_cannot_be_meant_is_named(patient: Patient) -> None:
    patient.deploy(SWEEP_HOURS="soon")
    report = patient.examined("--no-probe")
    status, said = only(report, "settings")
    assert (report.code, status) == (0, "warning")
    assert said.startswith("SWEEP_HOURS='soon'")


@pytest.mark.parametrize("value", ["every minute", "00:05:00"])
def test_a_schedule_that_may_not_be_kept_is_named(patient: Patient, value: str) -> None:
    patient.deploy(RECONCILE_SCHEDULE=value)
    report = patient.examined("--no-probe")
    status, said = only(report, "settings")
    assert (report.code, status) == (0, "warning")
    assert said.startswith("RECONCILE_SCHEDULE")


def test_a_connection_string_with_a_space_is_named(patient: Patient) -> None:
    key = "InstrumentationKey=00000000-0000-4000-8000-000000000001"
    text = f"{key}; IngestionEndpoint=https://a.example/"
    patient.deploy(RELAY_OTEL="1", APPLICATIONINSIGHTS_CONNECTION_STRING=text)
    report = patient.examined("--no-probe")
    (said,) = [said for check, said in report.bad if check == "settings"]
    assert said.startswith("APPLICATIONINSIGHTS_CONNECTION_STRING has spaces beside ; or =")


def test_a_table_that_azure_has_not_is_a_failure(patient: Patient) -> None:
    patient.deploy(LEDGER_URL="", AzureWebJobsStorage="a=b", LEDGER_TABLE="my-table")
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert report.of("settings")[0][1].startswith("no ledger: LEDGER_TABLE='my-table'")


def test_a_vault_that_is_not_named_is_a_failure(patient: Patient) -> None:
    patient.deploy(KEY_VAULT_URL="")
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert ("failure", "KEY_VAULT_URL is not set") in report.of("settings")


def test_a_ledger_that_is_not_named_is_a_failure(patient: Patient) -> None:
    patient.deploy(LEDGER_URL="")
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert report.of("settings")[0][1].startswith("no ledger: set AzureWebJobsStorage")


def test_a_ledger_that_is_not_there_is_not_made(patient: Patient, tmp_path: Path) -> None:
    patient.deploy(LEDGER_URL=f"sqlite:///{tmp_path / 'typo.db'}")
    report = patient.examined("--no-probe")
    assert (report.code, (tmp_path / "typo.db").exists()) == (1, False)


def test_an_app_that_is_stopped_is_a_failure(patient: Patient) -> None:
    patient.deploy({"state": "Stopped"})
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert only(report, "running") == ("failure", "the app's state is Stopped")


def test_a_paused_app_is_a_warning(patient: Patient) -> None:
    patient.deploy(PAUSED="1")
    report = patient.examined("--no-probe")
    assert report.code == 0
    assert only(report, "paused")[0] == "warning"


def test_an_identity_without_the_role_is_a_failure(patient: Patient) -> None:
    patient.cloud.arm.roles.revoke(PRINCIPAL)
    for scope in (VAULT, WORKSPACE):
        patient.cloud.arm.roles.assign(PRINCIPAL, READER, scope)
    report = patient.examined("--no-probe")
    assert report.code == 1
    said = "the app's identity may not read azure-devops-pat"
    assert only(report, "right to the secret") == ("failure", said)


@pytest.mark.parametrize(
    ("scope", "well"),
    [
        (f"/subscriptions/{SUBSCRIPTION}", True),
        (f"{VAULT}/secrets/azure-devops-pat", True),
        (f"{VAULT}/secrets/other", False),
        (f"{VAULT}-2", False),
        (f"{VAULT}/secrets/azure-devops", False),
    ],
)
def test_a_role_counts_where_it_covers_the_secret(
    patient: Patient, scope: str, *, well: bool
) -> None:
    patient.cloud.arm.roles.revoke(PRINCIPAL)
    patient.cloud.arm.roles.assign(PRINCIPAL, SECRETS_USER, scope)
    patient.cloud.arm.roles.assign(PRINCIPAL, READER, WORKSPACE)
    report = patient.examined("--no-probe")
    assert (report.code == 0, (("ok", ALLOWED) in report.of("right to the secret"))) == (well, well)


def test_a_role_of_ones_own_counts_for_what_it_gives_in_the_end(patient: Patient) -> None:
    own, roles = "44444444-0000-4000-8000-000000000000", patient.cloud.arm.roles
    secrets = ("Microsoft.KeyVault/vaults/secrets/*",)
    roles.revoke(PRINCIPAL)
    roles.assign(PRINCIPAL, own, VAULT)
    roles.define(own, Role("mine", data_actions=secrets))
    assert patient.examined("--no-probe").of("right to the secret") == [("ok", ALLOWED)]
    without = ("microsoft.keyvault/vaults/secrets/getsecret/action",)
    roles.define(own, Role("mine", data_actions=secrets, not_data_actions=without))
    assert patient.examined("--no-probe").of("right to the secret")[0][0] == "failure"


@pytest.mark.parametrize(("readers", "code"), [((PRINCIPAL,), 0), ((), 1)])
def test_a_vault_with_access_policies_is_asked_for_those(
    patient: Patient, readers: tuple[str, ...], code: int
) -> None:
    vault = VaultResource(VAULT, patient.cloud.vault.url, readers)
    patient.cloud.arm.vaults.add(vault)
    patient.cloud.arm.roles.revoke(PRINCIPAL)
    patient.cloud.arm.roles.assign(PRINCIPAL, READER, WORKSPACE)
    assert patient.examined("--no-probe").code == code


@pytest.mark.parametrize("site", [{"principals": {}}, {"principals": {}, "principal": PRINCIPAL}])
def test_an_identity_that_the_app_does_not_have_is_a_failure(
    patient: Patient, site: dict[str, Any]
) -> None:
    patient.deploy(site)
    report = patient.examined("--no-probe")
    assert report.code == 1
    said = "the app has no such identity as its settings name"
    assert report.bad == [("right to the secret", said), ("right to the workspaces", said)]


def test_a_vault_that_cannot_be_seen_is_not_checked(patient: Patient) -> None:
    patient.cloud.arm.vaults.add(VaultResource(VAULT, "https://other.vault.azure.net"))
    report = patient.examined("--no-probe")
    assert report.code == 0
    status, said = only(report, "right to the secret")
    assert (status, said.startswith("not checked: https://127.0.0.1:")) == ("warning", True)


def test_the_system_assigned_identity_counts_where_none_is_named(patient: Patient) -> None:
    patient.deploy({"principals": {}, "principal": PRINCIPAL}, AZURE_CLIENT_ID="")
    assert patient.examined("--no-probe").bad == []


def test_an_identity_that_may_not_read_runs_is_a_failure(patient: Patient) -> None:
    patient.cloud.arm.roles.revoke(PRINCIPAL)
    patient.cloud.arm.roles.assign(PRINCIPAL, SECRETS_USER, VAULT)
    report = patient.examined("--no-probe")
    assert report.code == 1
    status, said = only(report, "right to the workspaces")
    assert (status, said[:36]) == ("failure", "the app's identity lacks Microsoft.M")


def test_a_secret_that_is_not_there_is_a_failure(patient: Patient) -> None:
    patient.cloud.vault.delete(SECRET)
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert report.of("secret") == [("failure", "azure-devops-pat is not in the vault")]


def test_a_disabled_secret_is_a_failure(patient: Patient) -> None:
    patient.cloud.vault.disable(SECRET)
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert report.of("secret") == [("failure", "azure-devops-pat is disabled")]


@pytest.mark.parametrize(
    ("days", "status", "said"),
    [
        (-1, "failure", "azure-devops-pat ended on "),
        (12, "warning", "azure-devops-pat ends in 11 days, on "),
        (None, "warning", "azure-devops-pat has no expiry date"),
    ],
)
def test_a_secret_that_ends_is_told_of(
    patient: Patient, days: int | None, status: str, said: str
) -> None:
    patient.cloud.vault.put(SECRET, PAT, now() + timedelta(days=days) if days else None)
    report = patient.examined("--no-probe")
    assert report.code == (status == "failure")
    told = only(report, "secret")
    assert (told[0], told[1][: len(said)]) == (status, said)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("expires", [253_402_300_800, 10**13, 10**30, -(10**14)])
def test_an_expiry_date_that_is_no_time_is_told_of(
    patient: Patient, expires: int, *, hidden: bool
) -> None:
    patient.cloud.vault.delete(SECRET)
    patient.cloud.vault.put(SECRET, PAT, expires)
    if hidden:
        patient.cloud.vault.hide_values()
    report = patient.examined("--no-probe")
    assert report.code == 0
    (told,) = report.of("secret")
    assert told[0] == "warning"
    assert told[1].startswith(
        "azure-devops-pat has an expiry date that is no time, so that nobody is warned"
    )


@pytest.mark.parametrize("created", [253_402_300_800, "soon", None])
def test_a_version_that_was_made_at_no_time_is_no_newer_than_another(
    patient: Patient, created: object
) -> None:
    versions = [
        {
            "id": f"https://v/secrets/{SECRET}/1",
            "attributes": {"enabled": False, "created": created},
        },
        {
            "id": f"https://v/secrets/{SECRET}/2",
            "attributes": {"enabled": True, "created": 1, "exp": 1},
        },
    ]
    patient.cloud.vault.hide_values()
    answer = Fault(
        path="/secrets/*/versions",
        status=200,
        headers={"Content-Type": "application/json"},
        body=json.dumps({"value": versions}),
    )
    patient.cloud.vault.server.faults.add(answer)
    report = patient.examined("--no-probe")
    assert report.of("secret") == [("failure", f"azure-devops-pat ended on 1970-01-01{UNSEEN}")]


def _gone(patient: Patient) -> None:
    patient.cloud.vault.delete(SECRET)


def _disabled(patient: Patient) -> None:
    patient.cloud.vault.delete(SECRET)  # of two versions of one second none is the newest
    patient.cloud.vault.put(SECRET, PAT)
    patient.cloud.vault.disable(SECRET)


def _ended(patient: Patient) -> None:
    patient.cloud.vault.delete(SECRET)
    patient.cloud.vault.put(SECRET, PAT, expires=datetime(2020, 1, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("happened", "said"),
    [
        (_gone, "azure-devops-pat is not in the vault"),
        (_disabled, "azure-devops-pat is disabled"),
        (_ended, f"azure-devops-pat ended on 2020-01-02{UNSEEN}"),
    ],
)
def test_a_secret_that_nobody_can_use_is_a_failure_also_to_whoever_may_not_read_it(
    patient: Patient, happened: Callable[[Patient], None], said: str
) -> None:
    happened(patient)
    patient.cloud.vault.hide_values()
    report = patient.examined("--no-probe")
    assert (report.code, report.of("secret")) == (1, [("failure", said)])


def test_a_secret_that_one_may_not_read_is_judged_by_its_newest_version(patient: Patient) -> None:
    kept = patient.cloud.vault
    kept.clock = lambda: now().timestamp() + 60
    kept.put(SECRET, PAT, expires=now() + timedelta(days=200))
    kept.hide_values()
    report = patient.examined("--no-probe")
    assert report.code == 0
    (told,) = report.of("secret")
    assert told[0] == "ok"
    assert told[1].startswith("azure-devops-pat ends in 199 days")
    assert [check for check, _ in report.bad] == ["Azure DevOps", "pipelines"]


def test_a_secret_of_which_nothing_is_told_is_not_checked(patient: Patient) -> None:
    body = '{"error":{"code":"Forbidden","innererror":{"code":"ForbiddenByRbac"}}}'
    headers = {"Content-Type": "application/json"}
    fault = Fault(path="/secrets/*", status=403, headers=headers, body=body, times=99)
    patient.cloud.vault.server.faults.add(fault)
    report = patient.examined("--no-probe")
    assert report.code == 0
    assert [check for check, _ in report.bad] == ["secret", "Azure DevOps", "pipelines"]


def test_a_server_of_an_older_version_is_named_with_the_setting_for_it(patient: Patient) -> None:
    text = (
        "The requested REST API version of 7.1 is out of range for this server. The latest REST "
        "API version this server supports is 7.0."
    )
    older = says(
        400, text, path="*/_apis/*", method="*", times=99, key="VssVersionOutOfRangeException"
    )
    patient.cloud.devops.server.faults.add(older)
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert report.of("Azure DevOps") == [("failure", "contoso: the server speaks REST 7.0")]
    assert "set DEVOPS_API_VERSION=7.0" in report.text
    assert report.of("pipelines") == [("warning", "not asked: the server speaks REST 7.0")]
    assert "see what the token may do" not in report.text


def test_its_pipelines_are_asked_in_the_version_that_it_speaks(patient: Patient) -> None:
    """The first request of each check is of 7.1; what is asked in 7.0 it answers."""
    text = "The latest REST API version this server supports is 7.0."
    older = says(
        400, text, path="*/_apis/*", method="*", times=2, key="VssVersionOutOfRangeException"
    )
    patient.cloud.devops.server.faults.add(older)
    report = patient.examined("--no-probe")
    assert [check for check, said in report.bad if "REST" in said] == ["Azure DevOps"]
    assert [status for status, _ in report.of("pipelines")] == ["ok", "ok"]


@pytest.mark.parametrize("shape", ["203", "302", "401-html", "401-json", "401-empty"])
def test_a_credential_that_is_refused_is_a_failure(patient: Patient, shape: Any) -> None:
    patient.cloud.devops.refuse(PAT, shape)
    report = patient.examined("--no-probe")
    assert report.code == 1
    (found,) = report.of("Azure DevOps")
    assert found[0] == "failure"
    assert found[1].endswith("the credential is not accepted")
    expired = "the token has expired or was revoked, most likely: make a new one and store it as a"
    assert advice(report, "Azure DevOps").startswith(expired)
    assert advice(report, "Azure DevOps").endswith(" new version of the secret azure-devops-pat")


def advice(report: Report, check: str) -> str:
    """What is to be done about a check's only line."""
    (found,) = (finding["do"] for finding in report.findings if finding["check"] == check)
    return found


@pytest.mark.parametrize(
    ("fault", "do"),
    [
        (says(403, "TF400813", path=ASKED, method="GET"), "its scope Build (Read & execute) first"),
        (says(404, path=ASKED, method="GET"), "name the organization contoso as it is"),
        (says(400, path=ASKED, method="GET"), "the REST version that DEVOPS_API_VERSION names"),
        (says(429, path=ASKED, method="GET", times=9), "it asks to slow down: try again later"),
        (
            Fault("GET", ASKED, status=503, times=9),
            "see that no proxy answers in the place of Azure DevOps",
        ),
    ],
)
def test_each_way_of_saying_no_has_the_advice_that_fits(
    patient: Patient, fault: Fault, do: str
) -> None:
    patient.cloud.devops.server.faults.add(fault)
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert do in advice(report, "Azure DevOps")


def test_with_entra_no_secret_is_looked_for_and_only_the_operator_is_tried(
    patient: Patient,
) -> None:
    patient.deploy(DEVOPS_AUTH="entra", KEY_VAULT_URL="")
    report = patient.examined("--no-probe")
    assert report.code == 0
    assert report.of("secret") == [("ok", "no secret is needed: DEVOPS_AUTH=entra")]
    taken = ("ok", "contoso takes your own sign-in, as Run Relay")
    cannot = ("warning", "the app's identity itself cannot be tried from here")
    assert report.of("Azure DevOps") == [taken, cannot]


def test_with_entra_channels_are_told_what_makes_their_vault(patient: Patient) -> None:
    """What is set by hand the next deployment takes away."""
    told = "version: 1\nnotify: [{teams: relay-teams}]"
    patient.stage.routes(ROUTES.replace("version: 1", told))
    patient.deploy(DEVOPS_AUTH="entra", KEY_VAULT_URL="")
    report = patient.examined("--no-probe")
    assert "vaultSecrets" in advice(report, "people told")


def test_routes_that_start_nothing_leave_nothing_to_look_at(patient: Patient) -> None:
    patient.stage.routes("version: 1\nroutes: [{name: waiting, complete: true}]")
    report = patient.examined("--no-probe")
    nothing = [("ok", "there is nothing to look at")]
    assert (report.bad, report.of("secret"), report.of("Azure DevOps")) == ([], nothing, nothing)
    assert report.of("pipelines") == [("ok", "waiting starts no pipeline")]


def case(patient: Patient) -> Case:
    """The doctor's own view, for what no option changes."""
    environ = {**patient.stage.environ}
    return Case(known_settings.read(environ), SignedIn())


@pytest.mark.parametrize(
    ("everywhere", "today", "status", "said"),
    [
        (True, datetime(2026, 11, 22, tzinfo=UTC), "warning", "is for all organizations"),
        (False, datetime(2026, 11, 22, tzinfo=UTC), "warning", "does not look like one for all"),
        (False, datetime(2026, 12, 1, tzinfo=UTC), "ok", "are no longer taken"),
    ],
)
def test_a_token_for_all_organizations_is_told_as_far_as_it_can_be(
    patient: Patient, everywhere: bool, today: datetime, status: str, said: str
) -> None:
    if everywhere:
        patient.cloud.devops.keys.accept_everywhere(PAT)
    examined = case(patient)
    examined.profiles = {patient.cloud.devops.url: patient.cloud.devops.url}
    examined.clock = _Stopped(today)
    (found,) = devops.bounded_to_one(examined)
    assert found.status == status
    assert said in found.said


class _Stopped(SystemClock):
    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


TEXT = Parameter(default="")
NUMBER = Parameter(type="number", default="1")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "Unexpected parameter 'run_id'"),
        ({"run_id": NUMBER, "model": None}, "A value for the 'model' parameter must be provided."),
        ({"run_id": TEXT, "model": None}, "A value for the 'model' parameter must be provided."),
    ],
)
def test_parameters_that_a_pipeline_does_not_take_are_a_failure(
    patient: Patient, parameters: dict[str, Any], said: str
) -> None:
    patient.cloud.devops.add_pipeline("contoso", "mlops", 42, "next", parameters=parameters)
    report = patient.examined("--no-probe")
    assert report.code == 1
    status, words = only(report, "pipelines")
    assert (status, words.startswith("register, pipeline contoso/mlops/42")) == ("failure", True)
    assert said in words


def test_a_sample_that_a_pipeline_does_not_take_is_a_warning(patient: Patient) -> None:
    parameters = {"run_id": NUMBER}
    patient.cloud.devops.add_pipeline("contoso", "mlops", 42, "next", parameters=parameters)
    report = patient.examined("--no-probe")
    assert report.code == 0
    assert only(report, "pipelines")[0] == "warning"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pipeline: 42", "pipeline: 44", "there is no pipeline contoso/mlops/44"),
        ("pipeline: 42", "pipeline: 42\n      branch: refs/heads/gone", "Unable to resolve"),
        ("pipeline: 42", "pipeline: 42\n      pipeline_version: 9", "has no version 9"),
    ],
)
def test_a_pipeline_that_is_not_as_the_route_says_is_a_failure(
    patient: Patient, old: str, new: str, said: str
) -> None:
    text = patient.stage.routes_file.read_text("utf-8")
    patient.stage.routes(text.replace(old, new))
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert said in only(report, "pipelines")[1]


def test_what_goes_on_by_an_end_is_asked_for_as_well(patient: Patient) -> None:
    sent = '{run_id: "{{ run.id }}", n: "{{ pipeline.run }}", e: "{{ pipeline.end }}"}'
    patient.cloud.devops.add_pipeline(
        "contoso", "mlops", 51, "deploy", parameters={"run_id": TEXT, "n": NUMBER, "e": TEXT}
    )
    text = patient.stage.routes_file.read_text("utf-8").rstrip("\n")
    then = f"    then: {{succeeded: {{start: {{pipeline: 51, parameters: {sent}}}}}}}\n"
    patient.stage.routes(f"{text}\n{then}")
    report = patient.examined("--no-probe")
    assert (report.code, [status for status, _ in report.of("pipelines")][-1]) == (0, "ok")
    assert "succeeded, pipeline contoso/mlops/51 (deploy)" in report.of("pipelines")[-1][1]
    patient.stage.routes(f"{text}\n{then.replace('51', '52')}")
    report = patient.examined("--no-probe")
    assert "there is no pipeline contoso/mlops/52" in only(report, "pipelines")[1]


def test_routes_that_cannot_be_read_are_a_failure(patient: Patient) -> None:
    patient.stage.routes("routes: [")
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert report.of("pipelines")[0][1].startswith("not checked: routes.yaml:")


def rounds(patient: Patient, **value: str) -> str:
    """What is said of rounds with such a row."""
    ledger = patient.stage.ledger
    ledger.share(ledger.shared(ROUNDS), value)
    (_, said), _ = patient.examined("--no-probe").of("rounds")
    return said


def test_when_the_last_round_ended_is_said(patient: Patient) -> None:
    assert patient.examined("--no-probe").of("rounds")[0][1] == "no round is known of yet"
    patient.stage.reconcile()
    at = patient.stage.clock.now().strftime("%Y-%m-%d %H:%M")
    assert (
        patient.examined("--no-probe")
        .of("rounds")[0][1]
        .startswith(f"the last round ended at {at}")
    )


def test_a_timer_that_has_stopped_is_a_warning_whoever_does_its_rounds(patient: Patient) -> None:
    an_hour, minute = (f"{now() - timedelta(minutes=n)}" for n in (60, 1))
    since = f"{now() - timedelta(minutes=60):%Y-%m-%d %H:%M}"
    said = rounds(patient, ended=an_hour, by="timer", timer=an_hour)
    assert said.startswith(f"The timer's last round ended at {since}")
    said = rounds(patient, ended=minute, by="delivery", timer=an_hour)
    assert said.startswith(f"The timer's last round ended at {since}")
    assert "; the last one, by a delivery, ended at " in said
    said = rounds(patient, ended=minute, by="operator")
    assert said.startswith("The timer has done no round; the last one, by an operator, ended at ")
    assert rounds(patient, since=an_hour).startswith(f"No round has ended since {since}")
    report = patient.examined("--no-probe")
    assert only(report, "rounds")[0] == "warning"


def test_a_schedule_that_is_rare_is_no_timer_that_has_stopped(patient: Patient) -> None:
    patient.deploy(RECONCILE_SCHEDULE="0 0 3 * * *")
    said = rounds(
        patient,
        ended=f"{now() - timedelta(hours=30)}",
        by="timer",
        timer=f"{now() - timedelta(hours=30)}",
    )
    assert said.startswith("the last round ended at ")
    assert rounds(patient, since=f"{now()}").startswith("no round ended yet; they are waited for")


def test_a_ledger_that_cannot_be_written_is_a_failure(patient: Patient, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database, however long it may be" * 100)
    patient.deploy(LEDGER_URL=f"sqlite:///{broken}")
    report = patient.examined("--no-probe")
    assert report.code == 1
    ((status, said),) = report.of("ledger")
    assert (status, said.startswith("the ledger: ")) == ("failure", True)
    assert report.of("rounds") == [("warning", "not checked")]


def test_a_workspace_that_is_not_there_is_a_failure(patient: Patient) -> None:
    patient.deploy(SWEEP_WORKSPACES=WORKSPACE.replace("ml-prod", "typo"))
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert [status for status, _ in report.of("workspace")] == ["ok", "failure"]


def test_the_workspace_whose_events_lead_here_is_looked_at_unnamed(patient: Patient) -> None:
    shown = patient.typed("--app", APP, "--no-probe")
    assert "ok       workspace: ml-prod and its MLflow answer" in shown.stdout.splitlines()


def test_a_workspace_of_which_only_a_row_of_the_ledger_tells_is_looked_at(patient: Patient) -> None:
    """The reconciler notes it with its next round: until then the row alone knows it."""
    patient.stage.ledger.claim(samples.opened("r1", at=now()))
    report = patient.examined("--no-probe")
    assert any("efects" in said for _, said in report.of("workspace"))


def test_an_mlflow_that_refuses_is_a_failure(patient: Patient) -> None:
    fault = Fault(path="*/experiments/search", status=403, body="{}", times=9)
    patient.cloud.aml.server.faults.add(fault)
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert only(report, "workspace")[1].startswith("MLflow of ml-prod: answered 403")


def test_an_mlflow_that_does_not_answer_is_told_apart(patient: Patient) -> None:
    patient.cloud.aml.server.faults.add(Fault(path="*/experiments/search", drop="before", times=9))
    report = patient.examined("--no-probe")
    assert report.code == 4
    assert only(report, "workspace")[0] == "failure"


def test_a_workspace_without_any_subscription_is_a_failure(patient: Patient) -> None:
    for name in ("completed", "changed"):
        patient.topic.unsubscribe(name)
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert only(report, "subscriptions")[1] == "no event of ml-prod leads to this app"


def test_a_function_without_a_subscription_is_a_failure(patient: Patient) -> None:
    patient.topic.unsubscribe("changed")
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert only(report, "subscriptions")[1] == "ml-prod: no event leads to on_run_status_changed"


def test_a_route_on_a_model_event_needs_the_subscription_of_its_function(patient: Patient) -> None:
    text = patient.stage.routes_file.read_text("utf-8")
    start = "{pipeline: 42, parameters: {run_id: '{{ model.name }}'}}"
    patient.stage.routes(f"{text}  - {{name: m, event: ModelRegistered, start: {start}}}\n")
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert only(report, "subscriptions")[1] == "ml-prod: no event leads to on_model_registered"
    kind = "Microsoft.MachineLearningServices.ModelRegistered"
    patient.topic.subscribe("m", patient.webhook("on_model_registered"), event_types=[kind])
    assert patient.examined("--no-probe").bad == []


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"event_types": [COMPLETED]}, "does not let microsoft.machinelearning"),
        (
            {**STATUSES, "filters": [{**STATUSES["filters"][0], "values": ["Failed"]}]},
            "changed does not let canceled, notresponding through",
        ),
        (
            {**STATUSES, "filters": [{**STATUSES["filters"][0], "operatorType": "StringNotIn"}]},
            "changed does not let canceled, failed, notresponding through",
        ),
    ],
)
def test_a_subscription_that_lets_an_end_be_lost_is_a_failure(
    patient: Patient, rule: dict[str, Any], said: str
) -> None:
    patient.topic.unsubscribe("changed")
    patient.topic.subscribe("changed", patient.webhook("on_run_status_changed"), **rule)
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert said in only(report, "subscriptions")[1]


def test_a_status_filter_on_completed_runs_lets_none_through(patient: Patient) -> None:
    patient.topic.unsubscribe("completed")
    rule = {**STATUSES, "event_types": [COMPLETED]}
    patient.topic.subscribe("completed", patient.webhook("on_run_completed"), **rule)
    report = patient.examined("--no-probe")
    assert report.code == 1
    assert "none arrives" in only(report, "subscriptions")[1]


@pytest.mark.parametrize(
    ("properties", "code", "said"),
    [
        ({"provisioningState": "Failed"}, 1, "changed is not in force: its state is failed"),
        ({"expirationTimeUtc": "2020-01-01T00:00:00Z"}, 1, "changed ended at 2020-01-01"),
        ({"expirationTimeUtc": "2999-01-01T00:00:00Z"}, 0, "changed ends at 2999-01-01"),
        ({"deadLetterDestination": None}, 0, "changed has no place for dead letters"),
    ],
)
def test_a_subscription_that_will_not_last_is_told_of(
    patient: Patient, properties: dict[str, Any], code: int, said: str
) -> None:
    patient.cloud.arm.topics.change("changed", **properties)
    report = patient.examined("--no-probe")
    assert report.code == code
    assert only(report, "subscriptions")[1].startswith(said)


def test_a_subscription_that_leaves_runs_out_is_a_warning(patient: Patient) -> None:
    patient.topic.unsubscribe("completed")
    filters = [{"operatorType": "StringIn", "key": "data.runType", "values": ["azureml.x"]}]
    rule: dict[str, Any] = {"filters": filters, "subject_begins_with": "experiments/1"}
    webhook = patient.webhook("on_run_completed")
    patient.topic.subscribe("completed", webhook, event_types=[COMPLETED], **rule)
    report = patient.examined("--no-probe")
    assert report.code == 0
    said = "completed also filters on data.runtype, the subject"
    assert only(report, "subscriptions") == ("warning", said)


def test_a_delivery_with_its_own_identity_counts_too(patient: Patient) -> None:
    function = {"resourceId": f"{APP.lower()}/functions/on_run_status_changed"}
    destination = {"endpointType": "AzureFunction", "properties": function}
    letters = {"identity": {"type": "SystemAssigned"}, "deadLetterDestination": {}}
    patient.cloud.arm.topics.change(
        "changed",
        destination=None,
        deliveryWithResourceIdentity={"destination": destination},
        deadLetterDestination=None,
        deadLetterWithResourceIdentity=letters,
    )
    assert patient.examined("--no-probe").bad == []


def test_a_second_app_on_the_same_workspace_is_a_warning(patient: Patient) -> None:
    other = f"{GROUP}/Microsoft.Web/sites/relay-test"
    patient.cloud.arm.sites.add(Site(other, {}, host=f"localhost:{patient.host.server.port}"))
    webhook = patient.webhook("on_run_completed").replace("127.0.0.1", "localhost")
    patient.topic.subscribe("other", webhook, event_types=[COMPLETED])
    report = patient.examined("--no-probe")
    assert report.code == 0
    said = "the app relay-test gets the events of ml-prod too"
    assert only(report, "no second app") == ("warning", said)


def test_another_app_with_functions_of_its_own_is_in_nobodys_way(patient: Patient) -> None:
    patient.topic.subscribe("other", patient.webhook("on_run_completed"))
    function = {"resourceId": f"{GROUP}/Microsoft.Web/sites/other/functions/on_model"}
    destination = {"endpointType": "AzureFunction", "properties": function}
    patient.cloud.arm.topics.change("other", destination=destination)
    assert patient.examined("--no-probe").bad == []


RESOURCES = f"/subscriptions/{SUBSCRIPTION}/resources"


def page(link: str) -> Fault:
    body = json.dumps({"value": [], "nextLink": link})
    return Fault(path=RESOURCES, status=200, body=body, times=9)


def test_a_list_of_several_pages_is_read_to_its_end(patient: Patient) -> None:
    fault = page(f"{patient.cloud.arm.url}/next")
    patient.cloud.arm.server.faults.add(fault)
    topics = json.dumps({"value": [{"id": TOPIC}]})
    patient.cloud.arm.server.faults.add(Fault(path="/next", status=200, body=topics, times=9))
    report = patient.examined("--no-probe")
    assert [check for check, _ in report.bad] == ["right to the secret"]  # no vault is among them


def test_a_next_page_elsewhere_is_not_asked_for(patient: Patient) -> None:
    with Server(Flask("elsewhere")) as elsewhere:
        patient.cloud.arm.server.faults.add(page(f"{elsewhere.url}/next"))
        report = patient.examined("--no-probe")
    assert report.code == 4
    assert "the next page is not at " in report.of("subscriptions")[0][1]
    assert elsewhere.requests == []


def test_the_topic_of_a_workspace_in_another_subscription_is_found(patient: Patient) -> None:
    elsewhere = WORKSPACE.replace(SUBSCRIPTION, "99999999-0000-4000-8000-000000000000")
    place = TOPIC.replace(SUBSCRIPTION, "99999999-0000-4000-8000-000000000000")
    with Topic(key="k", resource=elsewhere) as topic:
        topic.subscribe("s", patient.webhook("on_run_completed"), event_types=[STATUS_CHANGED])
        patient.cloud.arm.topics.add(place, topic)
        report = patient.examined("--no-probe", "--workspace", elsewhere)
    assert report.code == 1
    lines = [said for status, said in report.of("subscriptions") if status == "failure"]
    assert "ml-prod: no event leads to on_run_status_changed" in lines


def test_a_probe_that_the_host_refuses_is_a_failure(patient: Patient) -> None:
    patient.deploy({"keys": {"eventgrid_extension": "another"}})
    report = patient.examined()
    assert report.code == 1
    assert only(report, "probe")[1].endswith("answered the probe with 401")


def test_a_key_that_one_may_not_list_leaves_the_probe_unsent(patient: Patient) -> None:
    fault = Fault(method="POST", path="*/listkeys", status=403, body="{}")
    patient.cloud.arm.server.faults.add(fault)
    report = patient.examined()
    assert report.code == 0
    status, said = only(report, "probe")
    assert (status, "Microsoft.Web/sites/host/listkeys/action" in said) == ("warning", True)


def test_an_app_without_functions_has_no_key(patient: Patient) -> None:
    patient.deploy({"keys": {}})
    report = patient.examined()
    assert report.code == 1
    assert only(report, "probe")[1].startswith("the app has no key eventgrid_extension")


def test_a_function_that_fails_is_a_failure(patient: Patient) -> None:
    fault = Fault(method="POST", status=500, body="Exception while executing function")
    patient.host.server.faults.add(fault)
    report = patient.examined()
    assert report.code == 1
    assert "500 Exception while executing function" in only(report, "probe")[1]


def test_an_app_that_does_not_answer_is_told_apart(patient: Patient) -> None:
    patient.host.server.faults.add(Fault(method="POST", drop="before"))
    report = patient.examined()
    assert report.code == 4
    assert "did not answer the probe" in only(report, "probe")[1]


def test_a_probe_that_the_ledger_never_shows_is_a_failure(patient: Patient) -> None:
    patient.host.server.faults.add(Fault(method="POST", status=202))
    examined = _deployed(patient)
    examined.patience = 0.0
    (found,) = probe.recorded(examined)
    assert found.status == "failure"
    assert "the ledger does not show it" in found.said


@pytest.mark.parametrize(
    "host", ["evil.example", "x.azurewebsites.net.evil.example", "127.0.0.1@x"]
)
def test_the_key_is_sent_to_no_host_but_a_function_apps(patient: Patient, host: str) -> None:
    patient.deploy({"host": host})
    report = patient.examined()
    assert report.code == 1
    assert report.of("probe")[0][1] == f"{host} is no host name of a function app"
    assert patient.cloud.arm.server.received("POST", "/listkeys") == []


def _deployed(patient: Patient) -> Case:
    from relay.deployment.arm import ResourceManager  # noqa: PLC0415 - beside its only use

    identity = SignedIn()
    read = known_settings.read(patient.stage.environ)
    arm = ResourceManager(patient.cloud.arm.url, read.cloud.resource_manager, identity)
    return Case(read, identity, Deployed(APP, read, arm))
