"""The files of `pipelines/` that the patterns use: what Azure Pipelines would read of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml
from jsonschema import Draft7Validator

from functions.core.terms.words import State
from local.devops import DevOps
from tests.patterns.pipelines import FOLDER, Pipeline
from tests.running.shipping import ROOT
from tests.stage import published
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.cloud import Cloud

SHELLCHECK = Path(sys.executable).with_name("shellcheck")
NAMES = (
    *("validate", "pull-request", "train", "train-and-wait"),
    *("register", "report-failure", "deploy-model", "reconcile"),
)
STARTED = {
    "register-model": "register",
    "report-failure": "report-failure",
    "deploy-model": "deploy-model",
}
"""The file behind the pipeline that each example route starts."""

PIPELINES = [Pipeline(f"{name}.yml") for name in NAMES]
SCRIPTS = [pytest.param(script, id=str(script)) for p in PIPELINES for script in p.scripts]
each = pytest.mark.parametrize("pipeline", PIPELINES, ids=NAMES)


@pytest.fixture
def routes() -> Any:
    return yaml.safe_load((ROOT / "routes.yaml").read_text("utf-8"))["routes"]


@pytest.fixture(scope="module")
def schema() -> Draft7Validator:
    return Draft7Validator(json.loads(published.PIPELINES.read_text("utf-8")))


@published.needs(published.PIPELINES)
@each
def test_it_is_valid_by_the_published_schema(pipeline: Pipeline, schema: Draft7Validator) -> None:
    assert [error.message for error in schema.iter_errors(pipeline.expanded())] == []


@published.needs(published.PIPELINES)
@each
@pytest.mark.parametrize(("right", "wrong"), [("type:", "typ:"), ("jobs:", "job:")])
def test_the_schema_would_find_a_mistake(
    pipeline: Pipeline, schema: Draft7Validator, right: str, wrong: str
) -> None:
    assert right in pipeline.text
    assert list(schema.iter_errors(pipeline.expanded(pipeline.text.replace(right, wrong)))) != []


@pytest.mark.skipif(
    not SHELLCHECK.is_file(), reason="no shellcheck: pip install -r requirements-dev.txt"
)
@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_finds_nothing_in_a_script(script: Any) -> None:
    ran = subprocess.run(
        [SHELLCHECK, "--shell=bash", "-"],
        input=script.text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.stdout == ""


@pytest.mark.parametrize("script", SCRIPTS)
def test_nothing_is_put_into_a_script_and_what_it_reads_it_is_given(script: Any) -> None:
    assert re.search(r"\$\{\{|\$\([A-Za-z]+\.?[A-Za-z]*\)", script.text) is None
    read = set(re.findall(r"\$\{?!?([A-Z][A-Z_]+)\b", script.text)) - {"AGENT_TEMPDIRECTORY"}
    assert read <= script.environ.keys()


@each
def test_every_parameter_is_typed_named_for_people_and_used(pipeline: Pipeline) -> None:
    for parameter in pipeline.read["parameters"]:
        assert {"name", "displayName", "type"} <= parameter.keys(), parameter
        assert f"parameters.{parameter['name']}" in pipeline.text


@pytest.mark.parametrize("name", ["validate", "train", "register", "deploy-model", "reconcile"])
def test_every_script_that_calls_azure_is_signed_in_by_the_named_connection(name: str) -> None:
    steps = [s for s in Pipeline(f"{name}.yml").steps() if "AzureCLI" in s.get("task", "")]
    named = {s["inputs"]["azureSubscription"] for s in steps}
    assert named == {"${{ parameters.serviceConnection }}"}


def test_the_example_gives_the_template_what_it_needs_and_nothing_else() -> None:
    example = Pipeline("pull-request.yml").read
    (job,), (repository,) = example["jobs"], example["resources"]["repositories"]
    file, _, where = job["template"].partition("@")
    declared = Pipeline(file.removeprefix("pipelines/")).read["parameters"]
    (relay,) = (p["default"] for p in declared if p["name"] == "relay")
    assert where == repository["repository"] == relay
    required = {p["name"] for p in declared if "default" not in p}
    assert required <= job["parameters"].keys() <= {p["name"] for p in declared}
    types = {p["name"]: p["type"] for p in declared}
    objects = {n for n, v in job["parameters"].items() if isinstance(v, list)}
    assert {types[name] for name in objects} == {"object"}


@pytest.mark.parametrize("name", ["validate", "train", "register", "deploy-model"])
def test_the_pool_may_be_any_and_the_wait_has_no_limit_but_its_own(name: str) -> None:
    pipeline = Pipeline(f"{name}.yml")
    (pool,) = (p for p in pipeline.read["parameters"] if p["name"] == "pool")
    assert (pool["type"], set(pool["default"])) == ("object", {"vmImage"})
    assert {job["pool"] for job in pipeline.jobs()} == {"${{ parameters.pool }}"}
    if name == "validate":
        assert [job["timeoutInMinutes"] for job in pipeline.jobs()] == [0]


def test_a_training_is_cancelled_by_name_when_the_pipeline_run_is() -> None:
    steps = list(Pipeline("validate.yml").steps())
    submits, cancels = steps[-2:]
    assert cancels["condition"] == "or(canceled(), failed())"
    assert submits["env"]["JOB_NAME"] == cancels["env"]["JOB_NAME"] == "$(jobName)"


def test_a_round_comes_twice_an_hour_also_without_a_commit_from_the_deployed_branch() -> None:
    read = Pipeline("reconcile.yml").read
    (schedule,) = read["schedules"]
    assert (read["trigger"], read["pr"], schedule["always"]) == ("none", "none", True)
    assert schedule["branches"] == {"include": ["main"]}
    first, second = map(int, schedule["cron"].removesuffix(" * * * *").split(","))
    assert second - first == 30


def test_no_model_is_deployed_without_the_environment() -> None:
    deploys = [job for job in Pipeline("deploy-model.yml").jobs() if "Deploy" in str(job)]
    assert [job.get("environment") for job in deploys] == ["${{ parameters.environment }}"]


def test_the_example_routes_send_what_their_pipelines_declare(routes: Any) -> None:
    sent = {r["name"]: r["start"]["parameters"] for r in routes if r["name"] in STARTED}
    assert {"register-model", "report-failure"} <= sent.keys()
    for route, parameters in sent.items():
        declared = Pipeline(f"{STARTED[route]}.yml").read["parameters"]
        required = {p["name"] for p in declared if "default" not in p}
        assert required == parameters.keys(), route


@pytest.fixture
def devops() -> Iterator[DevOps]:
    with DevOps(pats=["a-pat"]) as running:
        yield running


@each
def test_azure_devops_reads_its_parameters_and_would_run_it(
    pipeline: Pipeline, devops: DevOps
) -> None:
    devops.add_pipeline("contoso", "mlops", 7, "example", yaml=pipeline.text)
    declared = pipeline.read["parameters"]
    given = {p["name"]: "x" for p in declared if "default" not in p}

    def preview(**parameters: str) -> requests.Response:
        return requests.post(
            f"{devops.url}/contoso/mlops/_apis/pipelines/7/preview?api-version=7.1",
            json={"previewRun": True, "templateParameters": parameters},
            auth=("", "a-pat"),
            timeout=10,
        )

    assert preview(**given).status_code == 200
    assert preview(**given, nosuch="x").status_code == 400
    assert "'pool' parameter value" in preview(**given, pool="any").json()["message"]
    for name in given:
        lacking = {n: v for n, v in given.items() if n != name}
        assert preview(**lacking).status_code == 400, name


def test_the_example_route_starts_the_example_pipeline(cloud: Cloud, tmp_path: Path) -> None:
    stage = Stage(cloud, tmp_path)
    stage.routes((ROOT / "routes.yaml").read_text("utf-8"))
    stage.devops.add_pipeline(
        "contoso", "mlops", 42, "register", yaml=(FOLDER / "register.yml").read_text("utf-8")
    )
    stage.aml.add_run("r1", experiment="defect-detection", metrics={"accuracy": 0.95})
    stage.aml.add_model_version("defects", 3, "r1")
    stage.deliver(completed("r1"))
    assert stage.of_run("r1")["register-model"].state is State.STARTED
    (started,) = stage.devops.runs
    assert started.template_parameters == {
        "model_name": "defects",
        "model_version": "3",
        "accuracy": "0.95",
        "run_id": "r1",
    }
