"""The judge of every answer in this folder finds what GitHub's description does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.github.calls import call, dispatched
from tests.local.github.judging import NEW, PUBLISHED, complaints, operation

if TYPE_CHECKING:
    from typing import Any

    from local.github import GitHub


class Altered:
    """An answer with some of its JSON, or its status, replaced."""

    def __init__(self, answer: Any, status: int = 200, **changes: object) -> None:
        self.request, self.headers, self.status_code = answer.request, answer.headers, status
        self.content = b"{}"
        self._told = {**answer.json(), **changes}

    def json(self) -> dict[str, Any]:
        return {name: value for name, value in self._told.items() if value is not ...}


def judged(answer: Any, path: str, version: str = "2022-11-28") -> list[str]:
    return complaints(answer, f"/repos/contoso/ml/{path}", version)


@pytest.mark.parametrize(
    "change",
    [{"id": "1"}, {"created_at": "today"}, {"head_branch": 3}, {"colour": "red"}, {"path": ...}],
    ids=str,
)
def test_a_run_that_is_not_as_described_is_found(github: GitHub, change: dict[str, object]) -> None:
    path = f"actions/runs/{dispatched(github)}"
    answer = call(github, "GET", path)
    assert judged(answer, path) == []
    assert len(judged(Altered(answer, **change), path)) == 1  # type: ignore[arg-type]


def test_a_run_in_a_list_that_is_not_as_described_is_found(github: GitHub) -> None:
    dispatched(github)
    answer = call(github, "GET", "actions/runs")
    (run,) = answer.json()["workflow_runs"]
    wrong: Any = Altered(answer, workflow_runs=[{**run, "status": 3, "colour": "red"}])
    assert len(judged(wrong, "actions/runs")) == 2


def test_a_status_and_a_path_that_are_not_described_are_found(github: GitHub) -> None:
    answer = call(github, "GET", "actions/runs")
    wrong: Any = Altered(answer, status=202)
    assert judged(wrong, "actions/runs")[0] == "202 is not described"
    assert "is not described" in judged(answer, "actions/caches")[0]


def test_the_later_version_answers_a_dispatch_with_its_run_only() -> None:
    path = "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches"
    (change,) = PUBLISHED["paths"][path]["post"]["x-github-breaking-changes"]
    assert change["version"] == NEW
    assert [patch["path"] for patch in change["patch"] if patch["op"] == "remove"] == [
        "/responses/204",
        "/requestBody/content/application~1json/schema/properties/return_run_details",
    ]


def test_every_operation_that_is_described_is_served(github: GitHub) -> None:
    for path, methods in PUBLISHED["paths"].items():  # one that is not names no page of its own
        real = path.replace("{path}", "a").replace("{owner}/{repo}", "contoso/ml")
        for name in ("workflow_id", "run_id", "installation_id"):
            real = real.replace(f"{{{name}}}", "1")
        for method in methods:
            assert operation(method, real)
            answer = call(github, method.upper(), real, judged=False)
            assert answer.status_code != 404 or "#" in answer.json()["documentation_url"]
