"""`bin/relay doctor`, as an operator types it on a deployment that lacks nothing."""

from __future__ import annotations

import json
import re

import pytest

from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.conftest import PAT
from tests.doctor.conftest import APP, KEY, Patient

CHECKS = [
    *("settings", "timers", "running", "paused", "right to the secret", "right to the workspaces"),
    *("secret", "Azure DevOps"),
    *(
        "one organization",
        "pipelines",
        "GitHub",
        "workflows",
        "waits",
        "sign-in",
        "people told",
        "ledger",
        "rounds",
        "parts",
        "groups",
        "expected",
        "promotions",
        "what stops",
        "workspace",
        "subscriptions",
        "no second app",
        "alerts",
    ),
    *("probe", "version"),
]


def test_a_deployment_that_lacks_nothing_is_found_well(patient: Patient) -> None:
    report = patient.examined()
    complaints = [line for line in report.errors.splitlines() if not line.endswith(" ...")]
    assert (report.code, report.bad, complaints) == (0, [], [])  # what took long is named
    assert list(dict.fromkeys(f["check"] for f in report.findings)) == CHECKS
    assert json.loads(report.text)["app"] == APP


def test_nothing_is_started_by_it(patient: Patient) -> None:
    patient.examined()
    assert patient.cloud.devops.runs == []
    assert patient.stage.posts() == 0


def test_every_line_says_what_is_and_what_to_do(patient: Patient) -> None:
    patient.deploy(PAUSED="1")
    shown = patient.typed("--app", APP, "--workspace", WORKSPACE)
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    at = lines.index("warning  paused: PAUSED=1: runs are recorded and nothing is started")
    assert lines[at + 1] == "         → set PAUSED=0"
    assert "ok       probe: a probe reached the function, and the ledger shows it" in lines
    assert lines[-1].endswith(" ok, 2 warnings, 0 failures")


def test_no_secret_is_shown(patient: Patient) -> None:
    patient.cloud.devops.refuse(PAT, "401-json")
    patient.host.stop()
    report = patient.examined()
    for secret in (PAT, KEY):
        assert secret not in report.text + report.errors


def test_who_examined_it_last_stays_in_the_ledger(patient: Patient) -> None:
    patient.examined("--no-probe")
    assert set(patient.stage.ledger.shared("doctor").value) == {"at", "by"}
    assert patient.stage.ledger.shared("probe").value == {}


def test_without_the_probe_no_key_is_asked_for(patient: Patient) -> None:
    report = patient.examined("--no-probe")
    assert (report.code, report.of("probe")) == (0, [])
    assert patient.cloud.arm.server.received("POST", "/listkeys") == []


def test_without_a_deployed_app_its_own_checks_are_not_made(patient: Patient) -> None:
    environ = {**patient.own, "PATH": "", "RUN_RELAY_APP": ""}
    environ |= patient.cloud.identity.environment()
    shown = patient.typed("--json", "--workspace", WORKSPACE, **environ)
    found = json.loads(shown.stdout)
    left = [f for f in found["findings"] if "not checked" in f["said"]]
    assert left == [
        {
            "check": "deployed app",
            "status": "warning",
            "said": "not checked: running, right to the secret, right to the workspaces, "
            "subscriptions, no second app, alerts, probe",
            "do": "name the app: --app RESOURCE_ID, or RUN_RELAY_APP",
        }
    ]
    assert (shown.exit_code, found["app"]) == (0, None)


def test_the_commit_that_runs_stands_beside_the_one_that_is_here(patient: Patient) -> None:
    here = r"here is Run Relay, commit .+"
    ((status, unpacked),) = patient.examined().of("version")
    assert (status, bool(re.fullmatch(rf"the app did not tell its commit; {here}", unpacked))) == (
        "ok",
        True,
    )
    ledger = patient.stage.ledger
    row = ledger.shared("probe")
    ledger.share(row, {**row.value, "commit": "0a1b2c3 of 2026-11-22"})
    ((_, told),) = patient.examined("--no-probe").of("version")
    when = r"as it said at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    assert re.fullmatch(rf"the app is of commit 0a1b2c3 of 2026-11-22, {when}; {here}", told)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(method="POST", path="*/appsettings/list", status=403, body="{}"), 4),
        (Fault(method="POST", path="*/appsettings/list", status=404, body="{}"), 3),
    ],
)
def test_an_app_that_cannot_be_asked_is_not_examined(
    patient: Patient, fault: Fault, code: int
) -> None:
    patient.cloud.arm.server.faults.add(fault)
    report = patient.examined()
    assert (report.code, report.text) == (code, "")
    assert report.errors.count("\n") == 1


def test_whoever_is_not_signed_in_is_told_so(patient: Patient) -> None:
    patient.az.sign_out()
    report = patient.examined()
    assert report.code == 4
    assert "run az login" in report.errors


def test_what_azure_does_not_let_one_see_is_a_warning_and_the_rest_is_examined(
    patient: Patient,
) -> None:
    for path in ("*/roleAssignments", "*/eventSubscriptions"):
        patient.cloud.arm.server.faults.add(Fault(path=path, status=403, body="{}", times=9))
    report = patient.examined()
    assert report.code == 0
    assert [check for check, _ in report.bad] == [
        *("right to the secret", "right to the workspaces"),
        *("subscriptions", "no second app"),
    ]
    assert "Microsoft.Authorization/roleAssignments/read" in report.bad[0][1]


def test_what_does_not_answer_is_told_apart_from_what_is_wrong(patient: Patient) -> None:
    patient.cloud.arm.server.faults.add(Fault(path="*/eventSubscriptions", status=503, times=9))
    report = patient.examined()
    assert report.code == 4
    assert [check for check, _ in report.bad] == ["subscriptions", "no second app"]


def test_a_check_that_takes_long_is_told_of(patient: Patient) -> None:
    patient.cloud.aml.server.faults.add(Fault(path="*/experiments/search", delay=2.2))
    report = patient.examined("--no-probe")
    assert (report.code, report.errors) == (0, "workspace ...\n")


def test_what_others_named_is_shown_as_text_on_one_line(patient: Patient) -> None:
    name = "[red]x[/red]\x1b[31m\nok  probe: all is well"
    parameters: dict[str, str | None] = {"run_id": None}
    patient.cloud.devops.add_pipeline("contoso", "mlops", 42, name, parameters=parameters)
    shown = patient.typed("--app", APP, "--workspace", WORKSPACE, "--no-probe")
    (line,) = [one for one in shown.stdout.splitlines() if "[red]x[/red]" in one]
    assert line.startswith("ok       pipelines: register")
    assert line.endswith("ok  probe: all is well) takes the route's parameters")
    said = [f["said"] for f in patient.examined("--no-probe").findings]
    assert not any("\x1b" in one or "\n" in one for one in said)


def test_what_others_named_is_no_command_to_a_terminal_or_an_agent(patient: Patient) -> None:
    name = "x\x9b31m\u202e##vso[task.setvariable variable=y]z"
    parameters: dict[str, str | None] = {"run_id": None}
    patient.cloud.devops.add_pipeline("contoso", "mlops", 42, name, parameters=parameters)
    shown = patient.typed("--app", APP, "--workspace", WORKSPACE, "--no-probe")
    assert "# #vso[task.setvariable variable=y]z" in shown.stdout
    report = patient.examined("--no-probe")
    escaped = r"x\u009b31m\u202e##vso[task.setvariable variable=y]z"
    assert any(escaped in finding["said"] for finding in report.findings)
    for text in (shown.stdout, report.text):
        assert "##vso[" not in text
        assert not {"\x9b", "\u202e"} & set(text)
