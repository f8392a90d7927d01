"""What every HTTP function says of its answers itself, whatever the host adds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import azure.functions as func
import pytest

from functions import headers, operations, registrations
from local.cloud import WORKSPACE

if TYPE_CHECKING:
    from tests.stage.azure import Stage


def asked(blueprint: func.Blueprint, request: func.HttpRequest) -> func.HttpResponse:
    """What the blueprint's one function answers."""
    (endpoint,) = blueprint._function_builders  # noqa: SLF001 - as indexed
    answer: func.HttpResponse = endpoint._function._func(request)  # noqa: SLF001 - the same
    return answer


def page(stage: Stage, *, entra: bool, **query: str) -> func.HttpResponse:
    request = func.HttpRequest("GET", "/api/operations", params=query, body=b"")
    return asked(operations.blueprint(lambda: stage.app, entra=entra), request)


def registered(stage: Stage, body: object, **given: str) -> func.HttpResponse:
    job = stage.devops.start_server_job("contoso", "mlops")
    sent, raw = {**job.headers, **given}, json.dumps(body).encode()
    request = func.HttpRequest("POST", "/api/waits", headers=sent, body=raw)
    return asked(registrations.blueprint(lambda: stage.app), request)


def assert_told(answer: func.HttpResponse, status: int, *own: str) -> None:
    """All of them, but for those that the answer says in words of its own."""
    assert answer.status_code == status
    always = {name: text for name, text in headers.ALWAYS.items() if name not in own}
    assert {name: answer.headers.get(name) for name in always} == always


@pytest.mark.parametrize(
    ("query", "status"), [({}, 200), ({"state": "x"}, 400), ({"key": "x"}, 400)]
)
def test_the_page_and_its_mistakes(stage: Stage, query: dict[str, str], status: int) -> None:
    answer = page(stage, entra=False, **query)
    assert_told(answer, status, "Content-Security-Policy")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_who_has_not_signed_in(stage: Stage) -> None:
    assert_told(page(stage, entra=True), 401)


def test_a_registration_that_is_taken_and_others_that_are_not(stage: Stage) -> None:
    stage.routes(
        "version: 1\ndefaults: {organization: contoso}\nroutes: [{name: a, complete: true}]"
    )
    stage.cloud.vault.put("run-relay-waits-key", "a key of the waits, long enough")
    stage.aml.add_run("r1", status="Running")
    body = {"run_id": "r1", "workspace": WORKSPACE}
    assert_told(registered(stage, body), 202)
    assert_told(registered(stage, {}), 400)
    assert_told(registered(stage, body, PlanUrl="https://evil.example/"), 403)
