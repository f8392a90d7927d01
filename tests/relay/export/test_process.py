"""`bin/relay export` as a process of its own: readers that go away, and ledgers that take long."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import flask

from local.serving.web import Server
from tests.ledger.samples import opened
from tests.ledger.stores import claimed
from tests.relay.export.test_export import ago
from tests.running.shipping import ROOT
from tests.stage.azurite import connection_string

if TYPE_CHECKING:
    from tests.relay.conftest import Desk

NONE = '{"odata.error": {"code": "ResourceNotFound", "message": {"lang": "en", "value": "none"}}}'
EXPORT = (sys.executable, "-m", "relay", "export")


def test_a_reader_that_goes_away_leaves_no_stack_trace(desk: Desk) -> None:
    at = ago(desk, hours=1)
    more_than_a_pipe_holds = (opened(f"r-{n}", at=at) for n in range(500))
    claimed(desk.stage.read.ledger_file, more_than_a_pipe_holds)
    command = f"'{sys.executable}' -m relay export | head -n 1"
    shell = shutil.which("sh") or "sh"
    env = {**os.environ, **desk.stage.environ}
    ran = subprocess.run(
        [shell, "-c", command], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert json.loads(ran.stdout)["what"] == "claimed"
    assert "Traceback" not in ran.stderr
    assert "BrokenPipe" not in ran.stderr


def test_what_takes_over_two_seconds_says_that_it_goes_on(desk: Desk) -> None:
    app, goes_on = flask.Flask("storage"), threading.Event()

    @app.route("/<path:asked>")
    def answer(asked: str) -> flask.Response:
        if not asked.endswith("continuations()"):  # a row, and no list
            return flask.Response(NONE, 404, content_type="application/json")
        goes_on.wait()
        return flask.Response('{"value": []}', content_type="application/json")

    with Server(app) as server:
        storage = {"LEDGER_URL": "", "AzureWebJobsStorage": connection_string(server.port)}
        env = {**os.environ, **desk.stage.environ, **storage}
        with subprocess.Popen(EXPORT, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True) as ran:
            assert ran.stderr
            said = [ran.stderr.readline()]
            goes_on.set()
            said += ran.stderr
    assert said[0].endswith(" s, 0 lines so far\n")
    assert ran.returncode == 0, said
