"""A local service that runs alone ends when it is asked to."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.running.shipping import ROOT

SERVICE = """
import os, signal, sys, threading, time
from local.serving import ending

end = ending.on_signal()

def hit():
    while sys._current_frames()[threading.main_thread().ident].f_code.co_name != "wait":
        time.sleep(0.01)
    time.sleep(0.05)  # it is about to wait, which nothing can show
    signal.pthread_kill(threading.get_ident(), signal.SIG{name})
    threading.Event().wait()

threading.Thread(target=hit, daemon=True).start()
code = end()
os._exit(code)
"""


@pytest.mark.parametrize(("name", "code"), [("TERM", 0), ("INT", 130)])
def test_it_ends_whichever_of_its_threads_the_signal_reaches(name: str, code: int) -> None:
    text = SERVICE.replace("{name}", name)
    ran = subprocess.run([sys.executable, "-c", text], cwd=ROOT, check=False)
    assert ran.returncode == code
