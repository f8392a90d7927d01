"""Whose tasks may wait: those of named organizations, so many of each; whoever waits stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from functions.core.kept.tasks import Task, Wait
from functions.core.ports.waits import Taken
from functions.core.terms.runs import Workspace
from functions.core.waits.admitting import MOST_OF_AN_ORGANIZATION
from tests.flow.waits.test_waits import ROUTES, ends, hostile, post, register, runs, stage
from tests.saying.wrapped import Wrapped

if TYPE_CHECKING:
    from local.devops import ServerJob
    from tests.stage.azure import Stage

__all__ = ["stage"]  # the fixture
NAMELESS = ROUTES.replace("defaults: {organization: contoso, project: mlops}\n", "")
ELSEWHERE = "start: {organization: fabrikam, project: mlops, pipeline: 42}"


def job_of(stage: Stage, organization: str) -> ServerJob:
    stage.devops.catalogue.add_project(organization, "mlops")
    return stage.devops.start_server_job(organization, "mlops")


def asked(stage: Stage, job: ServerJob, **headers: str) -> tuple[int, str]:
    """Status, and the error that Azure Pipelines shows."""
    status, body = post(stage, hostile(job, **headers), {"run_id": "r1"})
    return status, json.loads(body)["error"] if body else ""


# who is named


def test_a_task_of_an_organization_that_nobody_names_is_told_what_to_do_and_no_more(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage, accuracy=0.95)
    job = job_of(stage, "fabrikam")
    status, told = asked(stage, job)
    where = f"{stage.environ['DEVOPS_URL']}/fabrikam"
    do = "name it in WAITS_ORGANIZATIONS, a setting of the app, or in its route file"
    assert (status, told) == (403, f"tasks of {where} may not wait here: {do}")
    (line,) = [r for r in caplog.records if r.getMessage().startswith("wait=refused")]
    assert line.levelname == "WARNING"
    assert where in line.getMessage()
    assert stage.ledger.waits.waiting(9) == []
    assert stage.aml.server.requests == []
    assert (job.events, job.lines) == ([], [])


def test_a_stranger_does_not_hear_whether_an_organization_is_named(stage: Stage) -> None:
    runs(stage)
    answers = []
    for organization in ("contoso", "fabrikam"):
        job = job_of(stage, organization)
        answers.append(asked(stage, job, AuthToken="of-nobody"))
    assert answers == [(403, "refused")] * 2


@pytest.mark.parametrize(
    "named", ["fabrikam", "other, FabriKam", "{url}/fabrikam", "{url}/Fabrikam/"]
)
def test_a_setting_names_organizations_by_name_or_address(stage: Stage, named: str) -> None:
    url = stage.environ["DEVOPS_URL"]
    stage.deploy(WAITS_ORGANIZATIONS=named.format(url=url))
    runs(stage)
    register(stage, job=job_of(stage, "fabrikam"))
    ends(stage)


@pytest.mark.parametrize(
    "routes",
    [
        ROUTES.replace("contoso", "FABRIKAM"),
        f"{NAMELESS}  - name: other\n    match: {{experiment: churn}}\n    {ELSEWHERE}\n",
    ],
)
def test_the_route_file_names_those_that_it_starts_pipelines_in(stage: Stage, routes: str) -> None:
    stage.routes(routes)
    runs(stage)
    register(stage, job=job_of(stage, "fabrikam"))
    assert asked(stage, job_of(stage, "contoso"))[0] == 403


def test_where_nobody_names_one_nobody_registers(stage: Stage) -> None:
    stage.routes(NAMELESS)
    runs(stage)
    assert asked(stage, job_of(stage, "contoso"))[0] == 403


def test_who_is_named_is_told_to_try_again_while_the_routes_cannot_be_read(stage: Stage) -> None:
    runs(stage)
    stage.routes("routes: [")
    assert asked(stage, job_of(stage, "contoso"))[0] == 503


class Believing(Wrapped):
    """Azure DevOps at an address that a test cannot reach: it takes every token for its own."""

    def prove(self, *_: Any) -> None:
        return None


@pytest.mark.parametrize(
    ("setting", "url", "status"),
    [
        ("https://dev.azure.com/contoso", "https://Contoso.visualstudio.com/", 202),
        ("contoso.visualstudio.com", "https://dev.azure.com/Contoso/", 202),
        ("dev.azure.com/contoso", "https://contoso.visualstudio.com/DefaultCollection/", 202),
        ("dev.azure.com/contoso", "https://dev.azure.com/fabrikam/", 403),
        ("dev.azure.com/contoso", "https://fabrikam.contoso.visualstudio.com/", 403),
        ("", "https://dev.azure.com/contoso/", 403),  # the routes' is one of DEVOPS_URL
    ],
)
def test_an_organization_of_the_service_is_the_same_by_both_addresses(
    stage: Stage, setting: str, url: str, status: int
) -> None:
    stage.deploy(WAITS_ORGANIZATIONS=setting)
    stage.build(tasks=Believing(stage.ports.tasks))
    runs(stage)
    assert asked(stage, job_of(stage, "contoso"), PlanUrl=url)[0] == status


def test_a_task_that_waits_is_answered_though_its_organization_is_named_no_more(
    stage: Stage,
) -> None:
    stage.deploy(WAITS_ORGANIZATIONS="fabrikam")
    runs(stage)
    job = register(stage, job=job_of(stage, "fabrikam"))
    stage.deploy(WAITS_ORGANIZATIONS="")
    stage.reconcile(minutes=31)
    assert asked(stage, job_of(stage, "fabrikam"))[0] == 403
    ends(stage)
    assert job.result == "succeeded"


# how many of each


def waiting(stage: Stage, organization: str, count: int) -> None:
    """So many tasks of an organization, each of another plan, wait."""
    workspace, now = Workspace("5f1c", "rg-ml", "ml-prod"), stage.clock.now()
    url = f"{stage.environ['DEVOPS_URL']}/{organization}"
    for _ in range(count):
        ids = {name: str(uuid4()) for name in ("project", "plan", "job", "timeline", "id")}
        task = Task(url=url, hub="build", **ids)
        new = Wait(task=task, workspace=workspace, runs=("r9",), created_at=now, due_at=now)
        stage.ledger.waits.enroll(new)


def test_one_organization_cannot_take_the_place_of_all(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.deploy(WAITS_ORGANIZATIONS="fabrikam")
    runs(stage)
    own = register(stage)
    waiting(stage, "Contoso", MOST_OF_AN_ORGANIZATION - 1)
    status, told = asked(stage, job_of(stage, "contoso"))
    where = f"{stage.environ['DEVOPS_URL']}/contoso"
    assert (status, told) == (429, f"1000 tasks of {where} wait already: try later")
    assert any(told in m for m in caplog.messages if m.startswith("wait=refused"))
    register(stage, job=own)  # which has its place
    register(stage, job=job_of(stage, "fabrikam"))


def test_those_that_were_answered_take_no_place(stage: Stage) -> None:
    waiting(stage, "contoso", MOST_OF_AN_ORGANIZATION - 1)
    runs(stage)
    job = register(stage)
    assert asked(stage, job_of(stage, "contoso"))[0] == 429
    ends(stage)
    assert job.result == "succeeded"
    register(stage)


class Full(Wrapped):
    """The wait book of an app that as many as can wait on."""

    def taken(self, limit: int) -> list[Taken]:
        return [Taken(f"plan-{n}.job.task", f"organization-{n % 50}") for n in range(limit)]


class FullLedger(Wrapped):
    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.waits = Full(real.waits)


def test_there_are_so_many_places_and_no_more(stage: Stage) -> None:
    stage.build(ledger=FullLedger(stage.ports.ledger))
    runs(stage)
    assert asked(stage, job_of(stage, "contoso")) == (429, "5000 tasks wait already: try later")
