"""The local Azure DevOps refuses what the service refuses, in the shapes the service has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.local.devops.calls import PAT, RUNS, authorization, call, start

if TYPE_CHECKING:
    from local.devops import DevOps

GOOD = {"templateParameters": {"run_id": "a"}}


def said(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["typeKey"]


def with_parameters(**more: object) -> dict[str, object]:
    return {"templateParameters": {"run_id": "a", **more}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "A value for the 'run_id' parameter must be provided."),
        (with_parameters(colour="red"), "Unexpected parameter 'colour'"),
        (
            with_parameters(rounds="many"),
            "The 'rounds' parameter value 'many' is not a valid Number",
        ),
        (with_parameters(rounds="nan"), "The 'rounds' parameter value 'nan' is not a valid Number"),
        (with_parameters(fast="yes"), "The 'fast' parameter value 'yes' is not a valid Boolean."),
        (with_parameters(shape="{"), "The 'shape' parameter value '{' is not a valid Object."),
        (with_parameters(stage="x"), "The 'stage' parameter value 'x' is not an allowed value."),
        (
            {**GOOD, "variables": {"MODEL": {"value": "m"}, "X": {"value": "1"}}},
            "You can't set the following variables (X). If you want to be able to set these",
        ),
        (
            {**GOOD, "resources": {"repositories": {"self": {"refName": "refs/heads/gone"}}}},
            "Unable to resolve the reference 'refs/heads/gone' to a specific version.",
        ),
        ({**GOOD, "stagesToSkip": ["test"]}, "'test' is not a valid stage to skip."),
        ({**GOOD, "yamlOverride": "steps: []"}, "allowed in a preview run only"),
    ],
)
def test_a_run_that_the_pipeline_cannot_do_is_a_400(
    devops: DevOps, body: dict[str, object], message: str
) -> None:
    answer = call(devops, "POST", RUNS, body=body)
    assert said(answer) == (400, "PipelineValidationException")
    assert message in answer.json()["message"]
    assert devops.runs == []


@pytest.mark.parametrize(
    "body",
    [
        [],
        "run",
        with_parameters(rounds=3),
        with_parameters(shape={"a": 1}),
        {**GOOD, "template_parameters": {}},
        {**GOOD, "variables": {"MODEL": "m"}},
        {**GOOD, "variables": {"MODEL": {"value": 1}}},
    ],
)
def test_a_body_that_is_no_run_request_is_a_400_about_an_argument(
    devops: DevOps, body: object
) -> None:
    answer = call(devops, "POST", RUNS, body=body)
    assert said(answer) == (400, "ArgumentNullException")
    assert devops.runs == []


def test_all_that_is_wrong_is_told_at_once(devops: DevOps) -> None:
    body = {"templateParameters": {"colour": "red"}, "stagesToSkip": ["test"]}
    message = call(devops, "POST", RUNS, body=body).json()["message"]
    assert len(message.splitlines()) == 3


def test_an_error_has_every_key_of_the_services_errors(devops: DevOps) -> None:
    error = call(devops, "POST", RUNS, body={}).json()
    assert error == {
        "$id": "1",
        "innerException": None,
        "message": "A value for the 'run_id' parameter must be provided.",
        "typeName": "Microsoft.Azure.Pipelines.WebApi.PipelineValidationException, "
        "Microsoft.Azure.Pipelines.WebApi",
        "typeKey": "PipelineValidationException",
        "errorCode": 0,
        "eventId": 3000,
    }


def test_a_body_without_a_json_content_type_is_a_400(devops: DevOps) -> None:
    answer = requests.post(
        f"{devops.url}/contoso/mlops/_apis/{RUNS}?api-version=7.1",
        data={"templateParameters": "x"},
        headers={"Authorization": authorization(PAT)},
        timeout=20,
    )
    assert said(answer) == (400, "VssRequestContentTypeNotSupportedException")


@pytest.mark.parametrize(
    ("version", "key"),
    [
        (None, "VssVersionNotSpecifiedException"),
        ("7.2", "VssInvalidPreviewVersionException"),
        ("7.2-preview.2", "VssVersionOutOfRangeException"),
        ("7.3-preview.1", "VssVersionOutOfRangeException"),
        ("newest", "VssVersionOutOfRangeException"),
    ],
)
def test_a_version_that_is_not_served_is_a_400(
    devops: DevOps, version: str | None, key: str
) -> None:
    answer = call(devops, "POST", RUNS, body=GOOD, query={"api-version": version})
    assert said(answer) == (400, key)
    assert devops.runs == []


@pytest.mark.parametrize("version", ["7.1", "7.1-preview", "7.1-preview.1", "7.2-preview.1"])
def test_a_served_version_is_taken_from_the_query_or_the_accept_header(
    devops: DevOps, version: str
) -> None:
    accept = {"Accept": f"application/json;api-version={version}"}
    in_query = call(devops, "POST", RUNS, body=GOOD, query={"api-version": version})
    in_header = call(devops, "POST", RUNS, body=GOOD, headers=accept, query={"api-version": None})
    assert (in_query.status_code, in_header.status_code) == (200, 200)


def test_a_read_may_leave_the_version_out(devops: DevOps) -> None:
    assert call(devops, "GET", "pipelines", query={"api-version": None}).status_code == 200


def test_connection_data_is_served_as_a_preview_only(devops: DevOps) -> None:
    answer = call(devops, "GET", "connectionData", project="contoso")
    assert said(answer) == (400, "VssInvalidPreviewVersionException")


def test_an_unknown_project_is_a_404_with_a_reason(devops: DevOps) -> None:
    answer = call(devops, "POST", RUNS, body=GOOD, project="contoso/none")
    assert said(answer) == (404, "ProjectDoesNotExistWithNameException")


def test_an_unknown_organization_is_a_404_page(devops: DevOps) -> None:
    answer = call(devops, "POST", RUNS, body=GOOD, project="other/mlops")
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (404, "text/html")


@pytest.mark.parametrize("what", ["runs", "preview"])
def test_running_or_previewing_a_missing_pipeline_is_a_500_not_a_404(
    devops: DevOps, what: str
) -> None:
    assert call(devops, "POST", f"pipelines/7/{what}", body=GOOD).status_code == 500


@pytest.mark.parametrize(
    "path",
    ["pipelines/7", "pipelines/42/runs/7", "build/builds/7", "build/builds/7/tags", "nothing"],
)
def test_reading_what_is_not_there_is_a_404(devops: DevOps, path: str) -> None:
    assert call(devops, "GET", path).status_code == 404


def test_a_run_is_not_found_under_another_pipeline(devops: DevOps) -> None:
    run_id = start(devops).json()["id"]
    assert call(devops, "GET", f"pipelines/43/runs/{run_id}").status_code == 404


@pytest.mark.parametrize("version", ["0", "4", "x"])
def test_a_pipeline_version_that_never_was_is_a_400(devops: DevOps, version: str) -> None:
    assert (
        call(devops, "POST", RUNS, body=GOOD, query={"pipelineVersion": version}).status_code == 400
    )
