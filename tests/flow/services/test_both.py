"""Where both services meet: groups, limits, joins, sequels, and routes that move meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.limits.admission import Admission
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import GITHUB_SECRET, SECRET
from local.serving.faults import Fault
from tests.conftest import PAT
from tests.flow.github.hub import OWNER, ROUTES, START, Hub
from tests.flow.github.test_credentials import as_app
from tests.flow.github.test_doubt import later, lost, never
from tests.flow.joins.several import event, joint

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

HEAD = ROUTES.partition("routes:")[0] + "routes:\n"
PIPELINE = '{pipeline: 42, parameters: {run_id: "{{ run.id }}"}}'
GROUP = 'concurrency: {group: "deploys", at_most: 1}'
POST_RUN = "*/_apis/pipelines/42/runs"
ADA = "ghp_ada"


@pytest.fixture
def hub(cloud: Cloud, tmp_path: Path) -> Hub:
    return Hub(cloud, tmp_path)


def route(name: str, start: str, *more: str, experiment: str = "defect-*") -> str:
    lines = (f"- name: {name}", f'  match: {{experiment: "{experiment}"}}', f"  start: {start}")
    return "".join(f"  {line}\n" for line in (*lines, *(f"  {one}" for one in more)))


def deployed(hub: Hub, *routes: str) -> None:
    hub.routes(HEAD + "".join(routes))
    hub.deploy()


def asked(hub: Hub) -> tuple[int, int]:
    """How often each was asked to start something: GitHub, Azure DevOps."""
    return hub.dispatches(), hub.posts()


# a route moves to the other service while a start of it is in doubt


@pytest.mark.parametrize("arrived", [True, False])
def test_a_start_in_doubt_stays_where_it_was_sent_when_its_route_moves_away_from_github(
    hub: Hub, *, arrived: bool
) -> None:
    deployed(hub, route("register", START))
    hub.hub.server.faults.add(lost() if arrived else never())
    hub.happen()
    deployed(hub, route("register", PIPELINE))
    later(hub, 8)
    row = hub.only("r1")
    assert (row.state, row.pipeline_run) == (State.STARTED, hub.runs[0].id)
    assert (len(hub.runs), hub.posts()) == (1, 0)
    assert row.url.endswith(f"/actions/runs/{hub.runs[0].id}")


@pytest.mark.parametrize("arrived", [True, False])
def test_and_so_it_does_when_its_route_moves_to_github(hub: Hub, *, arrived: bool) -> None:
    deployed(hub, route("register", PIPELINE))
    fault = Fault("POST", POST_RUN, drop="after" if arrived else "before")
    hub.devops.server.faults.add(fault)
    hub.happen()
    deployed(hub, route("register", START))
    later(hub, 8)
    row = hub.only("r1")
    assert (row.state, row.pipeline_run) == (State.STARTED, hub.devops.runs[0].id)
    assert (hub.started(), hub.dispatches()) == ([(42, "r1")], 0)


def test_what_waits_for_a_refused_token_goes_to_where_its_route_has_moved(hub: Hub) -> None:
    deployed(hub, route("register", START))
    hub.hub.refuse(hub.cloud.github_token)
    hub.happen()
    assert hub.only("r1").waits_on == Admission.account(OWNER, GITHUB_SECRET)
    deployed(hub, route("register", PIPELINE))
    for _ in range(3):
        hub.reconcile(minutes=10)
    assert hub.only("r1").state is State.STARTED
    assert hub.started() == [(42, "r1")]
    assert hub.runs == []


def test_the_end_of_what_was_started_is_seen_where_it_is_after_its_route_has_moved(
    hub: Hub,
) -> None:
    deployed(hub, route("register", START))
    hub.happen()
    deployed(hub, route("register", PIPELINE))
    hub.hub.finish(hub.runs[0].id, "failure")
    for _ in range(3):
        hub.reconcile(minutes=10)
    ended = hub.only("r1").ended
    assert ended is not None
    assert ended.how == "failed"


# a credential is replaced between the request and the look


@pytest.mark.parametrize("by", ["a token", "an app"])
def test_a_run_is_found_by_the_credential_that_came_after_the_one_that_asked(
    hub: Hub, by: str
) -> None:
    hub.hub.server.faults.add(lost())
    hub.happen()
    hub.hub.refuse(hub.cloud.github_token)
    if by == "an app":
        as_app(hub)
    else:
        hub.hub.accept(ADA, login="ada")
        hub.cloud.vault.put(GITHUB_SECRET, ADA)
    later(hub)
    row = hub.only("r1")
    assert (row.state, row.reason, len(hub.runs)) == (State.STARTED, Reason.FOUND, 1)


def test_one_that_may_not_see_the_repository_proves_nothing(hub: Hub) -> None:
    hub.hub.server.faults.add(lost())
    hub.happen()
    hub.hub.refuse(hub.cloud.github_token)
    hub.hub.accept(ADA, repositories=["contoso/other"], login="ada")
    hub.cloud.vault.put(GITHUB_SECRET, ADA)
    later(hub)
    assert (hub.only("r1").reason, len(hub.runs)) == (Reason.LOOK_FAILED, 1)
    hub.hub.accept(ADA, login="ada")
    later(hub)
    assert (hub.only("r1").reason, len(hub.runs)) == (Reason.FOUND, 1)


# one group


def test_a_start_in_doubt_at_github_keeps_its_place_from_one_of_azure_devops(hub: Hub) -> None:
    deployed(
        hub,
        route("register", START, GROUP),
        route("build", PIPELINE, GROUP, experiment="other-*"),
    )
    hub.hub.server.faults.add(lost())
    hub.happen("r1")
    hub.aml.add_run("r2", experiment="other-1")
    hub.deliver(event("r2", "other-1"))
    assert hub.only("r2").reason is Reason.CONCURRENCY
    later(hub, 3)
    assert hub.only("r1").reason is Reason.FOUND
    assert hub.started() == []
    hub.hub.finish(hub.runs[0].id, "failure")
    later(hub, 4)
    assert hub.started() == [(42, "r2")]


def test_who_waits_for_a_refused_token_lets_those_of_the_other_service_go(hub: Hub) -> None:
    deployed(
        hub,
        route("build", PIPELINE, GROUP, experiment="other-*"),
        route("register", START, GROUP),
    )
    for run in ("a1", "a2"):
        hub.aml.add_run(run, experiment="other-1")
        hub.deliver(event(run, "other-1"))
        if run == "a1":
            hub.happen("b1")  # claimed before a2, and so called before it
    assert (hub.only("b1").reason, hub.only("a2").reason) == (Reason.CONCURRENCY,) * 2
    hub.hub.refuse(hub.cloud.github_token)
    for build in hub.devops.runs:
        hub.devops.finish(build.id, "succeeded")
    for _ in range(8):
        hub.reconcile(minutes=5)
    was = [step.detail.partition(" ")[0] for step in hub.only("b1").history]
    assert (hub.only("b1").state, Reason.CREDENTIAL_REFUSED in was) == (State.OPEN, True)
    assert [run for _, run in hub.started()] == ["a1", "a2"]
    assert hub.runs == []


# limits


def test_a_limit_counts_what_a_route_starts_at_github(hub: Hub) -> None:
    hub.mid_hour()
    deployed(hub, route("register", START, "limit: 1/h"), route("build", PIPELINE))
    hub.happen("r1")
    hub.happen("r2")
    assert (len(hub.runs), len(hub.devops.runs)) == (1, 2)
    assert hub.of_run("r2")["register"].reason is Reason.LIMIT
    hub.reconcile(hours=1)
    assert len(hub.runs) == 2


def test_a_limit_goes_on_where_the_route_has_moved(hub: Hub) -> None:
    hub.mid_hour()
    deployed(hub, route("register", START, "limit: 1/h"))
    hub.happen("r1")
    deployed(hub, route("register", PIPELINE, "limit: 1/h"))
    hub.happen("r2")
    assert hub.only("r2").reason is Reason.LIMIT
    hub.reconcile(hours=1)
    assert hub.started() == [(42, "r2")]


# joins, and what goes on by an end

JOIN = "join: {by: run.tags.batch, all_of: [train-a, train-b], within: 12h}"
JOINT = """{github: contoso/mlops, workflow: register.yml, ref: main, correlation: relay_id,
      inputs: {run_id: "{{ join.by }}", model_name: "{{ join.runs }}"}}"""
THEN = f"then: {{succeeded: {{start: {PIPELINE.replace('run.id', 'join.by')}}}}}"


def trained(hub: Hub, run: str, experiment: str) -> None:
    hub.aml.add_run(run, experiment=experiment, tags={"batch": "b7"})
    hub.deliver(event(run, experiment))


def test_one_start_at_github_for_several_runs_is_found_though_its_answer_was_lost(
    hub: Hub,
) -> None:
    deployed(hub, route("compare", JOINT, JOIN, THEN, experiment="train-*"))
    hub.hub.server.faults.add(lost())
    for run, experiment in (("r1", "train-a"), ("r2", "train-b")):
        trained(hub, run, experiment)
    later(hub, 3)
    row = joint(hub)
    (made,) = hub.runs
    assert (row.state, row.reason, row.pipeline_run) == (State.STARTED, Reason.FOUND, made.id)
    assert json.loads(dict(made.inputs)["model_name"]) == ["r1", "r2"]
    assert dict(made.inputs)["relay_id"] == row.key.hash
    hub.hub.finish(made.id, "success")
    for _ in range(5):
        hub.reconcile(minutes=10)
    assert hub.started() == [(42, "b7")]


def test_what_goes_on_at_github_by_an_end_of_azure_devops_is_found_as_well(hub: Hub) -> None:
    then = f"then: {{succeeded: {{start: {START}}}}}"
    deployed(hub, route("build", PIPELINE, then))
    hub.happen()
    hub.devops.finish(hub.devops.runs[0].id, "succeeded")
    hub.hub.server.faults.add(lost())
    later(hub, 10)
    sequel = hub.of_run("r1")["build.succeeded"]
    assert (sequel.state, sequel.reason, len(hub.runs)) == (State.STARTED, Reason.FOUND, 1)
    assert asked(hub) == (1, 1)


def test_a_token_of_neither_is_ever_sent_to_the_other_whatever_moves(hub: Hub) -> None:
    deployed(hub, route("register", START), route("build", PIPELINE))
    hub.hub.server.faults.add(lost())
    hub.happen("r1")
    deployed(hub, route("register", PIPELINE), route("build", START))
    hub.happen("r2")
    later(hub)
    assert hub.hub.seen.of_azure() == []
    assert hub.hub.seen.times(PAT) == 0
    sent = [str(request.headers) for request in hub.devops.server.requests]
    assert not any(hub.cloud.github_token in headers for headers in sent)
    assert {c.request.secret for c in hub.of_run("r2").values() if c.request} == {
        GITHUB_SECRET,
        SECRET,
    }


def test_without_a_vault_each_is_told_what_helps_it(hub: Hub) -> None:
    deployed(hub, route("register", START), route("build", PIPELINE))
    hub.deploy(KEY_VAULT_URL="")
    hub.happen()
    rows = hub.of_run("r1")
    assert {row.reason for row in rows.values()} == {Reason.SECRET_UNREADABLE}
    assert rows["build"].detail.endswith("set it, or DEVOPS_AUTH=entra")
    assert rows["register"].detail.endswith("KEY_VAULT_URL is not set; set it")
