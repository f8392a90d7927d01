"""Microsoft's own client works against the local Azure DevOps, which starts each run once."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from local.devops import DevOps
from tests.local.devops.calls import PAT, RUNS, authorization, call, start, with_pipelines

ROOT = Path(__file__).resolve().parents[3]

# The client keeps what it discovered on disk, under the home directory unless told otherwise.
os.environ.setdefault("AZURE_DEVOPS_CACHE_DIR", tempfile.mkdtemp())
azure_devops = pytest.importorskip("azure.devops.connection")
exceptions = pytest.importorskip("azure.devops.exceptions")
models = pytest.importorskip("azure.devops.v7_1.pipelines.models")
authentication = pytest.importorskip("msrest.authentication")


def connected(devops: DevOps) -> Any:
    credentials = authentication.BasicAuthentication("", PAT)
    connection = azure_devops.Connection(base_url=f"{devops.url}/contoso", creds=credentials)
    return connection.clients_v7_1


def asked(**parameters: str) -> Any:
    return models.RunPipelineParameters(template_parameters=parameters)


def test_microsofts_client_lists_and_gets_pipelines(devops: DevOps) -> None:
    client = connected(devops).get_pipelines_client()
    assert [(p.id, p.name) for p in client.list_pipelines("mlops")] == [
        (42, "register-model"),
        (43, "report-failure"),
    ]
    assert client.get_pipeline("mlops", 42).revision == 3


def test_microsofts_client_runs_a_pipeline_and_reads_the_run(devops: DevOps) -> None:
    client = connected(devops).get_pipelines_client()
    run = client.run_pipeline(asked(run_id="a/b c"), "mlops", 42, pipeline_version=2)
    assert (run.state, run.pipeline.revision) == ("inProgress", 2)
    assert client.get_run("mlops", 42, run.id).template_parameters["run_id"] == "a/b c"
    assert [r.id for r in client.list_runs("mlops", 42)] == [run.id]
    assert [r.template_parameters for r in devops.runs] == [{"run_id": "a/b c"}]


def test_microsofts_client_previews_without_queueing(devops: DevOps) -> None:
    client = connected(devops).get_pipelines_client()
    assert "echo run_id=seen" in client.preview(asked(run_id="seen"), "mlops", 42).final_yaml
    assert devops.runs == []


def test_microsofts_client_lists_gets_and_tags_builds(devops: DevOps) -> None:
    clients = connected(devops)
    run = clients.get_pipelines_client().run_pipeline(asked(run_id="a"), "mlops", 42)
    builds = clients.get_build_client()
    assert builds.add_build_tag("mlops", run.id, "corr-1") == ["corr-1"]
    assert builds.add_build_tags(["b", "CORR-1"], "mlops", run.id) == ["b", "corr-1"]
    assert builds.get_build_tags("mlops", run.id) == ["b", "corr-1"]
    found = builds.get_builds("mlops", definitions=[42], tag_filters=["corr-1", "b"])
    assert [build.template_parameters["run_id"] for build in found] == ["a"]
    single = builds.get_build("mlops", run.id)
    assert (single.build_number, single.queue_time) == (run.name, devops.runs[0].queue_time)


def test_microsofts_client_tells_the_refusal_in_the_services_words(devops: DevOps) -> None:
    with pytest.raises(exceptions.AzureDevOpsServiceError, match="'run_id' parameter must be"):
        connected(devops).get_pipelines_client().run_pipeline(asked(), "mlops", 42)


def test_microsofts_client_takes_a_bad_pat_for_an_authentication_error(devops: DevOps) -> None:
    client = connected(devops).get_pipelines_client()
    devops.refuse(PAT, "302")
    with pytest.raises(exceptions.AzureDevOpsAuthenticationError):
        client.list_pipelines("mlops")


def test_microsofts_client_learns_who_it_is(devops: DevOps) -> None:
    client = connected(devops).get_location_client()
    assert client.get_connection_data().authenticated_user.is_active


def test_a_queued_run_tells_everything_that_was_asked(devops: DevOps) -> None:
    body = {
        "resources": {"repositories": {"self": {"refName": "refs/heads/next"}}},
        "stagesToSkip": ["deploy"],
        "templateParameters": {"run_id": "a", "fast": "True"},
        "variables": {"MODEL": {"value": "m"}},
    }
    told = call(devops, "POST", RUNS, body=body, project="Contoso/MLOps").json()
    (run,) = devops.runs
    assert (run.id, run.pipeline_id, run.pipeline_version) == (told["id"], 42, 3)
    assert (run.organization, run.project) == ("contoso", "mlops")
    assert run.template_parameters == {"run_id": "a", "fast": "True"}
    assert run.variables["MODEL"].value == "m"
    assert (run.branch, run.skipped_stages) == ("refs/heads/next", ("deploy",))


def test_a_secret_variable_is_not_told_again(devops: DevOps) -> None:
    variables = {"MODEL": {"value": "hush", "isSecret": True}}
    body = {"templateParameters": {"run_id": "a"}, "variables": variables}
    run = call(devops, "POST", RUNS, body=body)
    build = call(devops, "GET", f"build/builds/{run.json()['id']}")
    assert run.json()["variables"] == {"MODEL": {"isSecret": True}}
    assert "hush" not in run.text + build.text


def test_twenty_requests_at_once_start_twenty_runs(devops: DevOps) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: start(devops, run_id=str(n)).json(), range(20)))
    assert len({answer["id"] for answer in answers}) == 20
    assert len({answer["name"] for answer in answers}) == 20
    told = {answer["id"]: answer["templateParameters"]["run_id"] for answer in answers}
    assert told == {run.id: run.template_parameters["run_id"] for run in devops.runs}


def test_a_preview_run_is_a_run_that_does_not_exist(devops: DevOps) -> None:
    text = "steps:\n- script: echo ${{ parameters.rounds }}\n"
    asked_for = {"previewRun": True, "templateParameters": {"run_id": "a"}, "yamlOverride": text}
    told = call(devops, "POST", RUNS, body=asked_for).json()
    assert (told["id"], told["finalYaml"]) == (-1, "steps:\n- script: echo 3\n")
    assert devops.runs == []


def test_an_entra_token_is_let_in_as_a_bearer() -> None:
    with DevOps(tokens=["entra"]) as devops:
        with_pipelines(devops)
        good = call(devops, "GET", "pipelines", headers={"Authorization": "Bearer entra"})
        bad = call(devops, "GET", "pipelines", headers={"Authorization": "Bearer other"})
    assert (good.status_code, bad.status_code) == (200, 302)


def test_it_runs_alone_from_the_command_line() -> None:
    command = [sys.executable, "-m", "local.devops", "--port", "0", "--pat", "p"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            answer = requests.get(url, headers={"Authorization": authorization("p")}, timeout=20)
        finally:
            process.terminate()
    assert [pipeline["id"] for pipeline in answer.json()["value"]] == [42, 43]
