"""`bin/relay replay KEY --as-started RUN_ID` for what was started at GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.relay.conftest import Desk, Said

    Doubted = Callable[[str], int]

RUNS = "/repos/contoso/mlops/actions/runs"


def name(desk: Desk, run: str, number: int, *words: str) -> Said:
    return desk.type("replay", f"register/{run}/Completed", "--as-started", f"{number}", *words)


def dispatch(desk: Desk, workflow: str, **inputs: str) -> int:
    """Have somebody else start a workflow; its run."""
    github = desk.stage.cloud.github
    url = f"{github.url}/repos/contoso/mlops/actions/workflows/{workflow}/dispatches"
    header = {"Authorization": f"Bearer {desk.stage.cloud.github_token}"}
    body = {"ref": "main", "inputs": inputs}
    assert requests.post(url, json=body, headers=header, timeout=60).status_code == 204
    return github.runs[-1].id


def test_a_run_that_shows_the_mark_is_taken_with_its_page(desk: Desk, doubted: Doubted) -> None:
    number = doubted("r1")
    assert desk.stage.only("r1").reason is Reason.IN_DOUBT
    said = name(desk, "r1", number)
    assert said.code == 0
    row, github = desk.stage.only("r1"), desk.stage.cloud.github
    assert (row.state, row.pipeline_run) == (State.STARTED, number)
    assert row.url == f"{github.server.url}/contoso/mlops/actions/runs/{number}"
    assert said.out.endswith(f": started, pipeline run {number} {row.url}\n")
    assert len(github.runs) == 1


def test_the_run_of_another_continuation_is_not_its(desk: Desk, doubted: Doubted) -> None:
    own, other = doubted("r1"), doubted("r2")
    refused = name(desk, "r1", other)
    mark = desk.stage.only("r1").key.hash
    assert refused.code == 1
    assert f"not changed; run {other} of contoso/mlops is called Register defects" in refused.out
    assert f"which does not show {mark}" in refused.out
    assert name(desk, "r1", own).code == 0


def test_one_whose_name_shows_no_hash_is_taken_by_who_knows_it_alone(
    desk: Desk, doubted: Doubted
) -> None:
    own, unnamed = doubted("r1"), dispatch(desk, "register.yml", run_id="r1")
    refused = name(desk, "r1", unnamed)
    assert refused.code == 1
    assert refused.out.endswith("; if you know it: --unchecked\n")
    assert "--unchecked" not in name(desk, "r1", doubted("r2")).out
    assert name(desk, "r1", unnamed, "--unchecked").code == 0
    assert (desk.stage.only("r1").pipeline_run, own == unnamed) == (unnamed, False)


def test_a_run_of_another_workflow_is_told_as_what_it_is(desk: Desk, doubted: Doubted) -> None:
    doubted("r1")
    other = dispatch(desk, "failure.yml", run_id="r1", relay_id=desk.stage.only("r1").key.hash)
    refused = name(desk, "r1", other)
    assert refused.code == 1
    is_one = f"run {other} of contoso/mlops is one of .github/workflows/failure.yml"
    assert f"{is_one}, not of register.yml" in refused.out
    assert desk.stage.only("r1").is_open


def test_a_run_that_was_there_before_the_request_is_not_its(desk: Desk, doubted: Doubted) -> None:
    desk.stage.clock.forward(days=2)
    number = doubted("r1")
    refused = name(desk, "r1", number)
    assert refused.code == 1
    assert f"run {number} of contoso/mlops was made at " in refused.out


def test_a_number_that_no_run_has_is_no_start(desk: Desk, doubted: Doubted) -> None:
    doubted("r1")
    before = desk.stage.only("r1")
    refused = name(desk, "r1", 4)
    assert refused.code == 1
    assert "not changed; there is no run 4, or the credential may not see it" in refused.out
    assert desk.stage.only("r1") == before


@pytest.mark.parametrize("status", [401, 500])
def test_where_github_cannot_be_asked_nothing_is_believed(
    desk: Desk, doubted: Doubted, status: int
) -> None:
    number = doubted("r1")
    github = desk.stage.cloud.github
    headers = {"X-GitHub-Request-Id": "1"}
    fault = Fault("GET", f"*{RUNS}/*", status=status, times=9, body="{}", headers=headers)
    github.server.faults.add(fault)
    refused = name(desk, "r1", number)
    assert refused.code == 4
    assert refused.err.endswith("--unchecked leaves the question out\n")
    assert desk.stage.only("r1").is_open
    asked = len(github.server.received("GET", f"{RUNS}/{number}"))
    unchecked = name(desk, "r1", number, "--unchecked")
    assert unchecked.code == 0
    assert desk.stage.only("r1").url.endswith(f"/contoso/mlops/actions/runs/{number}")
    assert len(github.server.received("GET", f"{RUNS}/{number}")) == asked


def test_each_service_sees_its_own_credential_only(desk: Desk, doubted: Doubted) -> None:
    cloud = desk.stage.cloud
    assert name(desk, "r1", doubted("r1")).code == 0
    assert cloud.github.seen.of_azure() == []
    assert cloud.devops.server.requests == []
