"""pipelines/comment.py against the threads of a pull request, over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, Response, jsonify, request

from local.serving.web import Server
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "the-token-of-the-build"
BASE = "/contoso/my-project/_apis/git/repositories/my-repo/pullRequests/7/threads"
PREVIEW = """\
Note: The result may contain false positive predictions (noise).
You can help us improve the accuracy of the result by opening an issue here: https://aka.ms/WhatIfIssues.

Resource and property changes are indicated with these symbols:
  - Delete
  + Create
  ~ Modify

The deployment will update the following scope:

Scope: /subscriptions/1111/resourceGroups/rg-relay

  + Microsoft.Web/sites/func/config/appsettings [2024-04-01]

      id:             "/subscriptions/VALUE"
      properties.KEY: "VALUE"
      properties.PEM: "-----BEGIN VALUE-----
VALUE: VALUE
+ Microsoft VALUE
-----END VALUE-----"
      tags.hidden-link:/a: "VALUE"
      properties.sizes: [
        0: "VALUE"
        1:

          name: "VALUE"
      ]
      properties.n:   5

  ~ Microsoft.Network/virtualNetworks/vnet [2024-05-01]
    - tags.Owner: "VALUE"
    ~ properties.first:  "VALUE" => "
VALUE: VALUE
VALUE" => null"
    ~ properties.second: "VALUE "VALUE
VALUE" => null
    ~ properties.third: [
      - 0: "VALUE"
      ] => "VALUE
VALUE"
    ~ properties.last:   null => 7

  - Microsoft.Storage/storageAccounts/old [2024-01-01]
Diagnostics (1): VALUE
VALUE: VALUE

Resource changes: 1 to create, 1 to modify, 1 to delete.
"""
TOLD = """\
Resource and property changes are indicated with these symbols:
  - Delete
  + Create
  ~ Modify

The deployment will update the following scope:

Scope: /subscriptions/1111/resourceGroups/rg-relay

  + Microsoft.Web/sites/func/config/appsettings [2024-04-01]

      id:
      properties.KEY:
      properties.PEM:
      tags.hidden-link:/a:
      properties.sizes: [
        0:
        1:

          name:
      ]
      properties.n:

  ~ Microsoft.Network/virtualNetworks/vnet [2024-05-01]
    - tags.Owner:
    ~ properties.first:
    ~ properties.second:
    ~ properties.third: [
      - 0:
      ] =>
    ~ properties.last:

  - Microsoft.Storage/storageAccounts/old [2024-01-01]

Resource changes: 1 to create, 1 to modify, 1 to delete.
"""
CREATED = "  + Microsoft.Web/sites/func\n"


class Threads:
    """The threads of one pull request, as Azure DevOps keeps them."""

    def __init__(self) -> None:
        app = Flask(__name__)
        app.add_url_rule(BASE, "list", self._list)
        app.add_url_rule(BASE, "add", self._add, methods=["POST"])
        app.add_url_rule(
            f"{BASE}/<int:thread>/comments/<int:comment>", "change", self._change, methods=["PATCH"]
        )
        app.before_request(self._let_in)
        self.threads: list[dict[str, Any]] = []
        self.server = Server(app)

    def contents(self) -> list[str]:
        return [comment["content"] for thread in self.threads for comment in thread["comments"]]

    def _let_in(self) -> Response | None:
        if request.headers.get("Authorization") == f"Bearer {TOKEN}":
            assert request.args["api-version"] == "7.1"
            return None
        return Response("<html>Sign in</html>", 203, content_type="text/html")

    def _list(self) -> Response:
        return jsonify({"value": self.threads, "count": len(self.threads)})

    def _add(self) -> Response:
        thread = request.get_json()
        for number, comment in enumerate(thread["comments"], 1):
            comment["id"] = number
        self.threads.append({**thread, "id": 100 + len(self.threads)})
        return jsonify(self.threads[-1])

    def _change(self, thread: int, comment: int) -> Response:
        (found,) = (t for t in self.threads if t["id"] == thread)
        found["comments"][comment - 1].update(request.get_json())
        return jsonify(found["comments"][comment - 1])


@pytest.fixture
def devops() -> Iterator[Threads]:
    threads = Threads()
    with threads.server:
        yield threads


@pytest.fixture
def environ(devops: Threads) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "BUILD_REPOSITORY_ID": "my-repo",
        "RELAY_PARAMETERS": "infra/prod.bicepparam",
        "SYSTEM_ACCESSTOKEN": TOKEN,
        "SYSTEM_COLLECTIONURI": f"{devops.server.url}/contoso/",
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
        "SYSTEM_TEAMPROJECTID": "my-project",
    }


def comment(
    folder: Path, environ: dict[str, str], preview: str = PREVIEW
) -> subprocess.CompletedProcess[str]:
    file = folder / "what-if.txt"
    file.write_text(preview, "utf-8")
    return subprocess.run(
        [sys.executable, ROOT / "pipelines/comment.py", file],
        env=environ,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def test_the_preview_becomes_a_closed_thread(
    devops: Threads, environ: dict[str, str], tmp_path: Path
) -> None:
    ran = comment(tmp_path, environ)
    assert ran.returncode == 0, ran.stderr
    (thread,) = devops.threads
    assert thread["status"] == 4
    assert f"\n```diff\n{TOLD}```\n" in devops.contents()[0]


def test_no_value_is_in_the_comment_and_what_is_not_known_is_counted(
    devops: Threads, environ: dict[str, str], tmp_path: Path
) -> None:
    comment(tmp_path, environ)
    (content,) = devops.contents()
    assert "VALUE" not in content
    assert content.endswith("\n\nLeft out, since they may hold values: 2 lines.")
    assert "(its values stand in the log of the run)" in content


def test_a_text_without_an_end_leaves_out_all_but_the_next_resource(
    devops: Threads, environ: dict[str, str], tmp_path: Path
) -> None:
    open_ended = '      properties.a: "VALUE\n      VALUE: [\n]\n'
    comment(tmp_path, environ, f"{CREATED}{open_ended}{CREATED}      properties.b: 1\n")
    told = f"{CREATED}      properties.a:\n{CREATED}      properties.b:\n"
    assert f"```diff\n{told}```" in devops.contents()[0]


def test_a_later_run_writes_the_same_comment_anew(
    devops: Threads, environ: dict[str, str], tmp_path: Path
) -> None:
    devops.threads.append({"id": 5, "comments": [{"id": 1, "content": "Looks good"}]})
    for name in ("first", "second"):
        assert comment(tmp_path, environ, f"  + Microsoft.Web/sites/{name}\n").returncode == 0
    assert devops.contents()[0] == "Looks good"
    assert ("sites/second" in devops.contents()[1], len(devops.contents())) == (True, 2)


def test_each_parameter_file_has_a_comment_of_its_own(
    devops: Threads, environ: dict[str, str], tmp_path: Path
) -> None:
    comment(tmp_path, environ)
    comment(tmp_path, {**environ, "RELAY_PARAMETERS": "infra/dev.bicepparam"})
    assert len(devops.threads) == 2


def test_a_comment_that_was_deleted_is_made_again(
    devops: Threads, environ: dict[str, str], tmp_path: Path
) -> None:
    comment(tmp_path, environ)
    devops.threads[0]["comments"][0] = {"id": 1, "isDeleted": True}
    assert comment(tmp_path, environ).returncode == 0
    assert len(devops.threads) == 2


def test_nothing_in_the_preview_ends_its_frame(
    devops: Threads, environ: dict[str, str], tmp_path: Path
) -> None:
    hostile = "  ~ tags: ````\n```\n<b>bold</b>\n  ~ tags.```: 1\n  + Microsoft.Web/```/b\n"
    comment(tmp_path, environ, hostile + CREATED)
    assert f"```diff\n  ~ tags:\n{CREATED}```\n\nLeft out" in devops.contents()[0]
    assert devops.contents()[0].count("```") == 2


def test_a_long_preview_is_cut_and_says_so(
    devops: Threads, environ: dict[str, str], tmp_path: Path
) -> None:
    comment(tmp_path, environ, CREATED * 5_000)
    (content,) = devops.contents()
    assert 100_000 < len(content) < 101_000
    assert content.endswith("There is more: see the log.")


def test_a_sign_in_page_is_no_success(
    devops: Threads, environ: dict[str, str], tmp_path: Path
) -> None:
    ran = comment(tmp_path, {**environ, "SYSTEM_ACCESSTOKEN": "another"})
    assert (ran.returncode, devops.threads) == (4, [])
    assert "203" in ran.stderr
    assert "Contribute to pull requests" in ran.stderr
    assert "another" not in ran.stderr


@pytest.mark.parametrize("name", ["SYSTEM_ACCESSTOKEN", "SYSTEM_PULLREQUEST_PULLREQUESTID"])
def test_what_is_not_set_is_named(environ: dict[str, str], tmp_path: Path, name: str) -> None:
    del environ[name]
    ran = comment(tmp_path, environ)
    assert (ran.returncode, name in ran.stderr) == (2, True)


def test_no_connection_is_told_without_the_token(environ: dict[str, str], tmp_path: Path) -> None:
    nowhere = {**environ, "SYSTEM_COLLECTIONURI": "http://127.0.0.1:9/contoso/"}
    ran = comment(tmp_path, nowhere)
    assert (ran.returncode, TOKEN in ran.stderr) == (4, False)
    assert "Traceback" not in ran.stderr
