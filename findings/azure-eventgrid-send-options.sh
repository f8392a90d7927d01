#!/bin/sh
# azure-eventgrid 4.22.1: the public EventGridPublisherClient of a topic ignores the options that
# its constructor takes, and warns of each option that is given to send(), once for each event.
#
# Installs the package into a temporary environment and sends to a server on loopback. Exits with 0
# if it still behaves so, 1 if that has changed, 2 if it could not be tried. PYTHON names the
# interpreter (python3).
set -eu

version=4.22.1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 2' HUP INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv" || exit 2
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    "azure-eventgrid==$version" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import logging
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from azure.core.credentials import AzureKeyCredential
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridPublisherClient

OPTIONS = {"retry_total": 0, "connection_timeout": 1, "read_timeout": 2, "permit_redirects": False}
answers, requests, warnings = [], [], []


class Topic(BaseHTTPRequestHandler):
    def do_POST(self):
        requests.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(answers.pop(0) if answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Kept(logging.Handler):
    def emit(self, record):
        warnings.append(record.getMessage())


def sent(constructor, call, *given):
    """How many requests were made, and the warnings, where the topic answers so."""
    requests.clear(), warnings.clear(), answers.clear()
    answers.extend(given)
    client = EventGridPublisherClient(endpoint, AzureKeyCredential("key"), **constructor)
    events = [CloudEvent(source="/s", type="t", data={"n": n}) for n in range(2)]
    try:
        client.send(events, **call)
    except Exception as error:
        print("   raised", type(error).__name__)
    client.close()
    print("   requests:", len(requests), " warnings:", len(warnings), *warnings[:1])
    return len(requests), len(warnings)


server = ThreadingHTTPServer(("127.0.0.1", 0), Topic)
threading.Thread(target=server.serve_forever, daemon=True).start()
endpoint = f"http://127.0.0.1:{server.server_port}/api/events"
logging.getLogger("azure").addHandler(Kept(level=logging.WARNING))
print("azure-eventgrid", version("azure-eventgrid"), "on Python", sys.version.split()[0])

print("1. retry_total=0 for the constructor; the topic answers 503, then 200")
ignored = sent(OPTIONS, {}, 503) == (2, 0)
print("2. the same for send(); the topic answers 503")
works = sent({}, OPTIONS, 503)[0] == 1
print("3. four options for send(), two events; the topic answers 200")
warned = sent({}, OPTIONS) == (1, 2 * len(OPTIONS))
server.shutdown()
server.server_close()

print("the constructor ignores them:", ignored)
print("send() obeys them:", works)
print("send() warns of each for each event:", warned)
sys.exit(0 if ignored and works and warned else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
