#!/bin/sh
# azure-identity 1.27.0 (with msal 1.39.0 and azure-core 1.41.0): in the second half of a token's life every
# call of ManagedIdentityCredential asks the identity endpoint again, in the call. While the endpoint hangs,
# each call takes the whole read time-out, and then hands out the token that it had all along.
# Seen: "second half, 10 hours left, the endpoint hangs: 3 calls, 3 requests, seconds: 1.0, 1.0, 1.0".
#
# Asks an endpoint on loopback for a token of 24 hours, moves time.time() on by 14 hours, lets the endpoint hang,
# and calls three times with read_timeout=1. Ends with 0 if it is as stated, and with 1 if it is not.
set -eu
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT INT TERM
"${PYTHON:-python3}" -m venv "$there/venv"
"$there/venv/bin/python" -m pip install -q --disable-pip-version-check \
    azure-identity==1.27.0 azure-core==1.41.0 msal==1.39.0
"$there/venv/bin/python" - <<'END'
import importlib.metadata
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

now, moved = time.time, [0.0]
time.time = lambda: now() + moved[0]
asked, hangs, released = [], threading.Event(), threading.Event()


class Endpoint(BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        if hangs.is_set():
            released.wait(60)
            return
        token = {"access_token": "t", "expires_on": str(int(time.time()) + 24 * 3600),
                 "resource": "https://management.azure.com", "token_type": "Bearer"}
        body = json.dumps(token).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

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

from azure.identity import ManagedIdentityCredential

credential = ManagedIdentityCredential(connection_timeout=1, read_timeout=1, retry_total=0)
scope = "https://management.azure.com/.default"
first = credential.get_token_info(scope)
credential.get_token_info(scope)
in_the_first_half = len(asked)
moved[0] = 14 * 3600
hangs.set()
took = []
for _ in range(3):
    began = time.monotonic()
    found = credential.get_token_info(scope)
    took.append(time.monotonic() - began)
    assert found.token == first.token
in_the_second_half = len(asked) - in_the_first_half
released.set()
server.shutdown()
for package in ("azure-identity", "msal", "azure-core"):
    print(package, importlib.metadata.version(package))
print(f"first half: 2 calls, {in_the_first_half} request")
print(f"second half, {(found.expires_on - time.time()) / 3600:.0f} hours left, the endpoint hangs: "
      f"3 calls, {in_the_second_half} requests, seconds: {', '.join(f'{s:.1f}' for s in took)}")
as_stated = in_the_first_half == 1 and in_the_second_half == 3 and min(took) >= 0.9
print("as stated" if as_stated else "NOT as stated")
sys.exit(0 if as_stated else 1)
END
