from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from azure.identity import ManagedIdentityCredential

from local.arm.front import ARM
from local.arm.jobs import Job, JobOutput
from local.identity import MANAGEMENT
from local.serving.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.identity import Identity

GROUP = "/subscriptions/0a1b/resourceGroups/ml/providers/Microsoft.MachineLearningServices"
WORKSPACE = f"{GROUP}/workspaces/vision"
URI = f"azureml://localhost:1/mlflow/v1.0{WORKSPACE}"
VERSION = "2024-10-01"


@pytest.fixture
def arm(identity: Identity) -> Iterator[ARM]:
    with ARM(identity.accepts) as running:
        running.add_workspace(WORKSPACE, URI, location="northeurope")
        yield running


def get(arm: ARM, path: str, version: str | None = VERSION) -> requests.Response:
    token = ManagedIdentityCredential().get_token(f"{MANAGEMENT}/.default").token
    query = {"api-version": version} if version else {}
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{arm.url}{path}", query, headers=headers, timeout=10)


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_workspace_tells_where_its_mlflow_is(arm: ARM) -> None:
    found = get(arm, WORKSPACE).json()
    assert found["id"] == WORKSPACE
    assert found["name"] == "vision"
    assert found["location"] == "northeurope"
    assert found["properties"]["mlFlowTrackingUri"] == URI
    assert found["properties"]["discoveryUrl"].endswith("/discovery")


def test_a_workspace_can_have_a_plain_mlflow_server(arm: ARM) -> None:
    arm.add_workspace(f"{GROUP}/workspaces/plain", "http://127.0.0.1:5000")
    found = get(arm, f"{GROUP}/workspaces/plain").json()
    assert found["properties"]["mlFlowTrackingUri"] == "http://127.0.0.1:5000"


def test_ids_match_in_any_case(arm: ARM) -> None:
    arm.add_job(WORKSPACE.upper(), Job("happy_cloud_1"))
    assert get(arm, WORKSPACE.lower()).json()["id"] == WORKSPACE
    assert get(arm, f"{WORKSPACE.lower()}/jobs/happy_cloud_1").json()["name"] == "happy_cloud_1"


def test_an_unknown_workspace_is_not_found(arm: ARM) -> None:
    assert code(get(arm, f"{GROUP}/workspaces/other")) == (404, "ResourceNotFound")


def test_a_request_must_name_an_api_version_that_exists(arm: ARM) -> None:
    assert code(get(arm, WORKSPACE, None)) == (400, "MissingApiVersionParameter")
    assert code(get(arm, WORKSPACE, "2001-01-01")) == (400, "InvalidApiVersionParameter")


def test_a_request_needs_a_token_for_resource_manager(arm: ARM, identity: Identity) -> None:
    url = f"{arm.url}{WORKSPACE}?api-version={VERSION}"
    bare = requests.get(url, timeout=10)
    assert code(bare) == (401, "AuthenticationFailed")
    assert "authorization_uri" in bare.headers["WWW-Authenticate"]
    headers = {"Authorization": f"Bearer {identity.issue('https://vault.azure.net')}"}
    other = requests.get(url, headers=headers, timeout=10)
    assert code(other) == (401, "InvalidAuthenticationToken")


def test_a_job_tells_its_status_and_the_model_it_left(arm: ARM) -> None:
    model = JobOutput(uri="azureml://m", asset_name="defects", asset_version="7")
    job = Job("happy_cloud_1", experiment="defect-net", outputs={"model": model})
    arm.add_job(WORKSPACE, job)
    found = get(arm, f"{WORKSPACE}/jobs/happy_cloud_1").json()["properties"]
    assert (found["status"], found["experimentName"]) == ("Completed", "defect-net")
    output = found["outputs"]["model"]
    assert output["jobOutputType"] == "mlflow_model"
    assert output["uri"] == "azureml://m"
    assert (output["assetName"], output["assetVersion"]) == ("defects", "7")


def test_an_unregistered_output_has_no_asset(arm: ARM) -> None:
    arm.add_job(WORKSPACE, Job("j", outputs={"data": JobOutput("uri_folder", "azureml://d")}))
    found = get(arm, f"{WORKSPACE}/jobs/j").json()["properties"]["outputs"]["data"]
    assert found["jobOutputType"] == "uri_folder"
    assert "assetName" not in found


def test_a_job_added_again_replaces_the_first(arm: ARM) -> None:
    arm.add_job(WORKSPACE, Job("j", status="Running"))
    arm.add_job(WORKSPACE, Job("j", status="Canceled"))
    assert get(arm, f"{WORKSPACE}/jobs/j").json()["properties"]["status"] == "Canceled"


def test_an_unknown_job_is_not_found(arm: ARM) -> None:
    assert code(get(arm, f"{WORKSPACE}/jobs/nobody")) == (404, "UserError")


def test_resource_manager_throttles_when_told_to(arm: ARM) -> None:
    arm.server.faults.add(Fault(status=429, headers={"Retry-After": "9"}))
    answer = get(arm, WORKSPACE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "9")
    assert get(arm, WORKSPACE).ok


def cancel(arm: ARM, job: str, method: str = "POST") -> requests.Response:
    token = ManagedIdentityCredential().get_token(f"{MANAGEMENT}/.default").token
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{arm.url}{WORKSPACE}/jobs/{job}/cancel?api-version={VERSION}"
    return requests.request(method, url, headers=headers, timeout=10)


@pytest.mark.parametrize(
    ("status", "then"), [("Running", "CancelRequested"), ("Completed", "Completed")]
)
def test_a_cancelled_job_is_asked_to_end_and_one_that_ended_stays_so(
    arm: ARM, status: str, then: str
) -> None:
    arm.add_job(WORKSPACE, Job("happy_cloud_1", status=status))
    assert cancel(arm, "happy_cloud_1").status_code == 202
    found = get(arm, f"{WORKSPACE}/jobs/happy_cloud_1").json()
    assert found["properties"]["status"] == then


def test_a_job_that_is_not_there_cannot_be_cancelled(arm: ARM) -> None:
    assert cancel(arm, "happy_cloud_1").status_code == 404
    arm.add_job(WORKSPACE, Job("happy_cloud_1"))
    assert cancel(arm, "happy_cloud_1", "GET").status_code == 405
