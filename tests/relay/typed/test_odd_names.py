"""Names that hide, break a line or turn it round: nobody is deceived, and all of it still works."""

from __future__ import annotations

import html
import json
import logging
import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import pytest

from functions import web
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.relay.conftest import Desk

GATED = """
version: 1
routes:
- name: register
  when: event.id == 'never'
  start: {organization: contoso, project: mlops, pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""
MARKS = {
    "NEL": "\x85",
    "CSI": "\x9b31m",
    "DCS": "\x90",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "override": "\u202e",
    "isolate": "\u2066",
    "zero width": "\u200b",
    "joiner": "\u200d",
    "byte order": "\ufeff",
    "soft hyphen": "\xad",
    "tag": "\U000e0001",
    "selector": "\ufe0f",
    "filler": "\u3164",
    "wide space": "\u3000",
    "an escape": "\\u202e",
}
every_mark = pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)


def held(desk: Desk, run: str) -> None:
    """A continuation of this run that the gate holds."""
    desk.stage.routes(GATED)
    desk.stage.deploy()
    desk.end(run)
    desk.stage.deliver(completed(run))


def page(desk: Desk, accept: str = "text/html", **query: str) -> web.Answer:
    stage = desk.stage
    return web.answer(lambda: stage.app.overview, query, accept)


def is_plain(text: str) -> bool:
    """Whether every line is seen as what it is."""
    hidden = set("\u034f\u3164\ufe0f\u115f")
    return all(line.isprintable() and not hidden & set(line) for line in text.split("\n"))


@every_mark
def test_a_line_of_the_log_is_one_line_and_shows_what_is_hidden(
    desk: Desk, caplog: pytest.LogCaptureFixture, mark: str
) -> None:
    caplog.set_level(logging.INFO, logger="run_relay")
    desk.end("r1")
    forged = f"defect-x{mark}continuation=started route=register run=forged pipeline_run=666"
    desk.stage.deliver(completed("r1", experimentName=forged))
    told = [m for m in caplog.messages if m.startswith("continuation=")]
    assert len(told) == 1
    assert is_plain(told[0])
    assert len(told[0].splitlines()) == 1
    assert "forged" in told[0]


def test_a_run_id_is_told_with_its_escape(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="run_relay")
    held(desk, "r1\x85continuation=started\u202e")
    (told,) = [m for m in caplog.messages if m.startswith("continuation=held")]
    assert r'run="r1\\u0085continuation=started\\u202e"' in told


@every_mark
def test_a_continuation_is_opened_from_the_list(desk: Desk, mark: str) -> None:
    run = f"r{mark}1"
    held(desk, run)
    listed = page(desk).body
    assert is_plain(listed)
    (address,) = {*re.findall(r'href="([^"]*key=[^"]*)"', listed)}
    opened = page(desk, **dict(parse_qsl(html.unescape(address).removeprefix("?"))))
    assert opened.status == 200
    assert is_plain(opened.body)
    (named,) = json.loads(page(desk, accept="application/json").body)["continuations"]
    assert page(desk, key=named["key"]).status == 200
    command = re.search(r'<code class="command">(.*?)</code>', opened.body)
    assert command
    typed = shlex.split(html.unescape(command[1]))
    assert desk.type(*typed[1:]).code == 0
    assert desk.stage.only(run).state is State.OPEN


@every_mark
def test_a_continuation_is_shown_and_replayed_as_the_list_spells_it(desk: Desk, mark: str) -> None:
    run = f"r{mark}1"
    held(desk, run)
    said = desk.type("list", COLUMNS="400")
    assert is_plain(said.out)
    (key,) = re.findall(r"register/\S+", said.out)
    shown = desk.type("show", key)
    assert (shown.code, is_plain(shown.out)) == (0, True)
    assert "gate" in shown.out
    assert desk.type("replay", key).code == 0
    assert desk.stage.only(run).state is State.OPEN


@every_mark
def test_a_program_gets_the_name_itself(desk: Desk, mark: str) -> None:
    run = f"r{mark}1"
    held(desk, run)
    said = desk.type("list", "--json")
    assert is_plain(said.out)
    (one,) = json.loads(said.out)["continuations"]
    assert one["run"] == run
    assert desk.type("show", one["key"]).code == 0


@every_mark
def test_why_tells_of_a_run_by_its_id_and_by_its_escapes(desk: Desk, mark: str) -> None:
    run = f"r{mark}1"
    held(desk, run)
    shown = run.replace("\\", "\\u005c") if mark.startswith("\\") else ascii(run)[1:-1]
    for text in {shown, run} if shown.isascii() and not mark.startswith("\\") else {shown}:
        said = desk.type("why", text.replace("\\x", "\\u00"), "--workspace", WORKSPACE)
        assert "the route's gate said no" in said.out
        assert is_plain(said.out)


def test_two_runs_that_would_look_alike_are_told_apart(desk: Desk) -> None:
    for run in ("r\u202e1", "r\\u202e1"):
        held(desk, run)
    keys = re.findall(r"register/\S+", desk.type("list", COLUMNS="400").out)
    assert len(set(keys)) == 2
    for key in keys:
        assert desk.type("replay", key).code == 0
    rows = [desk.stage.only(run) for run in ("r\u202e1", "r\\u202e1")]
    assert [row.state for row in rows] == [State.OPEN, State.OPEN]


def test_a_filter_finds_a_name_as_it_is_shown(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.deliver(completed("r1", experimentName="defect-\u202ex"))
    for asked in ("defect-\u202ex", r"defect-\u202ex"):
        assert "r1" in desk.type("list", "--experiment", asked).out
        found = json.loads(page(desk, accept="application/json", experiment=asked).body)
        assert found["total"] == 1
        assert json.loads(page(desk, accept="application/json", q=asked).body)["total"] == 1


def test_a_parameter_is_the_name_itself(desk: Desk) -> None:
    desk.stage.routes(
        "version: 1\nroutes:\n- name: register\n  start: {organization: contoso, project: mlops,"
        ' pipeline: 42, parameters: {run_id: "{{ run.id }}", status: "{{ run.experiment }}"}}'
    )
    desk.stage.devops.add_pipeline(
        "contoso", "mlops", 42, "x", parameters={"run_id": None, "status": None}
    )
    desk.stage.deploy()
    desk.end("r\u202e1")
    desk.stage.deliver(completed("r\u202e1", experimentName="👩\u200d🚀"))
    (run,) = desk.stage.devops.runs
    assert dict(run.template_parameters) == {"run_id": "r\u202e1", "status": "👩\u200d🚀"}
    assert desk.stage.only("r\u202e1").reason is Reason.ANSWERED


def test_the_key_of_the_longest_model_is_typed_as_the_list_shows_it(desk: Desk) -> None:
    desk.stage.routes(
        "version: 1\nroutes:\n- name: deploy\n  event: ModelRegistered\n"
        "  when: event.id == 'never'\n"
        "  start: {organization: contoso, project: mlops, pipeline: 42, correlation: relay_id}"
    )
    desk.stage.deploy()
    event = completed("x")
    event["eventType"] = "Microsoft.MachineLearningServices.ModelRegistered"
    event["data"] = {"ModelName": "m" * 255, "ModelVersion": "v" * 255}
    desk.stage.deliver(event)
    (key,) = re.findall(r"deploy/\S+", desk.type("list", COLUMNS="1500").out)
    assert desk.type("show", key).code == 0
    assert desk.type("replay", key).code == 0


def test_a_name_of_nothing_but_what_is_hidden_is_opened_too(desk: Desk) -> None:
    run = "\u202e" * 256
    held(desk, run)
    (address,) = {*re.findall(r'href="([^"]*key=[^"]*)"', page(desk).body)}
    assert page(desk, **dict(parse_qsl(html.unescape(address).removeprefix("?")))).status == 200
    (one,) = json.loads(desk.type("list", "--json").out)["continuations"]
    assert one["run"] == run
    assert desk.type("replay", one["key"]).code == 0
    assert desk.stage.only(run).state is State.OPEN
