#!/bin/sh
# azure-identity 1.27.0 (with msal 1.39.0 and azure-core 1.41.0): what the identity endpoint answers instead of a
# token leaves ManagedIdentityCredential as errors that do not name the identity.
#
# * A 500 or 404 whose body is no JSON, sent as JSON or without a Content-Type, is a DecodeError: an
#   HttpResponseError with the endpoint's status code. Raised inside a client of Key Vault or Table storage it
#   looks as if that service had answered so.
# * The same as text/plain or text/html is json.JSONDecodeError, a ValueError without the status.
# * JSON that is no object is AttributeError; an `expires_on` that is no number is ValueError, and one that is
#   infinite OverflowError. None of these is an AzureError or documented for get_token.
# Seen: "500 None: 'Internal Server Error' -> DecodeError 500", and the other lines as listed in CASES below.
#
# Ends with 0 if it is as stated, and with 1 if it is not.
set -eu
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT INT TERM
"${PYTHON:-python3}" -m venv "$there/venv"
"$there/venv/bin/python" -m pip install -q --disable-pip-version-check \
    azure-identity==1.27.0 azure-core==1.41.0 msal==1.39.0
"$there/venv/bin/python" - <<'END'
import importlib.metadata
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JSON = "application/json"
CASES = [
    (500, None, "Internal Server Error", "DecodeError 500"),
    (404, None, "no such page", "DecodeError 404"),
    (500, JSON, "Internal Server Error", "DecodeError 500"),
    (500, "text/plain", "Internal Server Error", "JSONDecodeError None"),
    (200, "text/html", "<html>", "JSONDecodeError None"),
    (200, JSON, "[]", "AttributeError None"),
    (200, JSON, "null", "AttributeError None"),
    (200, JSON, '{"access_token": "t", "expires_on": "soon"}', "ValueError None"),
    (200, JSON, '{"access_token": "t", "expires_on": Infinity}', "OverflowError None"),
]
answer = CASES[0]


class Endpoint(BaseHTTPRequestHandler):
    def do_GET(self):
        status, kind, body, _ = answer
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
for name in ("IMDS_ENDPOINT", "IDENTITY_SERVER_THUMBPRINT", "MSI_ENDPOINT"):
    os.environ.pop(name, None)
os.environ["IDENTITY_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}/msi/token"
os.environ["IDENTITY_HEADER"] = "x"
os.environ["NO_PROXY"] = "127.0.0.1"

import logging

from azure.identity import ManagedIdentityCredential

logging.disable(logging.CRITICAL)
for package in ("azure-identity", "msal", "azure-core"):
    print(package, importlib.metadata.version(package))
as_stated = True
for answer in CASES:
    status, kind, body, expected = answer
    credential = ManagedIdentityCredential(retry_total=0)
    try:
        credential.get_token_info("https://vault.azure.net/.default")
        found = "a token"
    except Exception as error:
        found = f"{type(error).__name__} {getattr(error, 'status_code', None)}"
    print(f"{status} {kind}: {body[:45]!r} -> {found}", "" if found == expected else f"(not {expected})")
    as_stated = as_stated and found == expected
server.shutdown()
print("as stated" if as_stated else "NOT as stated")
sys.exit(0 if as_stated else 1)
END
