"""Plain HTTP calls to a local Azure DevOps, for the tests that look at the wire."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import requests

from local.devops import Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.devops import DevOps

PAT = "local-pat"
RUNS = "pipelines/42/runs"
BUILDS = "build/builds"


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    at: datetime = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def with_pipelines(devops: DevOps) -> DevOps:
    devops.add_pipeline(
        "contoso",
        "mlops",
        42,
        "register-model",
        parameters={
            "run_id": None,
            "rounds": Parameter("number", default="3"),
            "fast": Parameter("boolean", default="false"),
            "shape": Parameter("object", default="[]"),
            "stage": Parameter(default="dev", values=("dev", "prod")),
        },
        settable_variables=["MODEL"],
        branches=["refs/heads/main", "refs/heads/next"],
        stages=["build", "deploy"],
        revision=3,
    )
    devops.add_pipeline("contoso", "mlops", 43, "report-failure")
    return devops


def authorization(pat: str) -> str:
    return "Basic " + base64.b64encode(f":{pat}".encode()).decode()


def call(
    devops: DevOps,
    method: str,
    path: str,
    query: Mapping[str, str | None] | None = None,
    *,
    body: object = None,
    headers: Mapping[str, str | None] | None = None,
    project: str = "contoso/mlops",
) -> requests.Response:
    """One request on its own connection, with the accepted PAT and api-version 7.1.

    None in the query or the headers leaves that one out.
    """
    return requests.request(
        method,
        f"{devops.url}/{project}/_apis/{path}",
        params={"api-version": "7.1", **(query or {})},
        json=body,
        headers={"Authorization": authorization(PAT), **(headers or {})},
        allow_redirects=False,
        timeout=20,
    )


def start(devops: DevOps, pipeline: int = 42, **parameters: str) -> requests.Response:
    """Run a pipeline with these template parameters."""
    asked = {"run_id": "a", **parameters} if pipeline == 42 else parameters
    path = f"pipelines/{pipeline}/runs"
    return call(devops, "POST", path, body={"templateParameters": asked})


def started(devops: DevOps, pipeline: int = 42, **parameters: str) -> int:
    """The id of a run started so."""
    run_id: int = start(devops, pipeline, **parameters).json()["id"]
    return run_id


def builds(devops: DevOps, **query: str) -> requests.Response:
    """Builds - List; `top` stands for `$top`."""
    return call(devops, "GET", BUILDS, {n.replace("top", "$top"): v for n, v in query.items()})


def listed(devops: DevOps, **query: str) -> list[int]:
    """The ids of the builds that a query lists, in its order."""
    return ids(builds(devops, **query))


def ids(answer: requests.Response) -> list[int]:
    """The ids of what a list answered."""
    return [item["id"] for item in answer.json()["value"]]
