"""The last step of a pipeline job starts the next pipeline: run as AML runs it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, request

from local.devops import Parameter
from local.serving.faults import Fault
from local.serving.web import Server
from tests.component.steps import OWN_RUN
from tests.saying.refusals import says

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask.typing import ResponseReturnValue

    from local.cloud import Cloud
    from local.real.mlflow import MLflow
    from tests.component.steps import Step

    Given = dict[str, Any]
    Altered = Callable[..., Given]

RUNS = "*/_apis/pipelines/42/runs"


def wrong(cloud: Cloud, **what: Any) -> Fault:
    """The next `times` requests to run the pipeline go wrong like this; each takes one off."""
    fault = Fault(method="POST", path=RUNS, **what)
    cloud.devops.server.faults.add(fault)
    return fault


def posts(cloud: Cloud) -> int:
    return len(cloud.devops.server.received("POST", "/runs"))


def secret_reads(cloud: Cloud) -> int:
    """How often the secret was given away: the first request of a client is but a challenge."""
    return len(cloud.vault.server.received("GET", "/secrets/azure-devops-pat/")) - 1


def test_it_starts_the_pipeline_for_the_run_that_made_the_model(
    step: Step, given: Given, run_id: str, cloud: Cloud
) -> None:
    ran = step.run_uploaded(given)
    assert ran.code == 0, ran.said
    (started,) = cloud.devops.runs
    assert started.pipeline_id == 42
    assert started.template_parameters == {"run_id": run_id, "model_name": "defect-classifier"}
    url = f"{cloud.devops.url}/contoso/mlops/_build/results?buildId={started.id}"
    assert f"pipeline run {started.id}\n{url}\n" in ran.said
    assert ran.output["pipeline_run"] == started.id
    assert (ran.output["state"], ran.output["url"]) == ("started", url)
    assert cloud.pat not in ran.said


def test_more_parameters_branch_and_version_are_asked_for(
    step: Step, altered: Altered, run_id: str, cloud: Cloud
) -> None:
    names = ("run_id", "model_name", "model_uri", "stages", "note", "relay_id")
    parameters: dict[str, Parameter | str | None] = {**dict.fromkeys(names, "")}
    parameters["stages"] = Parameter("object", "[]")
    branches = ("refs/heads/main", "refs/heads/release")
    add = cloud.devops.add_pipeline
    add("contoso", "mlops", 42, "r", parameters=parameters, branches=branches, revision=3)
    more = '{"note": "it\\u0027s \\"quoted\\" $HOME `x`", "stages": ["a"], "model_uri": "'
    ran = step.run(
        altered(
            parameters=more + '{{ workspace.name }}/{{ run.experiment }}"}',
            branch="refs/heads/release",
            pipeline_version=2,
            correlation_parameter="relay_id",
            api_version="7.2-preview.1",
        )
    )
    assert ran.code == 0, ran.said
    (started,) = cloud.devops.runs
    assert (started.branch, started.pipeline_version) == ("refs/heads/release", 2)
    asked = started.template_parameters
    assert asked["note"] == 'it\'s "quoted" $HOME `x`'
    assert (asked["stages"], asked["model_uri"]) == ('["a"]', "ml-prod/defect-detection")
    assert (asked["relay_id"], asked["run_id"]) == (ran.output["correlation"], run_id)
    (post,) = cloud.devops.server.received("POST", "/runs")
    assert post.query["api-version"] == "7.2-preview.1"


def test_a_version_that_the_server_does_not_speak_is_replaced_by_the_one_that_it_names(
    step: Step, altered: Altered, cloud: Cloud
) -> None:
    ran = step.run(altered(api_version="9.9"))
    assert (ran.code, len(cloud.devops.runs)) == (0, 1), ran.said
    asked = [r.query["api-version"] for r in cloud.devops.server.received("POST", "/runs")]
    assert asked == ["9.9", "7.2", "7.2-preview"]


def test_what_azure_devops_rejects_is_told_in_its_words(
    step: Step, altered: Altered, cloud: Cloud
) -> None:
    ran = step.run(altered(parameters='{"colour": "red"}'))
    assert (ran.code, cloud.devops.runs) == (1, [])
    assert "Unexpected parameter 'colour'" in ran.said
    assert (ran.output["state"], ran.output["reason"]) == ("failed", "rejected")


def test_a_model_whose_name_would_be_expanded_is_not_sent(
    step: Step, altered: Altered, cloud: Cloud
) -> None:
    ran = step.run(altered(model_name="defects $(key)"))
    assert (ran.code, cloud.devops.runs) == (1, [])
    assert "expands: model_name holds `$(`, which the agent" in ran.said
    assert (ran.output["state"], ran.output["reason"]) == ("held", "expands")


def test_a_sign_in_page_is_no_start_and_the_secret_is_read_once_more(
    step: Step, given: Given, cloud: Cloud
) -> None:
    page = {"Content-Type": "text/html"}
    wrong(cloud, status=203, headers=page, body="<html>Azure DevOps Services | Sign In</html>")
    ran = step.run(given)
    assert ran.code == 0, ran.said
    assert (secret_reads(cloud), len(cloud.devops.runs)) == (2, 1)


REFUSALS: dict[int, dict[str, str]] = {
    203: {"Content-Type": "text/html"},
    302: {"Location": "https://spsprodeus1.vssps.visualstudio.com/_signin"},
    401: {"WWW-Authenticate": "Basic"},
}


@pytest.mark.parametrize("status", REFUSALS)
def test_a_secret_that_is_refused_twice_is_left_to_a_person(
    step: Step, given: Given, cloud: Cloud, status: int
) -> None:
    page = "<html>Azure DevOps Services | Sign In</html>"
    fault = wrong(cloud, status=status, headers=REFUSALS[status], body=page, times=9)
    ran = step.run(given)
    assert (ran.code, 9 - fault.times, secret_reads(cloud)) == (4, 2, 2)
    assert "the credential is not accepted" in ran.said


def test_a_secret_that_is_not_there_is_left_to_a_person(
    step: Step, altered: Altered, cloud: Cloud
) -> None:
    ran = step.run(altered(secret_name="no-such-secret"))
    assert (ran.code, posts(cloud)) == (4, 0)
    assert "not started: secret_unreadable: secret no-such-secret" in ran.said


def test_a_throttled_request_is_sent_again_after_the_time_that_was_asked_for(
    step: Step, given: Given, cloud: Cloud
) -> None:
    cloud.devops.server.faults.add(says(429, after="2"))
    began = time.time()
    ran = step.run(given)
    assert (ran.code, len(cloud.devops.runs)) == (0, 1), ran.said
    (second,) = cloud.devops.server.received("POST", "/runs")
    assert second.at - began >= 2


def test_a_throttled_request_is_not_waited_for_beyond_patience(
    step: Step, altered: Altered, cloud: Cloud
) -> None:
    cloud.devops.server.faults.add(fault := says(429, after="3600", times=9))
    ran = step.run(altered(patience_seconds=5))
    assert (ran.code, 9 - fault.times) == (5, 1)
    assert "not started: throttled" in ran.said


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 503, "after": True}])
def test_a_start_whose_answer_was_lost_is_found_and_not_repeated(
    step: Step, given: Given, cloud: Cloud, fault: dict[str, Any]
) -> None:
    wrong(cloud, **fault)
    ran = step.run(given)
    assert (ran.code, posts(cloud)) == (0, 1), ran.said
    assert ran.output["pipeline_run"] == cloud.devops.runs[0].id


def test_a_start_that_stays_in_doubt_ends_with_a_code_of_its_own_and_what_is_known(
    step: Step, altered: Altered, run_id: str, cloud: Cloud
) -> None:
    fault = wrong(cloud, drop="before", times=9)
    ran = step.run(altered(patience_seconds=5))
    assert (ran.code, 9 - fault.times) == (6, 1), ran.said
    assert ran.output["state"] == "in_doubt"
    assert "not found: the service has no pipeline run of it so far" in ran.said
    assert "Look among the runs of contoso/mlops, pipeline 42, since" in ran.said
    assert f'"run_id": "{run_id}"' in ran.said


def test_a_step_that_its_node_lost_and_that_runs_again_starts_nothing_twice(
    step: Step, altered: Altered, cloud: Cloud
) -> None:
    inputs = altered(correlation_parameter="relay_id")
    first, again = step.run(inputs), step.run(inputs)
    assert (first.code, again.code, len(cloud.devops.runs)) == (0, 0, 1), again.said
    assert first.output["pipeline_run"] == again.output["pipeline_run"]


def test_another_step_for_the_same_model_starts_its_own(
    step: Step, altered: Altered, cloud: Cloud
) -> None:
    inputs = altered(correlation_parameter="relay_id")
    step.run(inputs)
    ran = step.run(inputs, AZUREML_RUN_ID="another_step")
    assert (ran.code, len(cloud.devops.runs)) == (0, 2), ran.said


SAVED = """
flavors:
  python_function: {loader_module: mlflow.sklearn, model_path: model.pkl}
  sklearn: {pickled_model: model.pkl}
mlflow_version: 2.19.0
model_uuid: 0a1b2c3d4e5f60718293a4b5c6d7e8f9
"""


def test_a_model_that_was_saved_and_not_logged_is_of_the_run_that_the_input_names(
    step: Step, altered: Altered, cloud: Cloud, tmp_path: Path
) -> None:
    cloud.devops.add_pipeline(
        "contoso", "mlops", 42, "r", parameters=dict.fromkeys(("run_id", "model_name", "f"), "")
    )
    (tmp_path / "MLmodel").write_text(SAVED, "utf-8")
    more = '{"f": "{{ model.flavors }}"}'
    ran = step.run(altered(model=tmp_path, run_id="plum_1", parameters=more))
    assert ran.code == 0, ran.said
    (started,) = cloud.devops.runs
    assert started.template_parameters == {
        "run_id": "plum_1",
        "model_name": "defect-classifier",
        "f": '["python_function","sklearn"]',
    }
    assert ran.output["run_id"] == "plum_1"


def test_a_model_of_another_run_than_the_input_names_starts_nothing(
    step: Step, altered: Altered, cloud: Cloud, run_id: str
) -> None:
    ran = step.run(altered(run_id="plum_1"))
    assert (ran.code, posts(cloud)) == (3, 0)
    assert f"names run {run_id}, and the input run_id plum_1" in ran.said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "cannot be read"),
        (SAVED, "give the step the input run_id"),
        ("artifact_path: model\nflavors: {}\n", "has no run_id"),
        ("[]", "is no MLmodel file"),
        ("run_id: r1\nx: [", "is no MLmodel file: it is no YAML"),
        (f"run_id: r1\nx: {'[' * 100}{']' * 100}", "it is nested more than 100 deep"),
        (f"run_id: 0x{'f' * 5000}", "it has a number of more than 100 characters"),
        ("run_id: 'two words'\n", "has no run_id"),
    ],
)
def test_a_model_that_names_no_run_starts_nothing(
    step: Step, altered: Altered, cloud: Cloud, tmp_path: Path, text: str | None, why: str
) -> None:
    if text is not None:
        (tmp_path / "MLmodel").write_text(text, "utf-8")
    ran = step.run(altered(model=tmp_path))
    assert (ran.code, posts(cloud)) == (3, 0)
    assert why in ran.said


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"parameters": "[1]"}, "no JSON object"),
        ({"parameters": "{"}, "no JSON"),
        ({"parameters": '{"a": ' + "[" * 100 + "]" * 100 + "}"}, "nested more than 100 deep"),
        ({"parameters": '{"run_id": "x"}'}, "run_id is set by this step"),
        ({"run_id": "two words"}, "can be no run's id"),
        ({"parameters": '{"a": "{{ run.metrics.x }}"}'}, "run.metrics.x is not known"),
        ({"parameters": '{"a": "{{ run.ide }}"}'}, "did you mean run.id?"),
        ({"parameters": '{"a": {"b": "$(c)"}}'}, "a holds `$(`, which the agent"),
        ({"branch": "main"}, "write refs/heads/main"),
        ({"vault": "not a vault"}, "neither a vault's name nor"),
        ({"vault": "http://127.0.0.1"}, "neither a vault's name nor"),
        ({"api_version": "latest"}, "no version such as 7.1"),
        ({"pipeline_id": 0}, "no number above 0"),
        ({"correlation_parameter": "run_id"}, "cannot be the correlation"),
        ({"project": ""}, "it is empty"),
    ],
)
def test_an_input_that_cannot_be_meant_is_told_before_anything_is_asked(
    step: Step, altered: Altered, cloud: Cloud, inputs: Given, why: str
) -> None:
    ran = step.run(altered(**inputs))
    assert (ran.code, cloud.identity.server.requests, posts(cloud)) == (2, [], 0)
    assert why in ran.said


def test_it_signs_in_with_the_identity_that_aml_gives_its_cluster(
    step: Step, given: Given, cloud: Cloud
) -> None:
    mine = "11111111-2222-3333-4444-555555555555"
    app = Flask(__name__)

    @app.get("/MSI/auth")
    def token() -> ResponseReturnValue:
        asked = request.args
        fits = asked["api-version"] == "2017-09-01" and asked["clientid"] == mine
        if not fits or request.headers["secret"] != "aml-secret":
            return {}, 400
        issued = cloud.identity.issue(asked["resource"], mine)
        return {"access_token": issued, "expires_on": 4102444800, "resource": asked["resource"]}

    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        del step.environ[name]
    with Server(app) as endpoint:
        ran = step.run(
            given,
            MSI_ENDPOINT=f"{endpoint.url}/MSI/auth",
            MSI_SECRET="aml-secret",
            DEFAULT_IDENTITY_CLIENT_ID=mine,
        )
    assert ran.code == 0, ran.said
    assert cloud.identity.server.requests == []


def test_it_leaves_a_link_on_its_own_run(
    step: Step, given: Given, cloud: Cloud, mlflow_server: MLflow
) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415 - seconds that only this test needs

    client = MlflowClient(mlflow_server.url)
    own = client.create_run("0").info.run_id
    ran = step.run(given, MLFLOW_TRACKING_URI=mlflow_server.url, AZUREML_RUN_ID=own)
    assert ran.code == 0, ran.said
    tags = client.get_run(own).data.tags
    assert tags["relay.trigger_pipeline.pipeline_run"] == str(cloud.devops.runs[0].id)
    assert tags["relay.trigger_pipeline.url"] == ran.output["url"]


def test_a_link_that_cannot_be_left_costs_nothing(step: Step, given: Given, cloud: Cloud) -> None:
    ran = step.run(given, MLFLOW_TRACKING_URI=f"{cloud.devops.url}/no-mlflow")
    assert (ran.code, len(cloud.devops.runs)) == (0, 1), ran.said
    assert f"no link on run {OWN_RUN}" in ran.said
