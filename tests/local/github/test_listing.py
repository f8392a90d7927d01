"""Lists of runs: which of them, in which order, page by page."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.local.github.calls import VERSION, call, dispatch, dispatched, ids, listed, said
from tests.local.github.judging import complaints

if TYPE_CHECKING:
    from local.github import GitHub
    from local.github.actions.runs import Run
    from tests.local.devops.calls import Clock

RUNS = "actions/runs"
OF_PLAIN = "actions/workflows/plain.yml/runs"


@pytest.fixture
def four(github: GitHub, clock: Clock) -> list[int]:
    """Runs of 10:00:00, :10 and :20 of one workflow, and of :30 of another, oldest first."""
    made = []
    for workflow, ref in [("deploy", "main"), ("deploy", "next"), ("deploy", "v1")]:
        answer = dispatch(github, f"{workflow}.yml", ref=ref, return_run_details=True)
        made.append(answer.json()["workflow_run_id"])
        clock.pass_by(10)
    answer = dispatch(github, "plain.yml", return_run_details=True)
    return [*made, answer.json()["workflow_run_id"]]


def test_the_newest_comes_first_and_a_workflow_lists_its_own(
    github: GitHub, four: list[int]
) -> None:
    assert listed(github) == four[::-1]
    assert listed(github, OF_PLAIN) == four[3:]
    answer = call(github, "GET", RUNS)
    assert (answer.json()["total_count"], "Link" in answer.headers) == (4, False)


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ({"branch": "next"}, [1]),
        ({"branch": "v1"}, [2]),
        ({"event": "workflow_dispatch"}, [3, 2, 1, 0]),
        ({"event": "push"}, []),
        ({"actor": "Octo-User"}, [3, 2, 1, 0]),
        ({"actor": "nobody"}, []),
        ({"status": "queued"}, [3]),
        ({"status": "completed"}, [1, 0]),
        ({"status": "failure"}, [1]),
        ({"status": "in_progress"}, [2]),
        ({"status": "queued", "branch": "next"}, []),
        ({"created": ">=2026-11-21T10:00:20Z"}, [3, 2]),
        ({"created": ">2026-11-21T10:00:20Z"}, [3]),
        ({"created": "<2026-11-21T10:00:10+00:00"}, [0]),
        ({"created": "<=2026-11-21T10:00:10Z"}, [1, 0]),
        ({"created": "2026-11-21T10:00:10Z"}, [1]),
        ({"created": "2026-11-21T11:00:10+01:00"}, [1]),
        ({"created": "2026-11-21T10:00:05Z..2026-11-21T10:00:20Z"}, [2, 1]),
        ({"created": "*..2026-11-21T10:00:00Z"}, [0]),
        ({"created": "2026-11-21T10:00:30Z..*"}, [3]),
        ({"created": "2026-11-21"}, [3, 2, 1, 0]),
        ({"created": "<2026-11-21"}, []),
        ({"created": ">2026-11-20"}, [3, 2, 1, 0]),
    ],
    ids=str,
)
def test_a_query_chooses(
    github: GitHub, four: list[int], query: dict[str, str], places: list[int]
) -> None:
    github.finish(four[0])
    github.finish(four[1], "failure")
    github.begin(four[2])
    assert listed(github, **query) == [four[place] for place in places]


def test_a_commit_chooses(github: GitHub, four: list[int]) -> None:
    sha = github.runs[1].sha
    assert listed(github, head_sha=sha) == [four[1]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("created", "yesterday"),
        ("created", ">=2026-11-21T10:00:00 00:00"),
        ("created", "2026-11-21.."),
        ("status", "done"),
        ("per_page", "0"),
        ("page", "x"),
    ],
)
def test_a_query_that_says_nothing_is_refused(github: GitHub, name: str, value: str) -> None:
    answer = call(github, "GET", RUNS, {name: value})
    assert said(answer) == (422, "Validation Failed")
    assert answer.json()["errors"][0]["field"] == name


def test_each_page_names_the_others_by_the_repositorys_id(github: GitHub, four: list[int]) -> None:
    first = call(github, "GET", RUNS, {"per_page": "2", "event": "workflow_dispatch"})
    links = dict(map(reversed, re.findall(r'<([^>]+)>; rel="(\w+)"', first.headers["Link"])))
    assert ids(first) == four[:1:-1]
    assert set(links) == {"next", "last"}
    assert "/repositories/810000001/actions/runs?" in links["next"]
    second = call(github, "GET", links["next"].removeprefix(github.url), judged=False)
    assert complaints(second, "/repos/contoso/ml/actions/runs", VERSION) == []
    assert ids(second) == four[1::-1]
    assert 'rel="prev"' in second.headers["Link"]
    assert 'rel="next"' not in second.headers["Link"]


def test_no_page_has_more_than_a_hundred_and_no_search_more_than_a_thousand(
    github: GitHub,
) -> None:
    dispatched(github)
    plain = github.runs[0]
    for _ in range(1_104):
        github._runs.add(lambda n, number: _like(plain, n, number), plain.workflow)  # noqa: SLF001
    page = call(github, "GET", RUNS, {"per_page": "1000"})
    assert (len(ids(page)), page.json()["total_count"]) == (100, 1105)
    search = {"event": "workflow_dispatch", "per_page": "100"}
    assert len(listed(github, **search, page="10")) == 100
    assert listed(github, **search, page="11") == []
    assert len(listed(github, per_page="100", page="12")) == 5


def _like(run: Run, run_id: int, number: int) -> Run:
    return replace(run, id=run_id, number=number)


def test_a_run_may_be_listed_later_than_it_can_be_read(github: GitHub, clock: Clock) -> None:
    github.hidden_seconds = 30
    run_id = dispatched(github)
    clock.pass_by(29)
    assert listed(github) == []
    assert call(github, "GET", f"{RUNS}/{run_id}").status_code == 200
    clock.pass_by(1)
    assert listed(github) == [run_id]


def test_a_run_may_begin_to_be_there_later_than_its_dispatch_was_answered(
    github: GitHub, clock: Clock
) -> None:
    github.born_seconds = 120
    run_id = dispatched(github)
    clock.pass_by(119)
    assert call(github, "GET", f"{RUNS}/{run_id}").status_code == 404
    clock.pass_by(1)
    assert call(github, "GET", f"{RUNS}/{run_id}").json()["created_at"] == "2026-11-21T10:02:00Z"
    assert listed(github) == [run_id]


def test_workflows_are_listed_page_by_page(github: GitHub) -> None:
    answer = call(github, "GET", "actions/workflows", {"per_page": "2", "page": "2"})
    told = answer.json()
    assert (told["total_count"], [one["path"] for one in told["workflows"]]) == (
        3,
        [".github/workflows/pushed.yml"],
    )
    assert told["workflows"][0]["name"] == ".github/workflows/pushed.yml"
