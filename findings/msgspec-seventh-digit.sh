#!/bin/sh
# msgspec 0.22.0 rounds the seventh digit behind the point of a time, which Azure's services write;
# azure-data-tables 12.7.0 and azure-devops 7.1.0b4 (through msrest 0.7.1) cut it off. The same
# text is two times for a program that reads it with both: they differ by a microsecond, so the
# time of an answer is not equal to the same one kept in a table, and 23:59:59.9999999 is the next
# day for one.
#
# Installs the packages into a temporary environment and calls a server on loopback. Exits with 0 if
# it still behaves so, 1 if that has changed, 2 if it could not be tried. PYTHON names the
# interpreter (python3).
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 2' HUP INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv" || exit 2
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    "msgspec==0.22.0" "azure-data-tables==12.7.0" "azure-devops==7.1.0b4" "msrest==0.7.1" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import os
import sys
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

os.environ["NO_PROXY"] = "127.0.0.1"

import msgspec
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableClient
from azure.devops.v7_1.pipelines.models import Run

TEXTS = {
    "2026-11-29T10:00:00.123456Z": True,
    "2026-11-29T10:00:00.1234564Z": True,
    "2026-11-29T10:00:00.1234567Z": False,
    "2026-11-29T23:59:59.9999999Z": False,
}


class Service(BaseHTTPRequestHandler):
    """Answers every request with the row."""

    def do_GET(self):
        body = msgspec.json.encode(row)
        self.send_response(200)
        self.send_header("Content-Type", "application/json;odata=minimalmetadata")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
table = TableClient(
    endpoint=f"http://127.0.0.1:{server.server_port}/account",
    table_name="rows",
    credential=AzureNamedKeyCredential("account", "a2V5"),
)
for package in ("msgspec", "azure-data-tables", "azure-devops", "msrest"):
    print(package, version(package))
found = {}
for text in TEXTS:
    row = {"PartitionKey": "a", "RowKey": "b", "at@odata.type": "Edm.DateTime", "at": text}
    told = [
        msgspec.convert(text, datetime),
        table.get_entity("a", "b")["at"],
        Run.deserialize({"createdDate": text}).created_date,
    ]
    print(text, *(f"{time:%dT%H:%M:%S.%f}" for time in told))
    assert told[1] == told[2]
    found[text] = told[0] == told[1]
server.shutdown()
server.server_close()
sys.exit(0 if found == TEXTS else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
