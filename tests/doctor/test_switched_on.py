"""The doctor's checks of what is on only where a setting says so: waits, and the sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.serving.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.doctor.conftest import Patient

KEY = "run-relay-waits-key"
LONG = "any text of enough characters"
ANSWERING = "{name: a, complete: true}"
DEFAULTS = "defaults: {organization: contoso}\n"
STARTS = "{organization: other, project: p, pipeline: 1}"
AUTH = "App Service authentication"
ENTRA: dict[str, Any] = {"enabled": True, "registration": {"clientId": "c"}}


def waiting(
    patient: Patient,
    key: str = LONG,
    route: str = ANSWERING,
    defaults: str = DEFAULTS,
    **settings: str,
) -> None:
    """Have WAITS=1 with that key and that route."""
    patient.cloud.vault.put(KEY, key)
    patient.stage.routes(f"version: 1\n{defaults}routes: [{route}]")
    patient.deploy(None, WAITS="1", **settings)


def test_waits_that_are_off_need_nothing(patient: Patient) -> None:
    assert patient.examined("--no-probe").of("waits") == [("ok", "no task may register: WAITS=0")]


def test_waits_that_lack_nothing_are_found_well(patient: Patient) -> None:
    waiting(patient)
    report = patient.examined("--no-probe")
    assert report.code == 0
    assert report.of("waits") == [
        ("ok", f"{KEY} can seal the tasks' tokens"),
        ("ok", "tasks are answered by a"),
        ("ok", f"tasks may register of {patient.stage.read.devops_url}/contoso"),
    ]


@pytest.mark.parametrize(
    ("routes", "setting", "where"),
    [
        ("{name: a, complete: true}", "https://Fabrikam.visualstudio.com", ""),
        (f"{ANSWERING}, {{name: b, start: {STARTS}}}", "dev.azure.com/fabrikam", "{url}/other, "),
    ],
)
def test_it_is_told_whose_tasks_may_register(
    patient: Patient, routes: str, setting: str, where: str
) -> None:
    waiting(patient, route=routes, defaults="", WAITS_ORGANIZATIONS=setting)
    told = where.format(url=patient.stage.read.devops_url) + "https://dev.azure.com/fabrikam"
    assert patient.examined("--no-probe").of("waits")[2] == ("ok", f"tasks may register of {told}")


def test_where_no_organization_is_named_no_task_can_register(patient: Patient) -> None:
    waiting(patient, defaults="")
    report = patient.examined("--no-probe")
    said = "no organization is named: no task can register"
    assert (report.code, report.of("waits")[2]) == (1, ("failure", said))


@pytest.mark.parametrize("key", ["", "  fifteen chars  "])
def test_a_key_that_is_too_short_is_a_failure(patient: Patient, key: str) -> None:
    waiting(patient, key)
    report = patient.examined("--no-probe")
    assert (report.code, report.of("waits")[0]) == (
        1,
        ("failure", f"{KEY} has fewer than 16 characters"),
    )


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("broken", ["delete", "disable"])
def test_a_key_that_is_not_there_is_a_failure(
    patient: Patient, broken: str, *, hidden: bool
) -> None:
    waiting(patient)
    happen: Callable[[str], None] = getattr(patient.cloud.vault, broken)
    happen(KEY)
    if hidden:
        patient.cloud.vault.hide_values()
    said = {"delete": "is not in the vault", "disable": "is disabled"}[broken]
    report = patient.examined("--no-probe")
    assert (report.code, report.of("waits")[0]) == (1, ("failure", f"{KEY} {said}"))


def test_a_key_that_one_may_not_read_is_a_warning(patient: Patient) -> None:
    waiting(patient)
    patient.cloud.vault.hide_values()
    report = patient.examined("--no-probe")
    said = f"{KEY} is there; its length was not checked"
    assert (report.code, report.of("waits")[0]) == (0, ("warning", said))


@pytest.mark.parametrize("route", ["{name: a, start: {organization: o, project: p, pipeline: 1}}"])
def test_waits_that_no_route_answers_are_a_failure(patient: Patient, route: str) -> None:
    waiting(patient, route=route)
    report = patient.examined("--no-probe")
    said = "no active route has `complete: true`: no task can register"
    assert (report.code, report.of("waits")[1]) == (1, ("failure", said))


def test_a_route_in_shadow_answers_no_task(patient: Patient) -> None:
    waiting(patient, route="{name: a, complete: true, mode: shadow}")
    assert patient.examined("--no-probe").of("waits")[1][0] == "failure"


@pytest.mark.parametrize(
    ("auth", "code", "said"),
    [
        ({"platform": {"enabled": False}}, 1, f"{AUTH} is off: anybody may say"),
        ({}, 1, f"{AUTH} is off"),
        ({"platform": {"enabled": True}, "identityProviders": {}}, 1, "no Entra application signs"),
        (
            {
                "platform": {"enabled": True},
                "identityProviders": {"azureActiveDirectory": {**ENTRA, "enabled": False}},
            },
            1,
            "no Entra application signs",
        ),
        (
            {
                "platform": {"enabled": True},
                "globalValidation": {"requireAuthentication": False},
                "identityProviders": {"azureActiveDirectory": ENTRA},
            },
            0,
            f"{AUTH} tells the page who came",
        ),
    ],
)
def test_a_page_that_believes_a_sign_in_needs_one(
    patient: Patient, auth: dict[str, Any], code: int, said: str
) -> None:
    patient.deploy({"auth": auth}, OPERATIONS_AUTH="entra")
    report = patient.examined("--no-probe")
    ((status, words),) = report.of("sign-in")
    assert (report.code, status) == (code, "failure" if code else "ok")
    assert words.startswith(said)


def test_a_sign_in_that_one_may_not_look_at_is_a_warning(patient: Patient) -> None:
    patient.deploy(OPERATIONS_AUTH="entra")
    fault = Fault(path="*/config/authsettingsV2", status=403, body="{}")
    patient.cloud.arm.server.faults.add(fault)
    report = patient.examined("--no-probe")
    ((status, words),) = report.of("sign-in")
    assert (report.code, status) == (0, "warning")
    assert "you lack the right Microsoft.Web/sites/config/read" in words
