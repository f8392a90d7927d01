from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from local.aml.front import AML, Forwarded
from local.aml.memory import MemoryAML
from local.identity import MANAGEMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow import MlflowClient

    from local.identity import Identity
    from local.real.mlflow import MLflow
    from local.serving.certificates import Authority

WORKSPACE = (
    "/subscriptions/0a1b/resourceGroups/ml/providers"
    "/Microsoft.MachineLearningServices/workspaces/vision"
)
GUID = "ae8d6548-ffed-4de3-97a6-e035a6a63843"
ROOT = "happy_cloud_1"


@pytest.fixture(autouse=True)
def trust(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))


@pytest.fixture
def aml(identity: Identity, authority: Authority) -> Iterator[MemoryAML]:
    with MemoryAML(WORKSPACE, identity.accepts, authority.server_context()) as running:
        running.add_experiment("defect-net", GUID)
        yield running


@pytest.fixture
def ask(identity: Identity) -> Ask:
    return Ask(identity.issue(MANAGEMENT))


class Ask:
    """Calls a front with a good token."""

    def __init__(self, token: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, aml: AML, call: str, **query: str | int) -> requests.Response:
        url = f"{aml.url}/api/2.0/mlflow/{call}"
        return requests.get(url, query, headers=self.headers, timeout=30)

    def post(self, aml: AML, call: str, **body: object) -> requests.Response:
        url = f"{aml.url}/api/2.0/mlflow/{call}"
        return requests.post(url, json=body, headers=self.headers, timeout=30)

    def runs(self, aml: AML, **body: object) -> list[str]:
        found = self.post(aml, "runs/search", experiment_ids=[GUID], **body)
        assert found.ok, found.text
        return [r["info"]["run_id"] for r in found.json().get("runs", [])]


def refusal(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error_code"]


def test_the_tracking_uri_spells_https_as_azureml(aml: MemoryAML) -> None:
    port = aml.server.port
    assert aml.tracking_uri == f"azureml://localhost:{port}/mlflow/v1.0{WORKSPACE}"


def test_a_run_is_read_with_its_metrics_params_and_tags(aml: MemoryAML, ask: Ask) -> None:
    aml.add_run(
        ROOT,
        metrics={"accuracy": 0.93},
        params={"depth": "4"},
        tags={"stage": "production"},
        experiment_id=GUID,
        start_time=1000,
        end_time=2000,
    )
    run = ask.get(aml, "runs/get", run_id=ROOT).json()["run"]
    assert run["info"]["status"] == "FINISHED"
    assert run["info"]["experiment_id"] == GUID
    assert (run["info"]["start_time"], run["info"]["end_time"]) == (1000, 2000)
    assert run["data"]["metrics"] == [
        {"key": "accuracy", "value": 0.93, "timestamp": 2000, "step": 0}
    ]
    assert run["data"]["params"] == [{"key": "depth", "value": "4"}]
    assert run["data"]["tags"] == [{"key": "stage", "value": "production"}]


def test_metrics_that_are_no_numbers_are_told_as_mlflow_does(aml: MemoryAML, ask: Ask) -> None:
    odd = {"nan": math.nan, "inf": math.inf, "minus": -math.inf, "whole": 1}
    aml.add_run(ROOT, metrics=odd)
    run = ask.get(aml, "runs/get", run_id=ROOT).json()["run"]
    assert {m["key"]: m["value"] for m in run["data"]["metrics"]} == {
        "nan": "NaN",
        "inf": 1.7976931348623157e308,
        "minus": -1.7976931348623157e308,
        "whole": 1,
    }


def test_a_real_mlflow_tells_them_so(mlflow_server: MLflow) -> None:
    client = client_of(mlflow_server.url)
    run = client.create_run("0").info.run_id
    for name, value in (("nan", math.nan), ("inf", math.inf), ("minus", -math.inf)):
        client.log_metric(run, name, value)
    url = f"{mlflow_server.url}/api/2.0/mlflow/runs/get"
    told = requests.get(url, {"run_id": run}, timeout=60).json()["run"]["data"]["metrics"]
    assert {m["key"]: m["value"] for m in told} == {
        "nan": "NaN",
        "inf": 1.7976931348623157e308,
        "minus": -1.7976931348623157e308,
    }


def test_what_a_run_does_not_have_is_left_out(aml: MemoryAML, ask: Ask) -> None:
    aml.add_run(ROOT, status="Running")
    run = ask.get(aml, "runs/get", run_id=ROOT).json()["run"]
    assert run["data"] == {}
    assert "end_time" not in run["info"]


@pytest.mark.parametrize(
    ("job", "run"),
    [
        ("Queued", "SCHEDULED"),
        ("Running", "RUNNING"),
        ("Completed", "FINISHED"),
        ("Failed", "FAILED"),
        ("Canceled", "KILLED"),
    ],
)
def test_a_job_status_reads_as_mlflow_spells_it(
    aml: MemoryAML, ask: Ask, job: str, run: str
) -> None:
    aml.add_run(ROOT, status=job)
    assert ask.get(aml, "runs/get", run_id=ROOT).json()["run"]["info"]["status"] == run


def test_an_unknown_run_does_not_exist(aml: MemoryAML, ask: Ask) -> None:
    assert refusal(ask.get(aml, "runs/get", run_id="nobody")) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_a_request_needs_a_token_for_resource_manager(aml: MemoryAML, identity: Identity) -> None:
    aml.add_run(ROOT)
    for token in ("", identity.issue("https://vault.azure.net")):
        assert Ask(token).get(aml, "runs/get", run_id=ROOT).status_code == 401


def test_another_workspace_is_not_found(aml: MemoryAML, ask: Ask) -> None:
    url = aml.url.replace("/vision", "/other") + "/api/2.0/mlflow/experiments/get"
    assert requests.get(url, headers=ask.headers, timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/2.0/mlflow/logged-models/search"),
        ("GET", "/get-artifact?path=model/MLmodel"),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts/1/model/MLmodel"),
        ("POST", "/api/2.0/mlflow/registered-models/rename"),
    ],
)
def test_what_aml_does_not_have_is_an_empty_404(
    aml: MemoryAML, ask: Ask, method: str, path: str
) -> None:
    url = f"{aml.url}{path}"
    answer = requests.request(method, url, json={}, headers=ask.headers, timeout=10)
    assert (answer.status_code, answer.text) == (404, "")


def test_children_are_found_by_their_parent_page_by_page(aml: MemoryAML, ask: Ask) -> None:
    aml.add_run(ROOT, experiment_id=GUID)
    for n in range(3):
        aml.add_run(f"step-{n}", parent=ROOT, experiment_id=GUID, start_time=n)
    search: dict[str, Any] = {
        "experiment_ids": [GUID],
        "filter": f"tags.mlflow.parentRunId = '{ROOT}'",
        "max_results": 2,
    }
    first = ask.post(aml, "runs/search", **search).json()
    second = ask.post(aml, "runs/search", **search, page_token=first["next_page_token"]).json()
    assert "next_page_token" not in second
    found = [r["info"]["run_id"] for r in first["runs"] + second["runs"]]
    assert found == ["step-2", "step-1", "step-0"]


def test_a_search_that_finds_nothing_is_an_empty_object(aml: MemoryAML, ask: Ask) -> None:
    aml.add_run(ROOT, experiment_id=GUID)
    nothing = ask.post(aml, "runs/search", experiment_ids=[GUID], filter="tags.a = 'b'")
    assert nothing.json() == {}
    assert ask.get(aml, "model-versions/search", filter="name='none'").json() == {}


def test_runs_are_ordered_by_attributes(aml: MemoryAML, ask: Ask) -> None:
    aml.add_run("long", experiment_id=GUID, start_time=10, end_time=900)
    aml.add_run("short", experiment_id=GUID, start_time=20, end_time=30)
    aml.add_run("open", status="Running", experiment_id=GUID, start_time=30)
    assert ask.runs(aml) == ["open", "short", "long"]
    assert ask.runs(aml, order_by=["attributes.end_time DESC"]) == ["long", "short", "open"]
    assert ask.runs(aml, order_by=["attributes.duration ASC"]) == ["short", "long", "open"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("attributes.status = 'Failed'", ["bad"]),
        ("attributes.start_time >= '20'", ["bad"]),
        ("attributes.run_id IN ('good', 'other')", ["good"]),
        ("metrics.accuracy > 0.9", ["good"]),
        ("params.depth LIKE '4%'", ["good"]),
        ("params.depth != '40' AND metrics.accuracy < 0.9", ["bad"]),
        ("tags.stage = 'production' and attributes.end_time < '100'", ["good"]),
    ],
)
def test_the_documented_filters_work(aml: MemoryAML, ask: Ask, text: str, found: list[str]) -> None:
    good: dict[str, Any] = {"metrics": {"accuracy": 0.95}, "params": {"depth": "40"}}
    bad: dict[str, Any] = {"metrics": {"accuracy": 0.5}, "params": {"depth": "8"}}
    tags = {"stage": "production"}
    aml.add_run("good", **good, tags=tags, experiment_id=GUID, start_time=10, end_time=50)
    aml.add_run("bad", **bad, status="Failed", experiment_id=GUID, start_time=20, end_time=60)
    assert ask.runs(aml, filter=text) == found


@pytest.mark.parametrize(
    "body",
    [
        {"filter": "tags.a = '1' OR tags.b = '2'"},
        {"filter": "tags.stage != 'dev'"},
        {"filter": "tags.stage LIKE '%prod%'"},
        {"filter": "tags.`mlflow.parentRunId` = 'x'"},
        {"filter": 'metrics."top accuracy" > 0.5'},
        {"filter": "params.depth > '4'"},
        {"filter": "attributes.end_time > 1000"},
        {"filter": "attributes.status IN ('Failed')"},
        {"filter": "attributes.color = 'red'"},
        {"filter": "end_time > '1000'"},
        {"filter": "datasets.name = 'x'"},
        {"filter": "attributes.run_id IN ('x'"},
        {"order_by": ["metrics.accuracy DESC"]},
        {"order_by": ["tags.stage"]},
        {"order_by": ["attributes.start_time SIDEWAYS"]},
        {"max_results": 50_001},
        {"page_token": "nonsense"},
    ],
)
def test_a_search_that_aml_does_not_support_is_refused(
    aml: MemoryAML, ask: Ask, body: dict[str, Any]
) -> None:
    answer = ask.post(aml, "runs/search", experiment_ids=[GUID], **body)
    assert refusal(answer) == (400, "INVALID_PARAMETER_VALUE")


def test_model_versions_are_searched_by_name(aml: MemoryAML, ask: Ask) -> None:
    aml.add_model_version("defects", 1, "a")
    aml.add_model_version("defects", 2, "b", "azureml://b")
    aml.add_model_version("other", 1, "c")
    found = ask.get(aml, "model-versions/search", filter="name='defects'").json()
    facts = [(v["version"], v["run_id"], v["source"]) for v in found["model_versions"]]
    assert facts == [("2", "b", "azureml://b"), ("1", "a", "runs:/a/model")]


@pytest.mark.parametrize(
    "text",
    ["run_id='a'", "name LIKE 'd%'", "tags.a='b'", "name='a' AND name='b'", "name=5"],
)
def test_model_versions_are_searched_by_nothing_else(aml: MemoryAML, ask: Ask, text: str) -> None:
    answer = ask.get(aml, "model-versions/search", filter=text)
    assert refusal(answer) == (400, "INVALID_PARAMETER_VALUE")


def test_a_version_is_told_by_its_alias_with_tags_as_mlflow_does(aml: MemoryAML, ask: Ask) -> None:
    aml.add_model_version("defects", 1, "a", tags={"stage": "production"})
    aml.add_model_version("defects", 2, "b")
    aml.set_alias("defects", "champion", 2)
    aml.set_alias("defects", "champion", 1)
    asked = {"name": "defects", "alias": "champion"}
    found = ask.get(aml, "registered-models/alias", **asked).json()["model_version"]
    assert (found["version"], found["run_id"], found["aliases"]) == ("1", "a", ["champion"])
    assert found["tags"] == [{"key": "stage", "value": "production"}]
    listed = ask.get(aml, "model-versions/search", filter="name='defects'").json()
    assert ["aliases" in version for version in listed["model_versions"]] == [False, False]


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ({"name": "defects", "alias": "other"}, (400, "INVALID_PARAMETER_VALUE")),
        ({"name": "others", "alias": "champion"}, (404, "RESOURCE_DOES_NOT_EXIST")),
        ({"name": "defects"}, (400, "INVALID_PARAMETER_VALUE")),
        ({"alias": "champion"}, (400, "INVALID_PARAMETER_VALUE")),
    ],
)
def test_an_alias_that_is_not_set_is_refused(
    aml: MemoryAML, ask: Ask, asked: dict[str, str], refused: tuple[int, str]
) -> None:
    aml.add_model_version("defects", 1, "a")
    aml.set_alias("defects", "champion", 1)
    assert refusal(ask.get(aml, "registered-models/alias", **asked)) == refused


def test_model_versions_are_searched_by_run_where_that_reading_is_chosen(
    identity: Identity, ask: Ask
) -> None:
    with MemoryAML(WORKSPACE, identity.accepts, by_run=True) as aml:
        aml.add_model_version("defects", 1, "a")
        aml.add_model_version("defects", 2, "b")
        found = ask.get(aml, "model-versions/search", filter="run_id='a'").json()
        assert [v["version"] for v in found["model_versions"]] == ["1"]


def test_experiments_are_searched_page_by_page(aml: MemoryAML, ask: Ask) -> None:
    aml.add_experiment("second")
    first = ask.post(aml, "experiments/search", max_results=1).json()
    token = first["next_page_token"]
    second = ask.get(aml, "experiments/search", max_results=1, page_token=token).json()
    names = {e["name"] for e in first["experiments"] + second["experiments"]}
    assert names == {"defect-net", "second"}
    some = ask.post(
        aml, "experiments/search", max_results=9, filter=f"experiment_id IN ('{GUID}')"
    ).json()
    assert [e["name"] for e in some["experiments"]] == ["defect-net"]


def test_an_experiment_is_read_by_id(aml: MemoryAML, ask: Ask) -> None:
    found = ask.get(aml, "experiments/get", experiment_id=GUID).json()
    assert found["experiment"]["name"] == "defect-net"
    assert refusal(ask.get(aml, "experiments/get", experiment_id="x"))[0] == 404


def test_artifacts_are_listed_folder_by_folder(aml: MemoryAML, ask: Ask) -> None:
    aml.add_run(ROOT, artifacts=("model/MLmodel", "log.txt"))
    top = ask.get(aml, "artifacts/list", run_id=ROOT).json()["files"]
    assert top == [{"path": "log.txt", "is_dir": False}, {"path": "model", "is_dir": True}]
    below = ask.get(aml, "artifacts/list", run_id=ROOT, path="model").json()["files"]
    assert below == [{"path": "model/MLmodel", "is_dir": False}]


def test_an_overlay_says_what_mlflow_cannot(aml: MemoryAML, ask: Ask) -> None:
    aml.add_run(ROOT, tags={"a": "1"})
    aml.overlay(ROOT, tags={"azureml.git.commit": "c0ffee"}, status="Canceled", name="nightly")
    run = ask.get(aml, "runs/get", run_id=ROOT).json()["run"]
    assert (run["info"]["status"], run["info"]["run_name"]) == ("KILLED", "nightly")
    assert {"key": "azureml.git.commit", "value": "c0ffee"} in run["data"]["tags"]
    assert {"key": "a", "value": "1"} in run["data"]["tags"]


def test_a_tag_can_be_set(aml: MemoryAML, ask: Ask) -> None:
    aml.add_run(ROOT)
    assert ask.post(aml, "runs/set-tag", run_id=ROOT, key="link", value="x").json() == {}
    run = ask.get(aml, "runs/get", run_id=ROOT).json()["run"]
    assert run["data"]["tags"] == [{"key": "link", "value": "x"}]


def client_of(*urls: str) -> MlflowClient:
    from mlflow import MlflowClient  # noqa: PLC0415 - seconds, on every collection

    return MlflowClient(*urls)


@pytest.fixture
def mlflow_client(
    aml: MemoryAML, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", identity.issue(MANAGEMENT))
    return client_of(aml.url, aml.url)


def test_the_mlflow_client_reads_runs_from_memory(
    aml: MemoryAML, mlflow_client: MlflowClient
) -> None:
    aml.add_run(ROOT, experiment_id=GUID)
    aml.add_run("step", parent=ROOT, metrics={"accuracy": 0.9}, experiment_id=GUID)
    assert mlflow_client.get_run(ROOT).info.status == "FINISHED"
    child = mlflow_client.search_runs([GUID], f"tags.mlflow.parentRunId = '{ROOT}'")[0]
    assert child.data.metrics == {"accuracy": 0.9}


def test_the_mlflow_3_client_cannot_search_registered_models_as_on_aml(
    mlflow_client: MlflowClient,
) -> None:
    from mlflow.exceptions import RestException  # noqa: PLC0415 - the same

    with pytest.raises(RestException, match="Currently unsupported filter string format"):
        mlflow_client.search_registered_models()


@pytest.fixture
def front(mlflow_server: MLflow, identity: Identity, authority: Authority) -> Iterator[AML]:
    backend = Forwarded(mlflow_server.url)
    tls = authority.server_context()
    with AML(WORKSPACE, backend, identity.accepts, tls) as running:
        yield running


def test_a_real_mlflow_server_is_read_through_the_front(
    front: AML, mlflow_server: MLflow, ask: Ask
) -> None:
    direct = client_of(mlflow_server.url)
    experiment = direct.create_experiment("defect-net")
    root = direct.create_run(experiment, run_name="root").info.run_id
    child = direct.create_run(experiment, tags={"mlflow.parentRunId": root}).info.run_id
    direct.log_metric(child, "accuracy", 0.91)
    direct.set_terminated(child, "FINISHED")
    front.overlay(root, status="NotResponding", tags={"stage": "production"})

    assert ask.post(front, "runs/set-tag", run_id=root, key="link", value="x").json() == {}
    run = ask.get(front, "runs/get", run_id=root).json()["run"]
    assert run["info"]["run_name"] == "root"
    assert {"key": "link", "value": "x"} in run["data"]["tags"]
    assert {"key": "stage", "value": "production"} in run["data"]["tags"]
    found = ask.post(
        front,
        "runs/search",
        experiment_ids=[experiment],
        filter=f"tags.mlflow.parentRunId = '{root}' AND attributes.status = 'Finished' "
        "AND attributes.end_time > '1000'",
        order_by=["attributes.end_time DESC"],
    ).json()
    assert [r["info"]["run_id"] for r in found["runs"]] == [child]
    assert found["runs"][0]["data"]["metrics"][0]["value"] == 0.91


def test_a_real_mlflow_server_behind_the_front_refuses_as_aml_does(
    front: AML, mlflow_server: MLflow, ask: Ask
) -> None:
    direct = f"{mlflow_server.url}/api/2.0/mlflow/logged-models/search"
    assert requests.post(direct, json={"experiment_ids": ["0"]}, timeout=30).ok
    logged = ask.post(front, "logged-models/search", experiment_ids=["0"])
    assert (logged.status_code, logged.text) == (404, "")
    by_run = ask.get(front, "model-versions/search", filter="run_id='x'")
    assert refusal(by_run) == (400, "INVALID_PARAMETER_VALUE")
    missing = ask.get(front, "runs/get", run_id="nobody")
    assert refusal(missing) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert "nobody" in missing.json()["Error"]["Message"]


@pytest.fixture(params=["in memory", "a real server"])
def holder(
    request: pytest.FixtureRequest, aml: MemoryAML, mlflow_client: MlflowClient
) -> tuple[MlflowClient, str, str]:
    """A client, an experiment, and a run in it: of the stand-in, and of MLflow itself."""
    if request.param == "in memory":
        aml.add_run(ROOT, experiment_id=GUID)
        return mlflow_client, GUID, ROOT
    server: MLflow = request.getfixturevalue("mlflow_server")
    direct = client_of(server.url)
    experiment = direct.create_experiment(f"deleting-{time.time_ns()}")
    run: str = direct.create_run(experiment).info.run_id
    direct.set_terminated(run, "FINISHED")
    return direct, experiment, run


def test_a_run_is_deleted_and_restored_as_mlflow_does_it(
    holder: tuple[MlflowClient, str, str],
) -> None:
    from mlflow.entities import ViewType  # noqa: PLC0415 - seconds, on every collection
    from mlflow.exceptions import RestException  # noqa: PLC0415 - the same

    client, experiment, run = holder

    def found(view: int) -> list[str]:
        return [r.info.run_id for r in client.search_runs([experiment], run_view_type=view)]

    client.delete_run(run)
    client.delete_run(run)
    info = client.get_run(run).info
    assert (info.status, info.lifecycle_stage) == ("FINISHED", "deleted")
    shown = [found(v) for v in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL)]
    assert shown == [[], [run], [run]]
    with pytest.raises(RestException, match="must be in the 'active' state"):
        client.set_tag(run, "a", "b")
    client.restore_run(run)
    client.restore_run(run)
    assert client.get_run(run).info.lifecycle_stage == "active"
    assert found(ViewType.ACTIVE_ONLY) == [run]
    assert found(ViewType.DELETED_ONLY) == []
    client.set_tag(run, "a", "b")
    for call in (client.delete_run, client.restore_run):
        with pytest.raises(RestException, match="Run with id=nobody not found"):
            call("nobody")
