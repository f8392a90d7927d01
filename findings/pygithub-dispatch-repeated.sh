#!/bin/sh
# PyGithub 2.10.0 repeats a POST that was answered with a 5xx, ten times and without telling:
# GithubRetry, which every client has unless it is made with retry=None, adds POST to the methods
# that urllib3 takes for safe. GitHub starts one more run for every workflow dispatch, so a gateway
# that answers 502 after the work was done makes two runs of one create_dispatch, which then returns
# as if there were one.
#
# Besides, create_dispatch tells of a refusal by returning False, and of a server that does not know
# return_run_details and answers 204 by returning True in place of the run: throw=True helps against
# the first only.
#
# Installs the package into a temporary environment and calls a server on loopback. Exits with 0 if
# it still behaves so, 1 if that has changed, 2 if it could not be tried. PYTHON names the
# interpreter (python3).
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 2' HUP INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv" || exit 2
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check "PyGithub==2.10.0" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

os.environ["NO_PROXY"] = "127.0.0.1"

import github

posts = []
answers = []


class GitHub(BaseHTTPRequestHandler):
    """A repository with a workflow; a dispatch is answered with what `answers` has next."""

    def do_GET(self):
        kind = "workflow" if "/workflows/" in self.path else "repository"
        here = f"http://127.0.0.1:{self.server.server_port}{self.path}"
        self.answer(200, {"id": 1, "name": kind, "full_name": "o/r", "url": here})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        posts.append(self.path)
        self.answer(answers.pop(0), {"message": "told"})

    def answer(self, status, told):
        body = b"" if status == 204 else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"


def dispatch(*told, **options):
    """What create_dispatch returns when the server answers so, and how many requests came."""
    answers[:] = told
    posts.clear()
    made = {name: options.pop(name) for name in ("retry",) if name in options}
    auth = github.Auth.Token("t")
    client = github.Github(auth=auth, base_url=url, seconds_between_writes=0, **made)
    workflow = client.get_repo("o/r").get_workflow("deploy.yml")
    try:
        found = workflow.create_dispatch("main", {}, **options)
    except github.GithubException as error:
        found = type(error).__name__
    return found, len(posts)


print("PyGithub", version("PyGithub"), "on Python", sys.version.split()[0])
seen = {
    "502 after the work, then 204": dispatch(502, 204, throw=True),
    "the same with retry=None": dispatch(502, throw=True, retry=None),
    "422": dispatch(422),
    "204 where the run was asked for": dispatch(204, throw=True, return_run_details=True),
}
for what, came in seen.items():
    print(f"{what:32} returned {came[0]!s:16} requests: {came[1]}")
server.shutdown()
expected = [(True, 2), ("GithubException", 1), (False, 1), (True, 1)]
sys.exit(0 if list(seen.values()) == expected else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
