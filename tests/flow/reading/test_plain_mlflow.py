"""A plain MLflow server that is busy, broken or behind a page is not one that knows no model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from local.serving.web import Server
from tests.flow.asking import asked, route
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stage.azure import Stage

INFO = {"run_id": "r1", "status": "FINISHED", "experiment_id": "7"}
OWN = {"source_run_id": "r1", "model_id": "m-1", "name": "classifier"}
SEARCH, ARTIFACT = "/api/2.0/mlflow/logged-models/search", "/get-artifact"
STORED = "/api/2.0/mlflow-artifacts/artifacts/7/models/m-1/artifacts/MLmodel"
FILES = "/api/2.0/mlflow/artifacts/list"
PAGE = "<html><body>Please wait</body></html>"
MLMODEL = "flavors: {sklearn: {}}\n"


class Plain:
    """A server of MLflow 2, or of 3 if it has these logged models."""

    def __init__(self, logged: list[dict[str, Any]] | None = None) -> None:
        self.files = ["model/MLmodel", "model/python_env.yaml"]
        app = Flask("mlflow")
        base = "/api/2.0/mlflow"
        app.add_url_rule(f"{base}/runs/get", "run", lambda: {"run": {"info": INFO}})
        app.add_url_rule(f"{base}/runs/search", "runs", dict, methods=["POST"])
        app.add_url_rule(f"{base}/model-versions/search", "versions", dict)
        app.add_url_rule(FILES, "files", lambda: {"files": [{"path": p} for p in self.files]})
        app.add_url_rule(ARTIFACT, "artifact", lambda: MLMODEL)
        app.add_url_rule(STORED, "stored", lambda: MLMODEL)
        if logged is not None:
            found = {"models": [{"info": info} for info in logged]}
            app.add_url_rule(SEARCH, "logged", lambda: found, methods=["POST"])
        self.server = Server(app)


@pytest.fixture
def plain(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Plain]:
    made = Plain(request.param if hasattr(request, "param") else None)
    route(stage, flavors="{{ model.flavors }}")
    with made.server as server:
        stage.cloud.arm.add_workspace(WORKSPACE, server.url)
        yield made


two = pytest.mark.parametrize("plain", [None], indirect=True, ids=["MLflow 2"])
three = pytest.mark.parametrize("plain", [[OWN]], indirect=True, ids=["MLflow 3"])
every_trouble = pytest.mark.parametrize(
    ("status", "body"),
    [(429, "slow down"), (500, PAGE), (502, PAGE), (503, ""), (403, PAGE)],
    ids=lambda value: str(value)[:3],
)


def parks_and_starts_later(stage: Stage, plain: Plain, fault: Fault) -> None:
    plain.server.faults.add(fault)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.RUN_UNREADABLE)
    assert str(fault.status) in row.detail
    stage.reconcile(minutes=11)
    assert stage.only("r1").reason is Reason.RUN_UNREADABLE
    plain.server.faults.clear()
    stage.reconcile(hours=1)
    assert asked(stage) == {"flavors": '["sklearn"]'}


@two
@every_trouble
@pytest.mark.parametrize("path", [SEARCH, ARTIFACT])
def test_trouble_of_mlflow_2_is_no_missing_model(
    stage: Stage, plain: Plain, path: str, status: int, body: str
) -> None:
    parks_and_starts_later(stage, plain, Fault(path=path, status=status, body=body, times=99))


@three
@every_trouble
@pytest.mark.parametrize("path", [SEARCH, STORED])
def test_trouble_of_mlflow_3_is_no_missing_model(
    stage: Stage, plain: Plain, path: str, status: int, body: str
) -> None:
    parks_and_starts_later(stage, plain, Fault(path=path, status=status, body=body, times=99))


@three
def test_a_page_in_the_place_of_an_answer_is_none(stage: Stage, plain: Plain) -> None:
    parks_and_starts_later(stage, plain, Fault(path=SEARCH, status=200, body=PAGE, times=99))


@three
def test_a_request_to_slow_down_is_heeded(stage: Stage, plain: Plain) -> None:
    late = {"Retry-After": "3000"}
    plain.server.faults.add(Fault(path=STORED, status=429, headers=late, times=99))
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.due_at - row.updated_at).total_seconds() >= 2900


@two
def test_a_page_in_the_place_of_the_file_is_told(stage: Stage, plain: Plain) -> None:
    plain.server.faults.add(Fault(path=ARTIFACT, status=200, body=PAGE, times=99))
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.FACTS_MISSING)
    assert row.detail == "model.flavors is not known: the file MLmodel is no mapping"


@two
def test_where_the_list_has_no_such_file_there_is_no_model(stage: Stage, plain: Plain) -> None:
    """Old servers answer 500 for a file that is not there."""
    plain.files = []
    plain.server.faults.add(Fault(path=ARTIFACT, status=500, body=PAGE, times=99))
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.reason, row.detail) == (Reason.FACTS_MISSING, "model.flavors is not known")


@two
def test_where_the_list_cannot_be_read_either_nothing_is_known(stage: Stage, plain: Plain) -> None:
    plain.files = []
    plain.server.faults.add(Fault(path=ARTIFACT, status=500, body=PAGE, times=99))
    plain.server.faults.add(Fault(path=FILES, status=500, body=PAGE, times=99))
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.RUN_UNREADABLE


FOREIGN = {"source_run_id": "another", "model_id": "m-2", "name": "x", "creation_timestamp_ms": 9}


@pytest.mark.parametrize("plain", [[FOREIGN]], indirect=True)
def test_a_logged_model_of_another_run_is_not_this_run_s(stage: Stage, plain: Plain) -> None:
    route(stage, path="{{ model.path }}")
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.FACTS_MISSING
    assert plain.server.received("POST", SEARCH)


@pytest.mark.parametrize("plain", [[FOREIGN, OWN]], indirect=True)
def test_of_several_logged_models_the_run_s_own_counts(stage: Stage, plain: Plain) -> None:
    stage.deliver(completed("r1"))
    assert asked(stage) == {"flavors": '["sklearn"]'}
    assert plain.server.received("GET", STORED)
