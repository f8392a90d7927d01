#!/bin/sh
# azure-devops 7.1.0b4: template parameters that are no text are sent as what Python's str() makes
# of them. A list or an object of a pipeline arrives as Python's notation in a text, `None` in it
# with a capital: as YAML, that is the text "None" where null was meant. A parameter that is None
# itself is null. No error or warning tells.
#
# The run that comes back holds its links where as_dict() does not look: what should be
# `_links.web.href` is left out of it, and is in `additional_properties`.
#
# Installs the package into a temporary environment and calls a server on loopback. Exits with 0 if
# it still behaves so, 1 if that has changed, 2 if it could not be tried. PYTHON names the
# interpreter (python3).
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 2' HUP INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv" || exit 2
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    "azure-devops==7.1.0b4" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

os.environ["NO_PROXY"] = "127.0.0.1"

from azure.devops.connection import Connection
from azure.devops.v7_1.pipelines.models import RunPipelineParameters

PLACES = {
    "e81700f7-3be2-46de-8624-2eb35882fcaa": "ResourceAreas",
    "7859261e-d2e9-4a68-b820-a5d84cc5bb3d": "runs",
}
ANSWER = {"id": 7, "name": "r", "_links": {"web": {"href": "https://example.org/7"}}}
GIVEN = {"text": "a", "flag": True, "number": 1, "list": ["x", None], "object": {"a": None}}
SENT = {
    "text": "a",
    "flag": "True",
    "number": "1",
    "list": "['x', None]",
    "object": "{'a': None}",
    "none": None,
}
bodies = []


class Service(BaseHTTPRequestHandler):
    def do_OPTIONS(self):
        shared = {"area": "a", "routeTemplate": "{project}/_apis/{resource}", "resourceVersion": 1}
        versions = {"minVersion": "1.0", "maxVersion": "7.1", "releasedVersion": "7.1"}
        places = [{"id": k, "resourceName": v, **shared, **versions} for k, v in PLACES.items()]
        self.answer({"count": len(places), "value": places})

    def do_GET(self):
        self.answer({"count": 0, "value": []})

    def do_POST(self):
        bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(ANSWER)

    def answer(self, what):
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
connection = Connection(base_url=f"http://127.0.0.1:{server.server_port}")
client = connection.clients_v7_1.get_pipelines_client()
wanted = RunPipelineParameters(template_parameters={**GIVEN, "none": None})
run = client.run_pipeline(wanted, "project", 5)
server.shutdown()
server.server_close()

(sent,) = bodies
print("azure-devops", version("azure-devops"), "on Python", sys.version.split()[0])
for name, value in sent["templateParameters"].items():
    print(f"{name:8} {value!r}")
links = run.as_dict()["_links"], run._links.additional_properties
print("_links of as_dict():", links[0], " additional_properties:", links[1])
as_stated = sent["templateParameters"] == SENT and links == ({}, ANSWER["_links"])
sys.exit(0 if as_stated else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
