"""What every local service shares, seen from outside."""

from __future__ import annotations

import subprocess
import sys

from tests.running.shipping import ROOT

# A client that goes away while an answer of some megabytes is made.
GONE = """
import gc, socket, struct, threading
from flask import Flask
from local.serving.web import Server

asked, left = threading.Event(), threading.Event()
app = Flask("large")

@app.get("/")
def large():
    asked.set()
    left.wait(30)
    return "x" * 5_000_000

server = Server(app)
server.start()
client = socket.create_connection(("127.0.0.1", server.port))
client.sendall(b"GET / HTTP/1.1\\r\\nHost: local\\r\\n\\r\\n")
asked.wait(30)
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
client.close()
left.set()
server.stop()
gc.collect()
"""


def test_nothing_is_said_of_a_client_that_went_away() -> None:
    ran = subprocess.run(
        # In development mode Python tells what it tells without from 3.13 on.
        [sys.executable, "-X", "dev", "-W", "ignore", "-c", GONE],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
