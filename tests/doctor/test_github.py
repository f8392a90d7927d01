"""The doctor on a deployment that starts workflows of GitHub Actions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from local.cloud import GITHUB_SECRET
from local.github.example import REGISTER
from local.serving.faults import Fault
from tests.conftest import PAT
from tests.stage.azure import now

if TYPE_CHECKING:
    from tests.doctor.conftest import Patient

ROUTES = """
version: 1
routes:
  - name: register
    match: {experiment: "defect-*"}
    start:
      github: contoso/mlops
      workflow: register.yml
      ref: main
      inputs: {run_id: "{{ run.id }}", model_name: defects}
      correlation: relay_id
"""
WORKFLOW = "register, workflow github:contoso/mlops/register.yml"
CONTENTS = "*/contents/.github/workflows/register.yml"
OWN = {"X-GitHub-Request-Id": "1"}


@pytest.fixture
def patient(patient: Patient) -> Patient:
    """One whose only route starts a workflow."""
    patient.stage.routes(ROUTES)
    patient.deploy(GITHUB_URL=patient.cloud.github.url)
    token, ends = patient.cloud.github_token, now() + timedelta(days=90)
    patient.cloud.vault.put(GITHUB_SECRET, token, expires=ends)
    return patient


def change(patient: Patient, old: str, new: str) -> None:
    """Have another text in the workflow's file."""
    assert old in REGISTER
    patient.cloud.github.add_workflow(
        "contoso", "mlops", "register.yml", REGISTER.replace(old, new)
    )


def test_one_that_lacks_nothing_is_found_well_and_nothing_is_started(patient: Patient) -> None:
    report = patient.examined("--no-probe")
    assert (report.code, report.bad) == (0, [])
    assert report.of("right to the secret") == [("ok", "the app's identity may read github-token")]
    assert report.of("GitHub") == [("ok", "contoso/mlops is seen with github-token")]
    well = "is active, takes the route's inputs and shows its mark; GitHub has no preview"
    assert report.of("workflows") == [("ok", f"{WORKFLOW} (Register the model) {well}")]
    for check in ("Azure DevOps", "pipelines"):
        assert report.of(check) == [("ok", "there is nothing to look at")]
    assert patient.cloud.github.runs == []


def test_no_credential_reaches_the_other_service(patient: Patient) -> None:
    both = ROUTES + "  - name: other\n    start: {organization: contoso, project: mlops, "
    patient.stage.routes(f'{both}pipeline: 42, parameters: {{run_id: "{{{{ run.id }}}}"}}}}\n')
    report = patient.examined("--no-probe")
    assert (report.code, report.bad) == (0, [])
    github, devops = patient.cloud.github, patient.cloud.devops
    assert github.seen.times(patient.cloud.github_token) > 0
    assert (github.seen.times(PAT), github.seen.of_azure()) == (0, [])
    sent = [r.headers.get("Authorization", "") for r in devops.server.requests]
    assert sent
    assert not any(one.startswith("Bearer") for one in sent)


def test_a_secret_of_the_other_service_is_a_failure_and_sent_to_nobody(patient: Patient) -> None:
    patient.cloud.vault.put(GITHUB_SECRET, PAT, expires=now() + timedelta(days=90))
    report = patient.examined("--no-probe")
    assert report.code == 1
    ((status, said),) = report.of("secret")
    assert status == "failure"
    assert said.startswith("github-token: it is no token of GitHub's and no key of a GitHub App")
    assert patient.cloud.github.server.requests == []
    assert PAT not in report.text + report.errors


def test_a_token_of_github_where_a_pat_belongs_is_a_failure(patient: Patient) -> None:
    token = patient.cloud.github_token
    patient.stage.routes(
        "version: 1\nroutes:\n  - name: a\n    start: "
        "{organization: contoso, project: mlops, pipeline: 42}\n"
    )
    patient.cloud.vault.put("azure-devops-pat", token, expires=now() + timedelta(days=90))
    report = patient.examined("--no-probe")
    ((status, said),) = report.of("secret")
    assert (report.code, status) == (1, "failure")
    assert "it is a secret of GitHub's, and Azure DevOps is not told it" in said
    assert patient.cloud.devops.server.requests == []


def test_an_apps_key_needs_the_apps_id(patient: Patient, pair: tuple[str, str]) -> None:
    patient.cloud.vault.put(GITHUB_SECRET, pair[0])
    report = patient.examined("--no-probe")
    said = "github-token is the key of a GitHub App, and GITHUB_APP_ID does not say of which"
    assert report.of("secret") == [("failure", said)]
    patient.deploy(GITHUB_URL=patient.cloud.github.url, GITHUB_APP_ID="Iv23li00000000900001")
    report = patient.examined("--no-probe")
    said = "github-token is the key of a GitHub App, which has no end of its own"
    assert report.of("secret") == [("ok", said)]
    ((status, said),) = report.of("GitHub")
    assert (status, "no token of the GitHub App for contoso" in said) == ("failure", True)
    assert "PRIVATE KEY" not in report.text + report.errors


@pytest.mark.parametrize("days", [-3, 3])
def test_an_apps_key_does_not_end_whatever_date_it_was_given(
    patient: Patient, pair: tuple[str, str], days: int
) -> None:
    app = patient.cloud.github.add_app(pair[1])
    patient.cloud.github.install(app, "contoso")
    patient.cloud.vault.put(GITHUB_SECRET, pair[0], expires=now() + timedelta(days=days))
    patient.deploy(GITHUB_URL=patient.cloud.github.url, GITHUB_APP_ID=app.client_id)
    report = patient.examined("--no-probe")
    said = "github-token is the key of a GitHub App, which has no end of its own"
    assert report.of("secret") == [("ok", said)]
    assert report.of("GitHub") == [("ok", "contoso/mlops is seen with github-token")]


def test_a_suspended_installation_is_told_as_that(patient: Patient, pair: tuple[str, str]) -> None:
    app = patient.cloud.github.add_app(pair[1])
    patient.cloud.github.suspend(patient.cloud.github.install(app, "contoso"))
    patient.cloud.vault.put(GITHUB_SECRET, pair[0])
    patient.deploy(GITHUB_URL=patient.cloud.github.url, GITHUB_APP_ID=app.client_id)
    report = patient.examined("--no-probe")
    ((status, said),) = report.of("GitHub")
    assert (status, "This installation has been suspended" in said) == ("failure", True)
    assert "and see that it is not suspended" in report.text


@pytest.fixture(scope="session")
def pair() -> tuple[str, str]:
    """The key of an App, and its public half."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form, pem = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.Encoding.PEM
    own, bare = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    public = made.public_key().public_bytes(pem, form)
    return made.private_bytes(pem, own, bare).decode(), public.decode()


@pytest.mark.parametrize("reads", [True, False])
def test_an_app_is_asked_for_a_token_that_may_read_files(
    patient: Patient, pair: tuple[str, str], *, reads: bool
) -> None:
    cloud, url = patient.cloud, patient.cloud.github.url
    rights = {"metadata": "read", "actions": "write"} | ({"contents": "read"} if reads else {})
    app = cloud.github.add_app(pair[1], permissions=rights)
    cloud.github.install(app, "contoso", ["mlops"])
    cloud.vault.put(GITHUB_SECRET, pair[0])
    patient.deploy(GITHUB_URL=url, GITHUB_APP_ID=app.client_id)
    report = patient.examined("--no-probe")
    assert report.of("GitHub") == [("ok", "contoso/mlops is seen with github-token")]
    ((status, said),) = report.of("workflows")
    assert (report.code, status) == (0, "ok" if reads else "warning")
    assert ("shows its mark" in said) == reads


def test_a_token_that_github_does_not_take_is_a_failure(patient: Patient) -> None:
    patient.cloud.github.refuse(patient.cloud.github_token)
    report = patient.examined("--no-probe")
    ((status, said),) = report.of("GitHub")
    assert (report.code, status) == (1, "failure")
    assert said.startswith("github:contoso: GitHub answered 401: Bad credentials")
    (how,) = (f["do"] for f in report.findings if f["check"] == "GitHub")
    assert how.endswith("as a new version of github-token")


def test_where_github_does_not_answer_nothing_is_believed(patient: Patient) -> None:
    patient.cloud.github.server.faults.add(Fault("GET", "/repos/*", status=502, times=99))
    report = patient.examined("--no-probe")
    assert report.code == 4
    assert [status for status, _ in report.of("GitHub")] == ["failure"]


@pytest.mark.parametrize(
    ("header", "status", "said"),
    [
        ({"days": 90}, "ok", "GitHub lets github-token end in 8"),
        ({"days": 3}, "warning", "GitHub lets github-token end in "),
    ],
)
def test_when_a_token_ends_is_told_as_github_says_it(
    patient: Patient, header: dict[str, int], status: str, said: str
) -> None:
    ends = f"{now() + timedelta(**header):%Y-%m-%d %H:%M:%S} UTC"
    told = {**OWN, "GitHub-Authentication-Token-Expiration": ends}
    repository = Fault("GET", "/repos/contoso/mlops", status=200, headers=told, body="{}")
    patient.cloud.github.server.faults.add(repository)
    *_, (found, words) = patient.examined("--no-probe").of("GitHub")
    assert (found, words.startswith(said)) == (status, True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("      model_name: {}\n", "", "it declares no input model_name"),
        ("      status: {}", "      status: {required: true}", "it requires status"),
        ("model_name: {}", "model_name: {type: choice, options: [a, b]}", "must be one of a, b"),
        ("model_name: {}", "model_name: {type: boolean}", "model_name must be a boolean"),
        (" ${{ inputs.relay_id }}", "", "its `run-name` does not show the input relay_id"),
        ("inputs.relay_id }}", "inputs.relay }}", "does not show the input relay_id"),
        *(
            (" ${{ inputs.relay_id }}", shown, "its `run-name` does not always show the input")
            for shown in (
                " ${{ inputs.status || inputs.relay_id }}",
                " ${{ inputs.status && inputs.relay_id }}",
                " ${{ inputs.relay_id && 'by Run Relay' }}",
                " v${{ inputs.relay_id }}",
                " ${{ inputs.relay_id }}th",
                " ${{ inputs.status }}${{ inputs.relay_id }}",
            )
        ),
        ("workflow_dispatch:", "workflow_call:", "does not have the trigger workflow_dispatch"),
    ],
)
def test_a_workflow_that_does_not_fit_is_a_failure(
    patient: Patient, old: str, new: str, said: str
) -> None:
    assert old in REGISTER
    text = REGISTER.replace(old, new)
    file = Fault("GET", CONTENTS, status=200, headers=OWN, times=9, body=_file(text))
    patient.cloud.github.server.faults.add(file)
    report = patient.examined("--no-probe")
    ((status, words),) = report.of("workflows")
    assert (report.code, status) == (1, "failure")
    assert words.startswith(f"{WORKFLOW}: ")
    assert said in words


@pytest.mark.parametrize(
    "shown",
    [
        "run-name: ${{ github.event.inputs.relay_id }}",
        "run-name: Register (${{ INPUTS['relay_id'] || 'by hand' }})",
        "run-name: ${{ inputs.status && 'a' || 'b' }} ${{ inputs.relay_id }}-${{ inputs.status }}",
    ],
)
def test_a_name_that_shows_the_mark_in_another_way_is_taken(patient: Patient, shown: str) -> None:
    text = REGISTER.replace(REGISTER.splitlines()[1], shown)
    file = Fault("GET", CONTENTS, status=200, headers=OWN, times=9, body=_file(text))
    patient.cloud.github.server.faults.add(file)
    ((status, _),) = patient.examined("--no-probe").of("workflows")
    assert status == "ok"


def _file(text: str) -> str:
    import base64  # noqa: PLC0415
    import json  # noqa: PLC0415

    told: dict[str, Any] = {"encoding": "base64", "content": base64.b64encode(text.encode())}
    return json.dumps({**told, "content": told["content"].decode()})


def test_a_value_that_stands_for_a_fact_is_no_mistake(patient: Patient) -> None:
    change(patient, "status: {}", "status: {type: choice, options: [fine, coarse]}")
    patient.stage.routes(ROUTES.replace("inputs: {", 'inputs: {status: "{{ run.tags.grain }}", '))
    report = patient.examined("--no-probe")
    assert (report.code, report.bad) == (0, [])


def test_a_file_that_may_not_be_read_is_no_failure(patient: Patient) -> None:
    token, rights = patient.cloud.github_token, {"metadata": "read", "actions": "write"}
    patient.cloud.github.accept(token, permissions=rights)
    report = patient.examined("--no-probe")
    ((status, said),) = report.of("workflows")
    assert (report.code, status) == (0, "warning")
    assert "its file could not be looked at" in said


def test_a_ref_that_has_no_such_file_is_a_failure(patient: Patient) -> None:
    patient.stage.routes(ROUTES.replace("ref: main", "ref: gone"))
    report = patient.examined("--no-probe")
    said = f"{WORKFLOW}: there is no github:contoso/mlops/register.yml at gone"
    assert report.of("workflows") == [("failure", said)]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("contoso/mlops", "contoso/other", "there is no repository contoso/other, or the cred"),
        ("register.yml", "gone.yml", "there is no workflow gone.yml in contoso/mlops"),
    ],
)
def test_what_is_not_there_is_named(patient: Patient, old: str, new: str, said: str) -> None:
    patient.stage.routes(ROUTES.replace(old, new))
    report = patient.examined("--no-probe")
    ((status, words),) = report.of("workflows")
    assert (report.code, status, said in words) == (1, "failure", True)


def test_a_workflow_that_is_disabled_is_a_failure(patient: Patient) -> None:
    patient.cloud.github.set_state("contoso", "mlops", "register.yml", "disabled_manually")
    report = patient.examined("--no-probe")
    ((status, said),) = report.of("workflows")
    assert (status, said.endswith("is disabled_manually")) == ("failure", True)


def test_a_start_that_could_not_be_looked_for_is_a_warning(patient: Patient) -> None:
    patient.stage.routes(ROUTES.replace("      correlation: relay_id\n", ""))
    report = patient.examined("--no-probe")
    said = f"{WORKFLOW}: there is no `correlation`: one whose answer is lost is held"
    assert (report.code, report.of("workflows")) == (0, [("warning", said)])
