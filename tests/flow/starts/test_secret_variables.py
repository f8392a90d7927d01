"""A secret variable reaches the pipeline, and nobody else."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from functions.adapters.http.authorizing import basic
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.conftest import PAT
from tests.flow.asking import EXPERIMENT
from tests.saying.refusals import POST_RUN, WRONG, says
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stage.azure import Stage

ROUTE = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: next
    mode: MODE
    start:
      pipeline: 42
      parameters: {run_id: "{{ run.id }}"}
      variables: {STAGE: prod, VARIABLES}
"""


def deliver(stage: Stage, mode: str, value: str = "for {{ run.id }}", variables: str = "") -> None:
    stage.devops.add_pipeline(
        "contoso",
        "mlops",
        42,
        "next",
        parameters={"run_id": None},
        settable_variables=["STAGE", "TOKEN", "SHORT"],
    )
    told = variables or f"TOKEN: {{value: {json.dumps(value)}, secret: true}}"
    stage.routes(ROUTE.replace("MODE", mode).replace("VARIABLES", told))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))


def test_a_shadow_route_does_not_tell_secret_variables(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "run_relay")
    deliver(stage, "shadow")
    row = stage.only("r1")
    assert row.reason is Reason.SHADOW
    assert '"STAGE": {"value": "prod", "isSecret": false}' in row.detail
    assert '"TOKEN": {"value": "***", "isSecret": true}' in row.detail
    assert "for r1" not in repr(row)
    assert "for r1" not in caplog.text


def test_an_active_route_sends_secret_variables_and_does_not_log_them(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "run_relay")
    deliver(stage, "active")
    (sent,) = stage.devops.server.received("POST", "/runs")
    assert json.loads(sent.body)["variables"]["TOKEN"] == {"value": "for r1", "isSecret": True}
    assert "for r1" not in caplog.text


def test_a_secret_among_the_words_by_which_an_answer_is_judged_changes_no_judgement(
    stage: Stage,
) -> None:
    stage.devops.server.faults.add(says(400, WRONG))
    deliver(stage, "active", "parameter")
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.FAILED, Reason.REJECTED)
    assert row.detail == "the answer's words hold the value of a secret variable"


@pytest.mark.parametrize("status", [200, 400, 403, 500])
@pytest.mark.parametrize("secret", ["for r1", 'a "quoted" one', "ä\\b"])
def test_whoever_echoes_the_request_tells_no_secret_variable(
    stage: Stage, caplog: pytest.LogCaptureFixture, status: int, secret: str
) -> None:
    caplog.set_level("DEBUG", "run_relay")
    value = secret.replace("r1", "{{ run.id }}")
    said = {"message": f"not {secret}; nor {json.dumps(secret)}", "typeKey": "X"}
    body, kind = json.dumps(said), "application/json"
    if status == 403:
        body, kind = f"<html>You sent {json.dumps(secret)}: {secret}</html>", "text/html"
    fault = Fault("POST", POST_RUN, status=status, body=body, headers={"Content-Type": kind})
    stage.devops.server.faults.add(fault)
    deliver(stage, "active", value)
    detail = stage.only("r1").detail
    assert "***" in detail
    for form in (secret, json.dumps(secret)[1:-1]):
        assert form not in detail
        assert form not in caplog.text


def by_dotnet(text: str) -> str:
    """As .NET writes JSON, with escapes for what means something in a page."""
    flat = json.dumps(text)[1:-1]
    return "".join(f"\\u{ord(c):04X}" if c in "&<>'+" else c for c in flat)


def in_json(text: str) -> Fault:
    body = f'{{"message": "you sent {by_dotnet(text)} to us", "typeKey": "X"}}'
    return Fault(body=body, headers={"Content-Type": "application/json"})


def in_json_in_json(text: str) -> Fault:
    return in_json(by_dotnet(text))


def in_page(text: str, spelled: Callable[[str], str] = html.escape) -> Fault:
    body = f"<html>you sent {spelled(text)} to us</html>"
    return Fault(body=body, headers={"Content-Type": "text/html"})


def in_page_by_numbers(text: str) -> Fault:
    return in_page(text, lambda text: "".join(f"&#x{ord(c):02X};" for c in text))


def in_header(text: str) -> Fault:
    return Fault(headers={"X-TFS-ServiceError": quote(f"you sent {text} to us")})


@pytest.mark.parametrize("echo", [in_json, in_json_in_json, in_page, in_page_by_numbers, in_header])
@pytest.mark.parametrize("secret", ["p&ss'w<o>rd+ä", "two lines\nof r1", 'a\\"b\\\\ c"'])
def test_in_whatever_spelling_a_secret_variable_comes_back_it_is_not_told(
    stage: Stage, caplog: pytest.LogCaptureFixture, echo: Callable[[str], Fault], secret: str
) -> None:
    caplog.set_level("DEBUG", "run_relay")
    fault = echo(secret)
    fault.method, fault.path, fault.status = "POST", POST_RUN, 400
    stage.devops.server.faults.add(fault)
    deliver(stage, "active", secret.replace("r1", "{{ run.id }}"))
    detail = stage.only("r1").detail
    assert "you sent *** to us" in detail
    assert detail in caplog.text.replace('\\"', '"')


def test_a_secret_that_begins_as_another_one_is_hidden_whole(stage: Stage) -> None:
    echoed = says(400, "you sent for r1 and more to us")
    stage.devops.server.faults.add(echoed)
    variables = {"SHORT": "for r1", "TOKEN": "for r1 and more"}
    told = ", ".join(f"{n}: {{value: '{v}', secret: true}}" for n, v in variables.items())
    deliver(stage, "active", variables=told)
    assert stage.only("r1").detail.endswith("you sent *** to us")


def test_however_long_a_secret_variable_is_no_part_of_it_is_told(stage: Stage) -> None:
    secret = "".join(f"{n} & " for n in range(400))
    stage.devops.server.faults.add(says(400, f"you sent {secret}"))
    deliver(stage, "active", secret)
    assert not re.search("[0-9] &", stage.only("r1").detail)


def test_a_header_that_echoes_the_credential_as_addresses_are_written_does_not_tell_it(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "run_relay")
    authorization = basic(PAT)
    assert authorization.endswith("=")
    headers = {"X-TFS-ServiceError": quote(f"Not accepted: {authorization}")}
    stage.devops.server.faults.add(Fault("POST", POST_RUN, status=403, headers=headers))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    detail = stage.only("r1").detail
    assert detail.endswith("Not accepted: Basic ***=")
    assert authorization.removeprefix("Basic ").rstrip("=") not in caplog.text
