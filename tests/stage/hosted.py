"""A local Functions host as a child process, with its whole log."""

from __future__ import annotations

import os
import re
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from tests.running import forked

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]


class Hosted:
    """Runs the function app of a folder until it is stopped or killed."""

    def __init__(
        self, environ: Mapping[str, str], app: Path = ROOT, *, timers: bool = False
    ) -> None:
        options = ["--port", "0", "--threads", "4", "--app", str(app)]
        options += [] if timers else ["--no-timers"]
        mine = {**os.environ, **environ}
        self.process = forked.start("local.host", *options, environ=mine, together=True)
        self._log = ""
        self.url = self._await_url()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def stop(self) -> str:
        """End it, frozen or not, and give its log."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        return self.ended()

    def ended(self) -> str:
        """Wait until it is gone, and give its log."""
        self.process.wait()
        self._reader.join()
        if self.process.stdout:
            self.process.stdout.close()
        return self._log

    def deliver(self, function: str, payload: dict[str, Any]) -> requests.Response:
        """Deliver as Event Grid does: an array of one, or a single CloudEvent."""
        body: object = payload if "specversion" in payload else [payload]
        return requests.post(
            f"{self.url}/runtime/webhooks/EventGrid?functionName={function}",
            json=body,
            headers={"aeg-event-type": "Notification"},
            timeout=60,
        )

    def fire(self, timer: str) -> None:
        """Fire a timer, and return when its invocation has ended."""
        fired = requests.post(f"{self.url}/admin/functions/{timer}", json={"input": ""}, timeout=60)
        invocation = fired.headers["Local-Invocation-Id"]
        requests.get(f"{self.url}/_local/invocations?function={invocation}&count=1", timeout=120)

    def halt(self, *, stopped: bool = True) -> None:
        """Stop all its timers, or let them fire again."""
        url = f"{self.url}/_local/timers"
        assert requests.post(url, json={"stopped": stopped}, timeout=60).ok

    def _await_url(self) -> str:
        for line in self.process.stdout or ():
            self._log += line
            if found := re.search(r"listening on (http://\S+)", line):
                return found[1]
        self.process.wait()
        raise AssertionError(f"the host did not start: {self._log}")

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._log += line
