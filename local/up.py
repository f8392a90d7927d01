"""`make up`: the local Azure, MLflow and the app, kept running until Ctrl-C.

    make up [PORT_BASE=7071]

Prints addresses and commands to send events by hand, and then the app's log. The app's own
settings may be given in the environment. Exit codes: 0 after SIGTERM, 130 after Ctrl-C, 1 if
something did not start or ended by itself.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local import commands
from local.children import Children, Interrupted
from local.deployment import ROOT, Broken, Deployment, Ports
from local.host import console
from local.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_BASE = 7071
WAITS_KEY = "run-relay-waits-key"
QUICKER = {
    "RETRY_FIRST_SECONDS": "5",
    "RECONCILE_SCHEDULE": "*/5 * * * * *",
    "IN_DOUBT_GRACE_SECONDS": "30",
    "CREDENTIAL_PAUSE_SECONDS": "60",
}

# The app's own lines and what Event Grid or a person called; not the SDKs' requests.
_TELLING = re.compile(
    r" (ERROR|WARNING|CRITICAL): | INFO: \w+=| DEBUG: event="
    r"|Execut\w+ 'Functions\.(?!reconcile|sweep)"
)
_NOTHING_DONE = " INFO: reconciler=done resumed=0 looked_at=0 "


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep everything running; returns the exit code."""
    options = _options().parse_args(arguments)
    screen, children = Screen(sys.stdout), Children()
    try:
        ports = Ports.from_base(options.port_base) if options.port_base else Ports()
        with children:
            _keep_running(options.directory or _directory(ports), children, screen, ports)
    except Interrupted as ended:
        screen.plain(f"\nEnded by {ended}; nothing is left running.")
        return 0 if ended.number == signal.SIGTERM else ended.code
    except (Broken, RuntimeError) as error:
        screen.failed(f"\n{error}")
    finally:
        children.end()
    return 1


def _directory(ports: Ports) -> Path:
    """The same one for the same ports, so that commands stay as they were; emptied."""
    directory = ROOT / ".demo" / f"up-{ports.host or os.getpid()}"
    shutil.rmtree(directory, ignore_errors=True)
    return directory


def _keep_running(directory: Path, children: Children, screen: Screen, ports: Ports) -> None:
    with Deployment(directory, children, screen, QUICKER | os.environ, ports) as deployment:
        if os.environ.get("WAITS") == "1":  # in Azure somebody makes this key by hand
            name = os.environ.get("WAITS_KEY_SECRET") or WAITS_KEY
            deployment.cloud.vault.put(name, secrets.token_hex())
        commands.write_files(deployment)
        screen.plain(commands.guide(deployment))
        screen.title(f"From the app's log, {deployment.host.log} (Ctrl-C ends everything)")
        _follow(deployment, screen)


def _follow(deployment: Deployment, screen: Screen) -> None:
    """Write what the app's log tells, until a process ends by itself. Raises Broken."""
    with deployment.host.log.open(encoding="utf-8", errors="replace") as log:
        while True:
            while line := log.readline():
                if _TELLING.search(line) and _NOTHING_DONE not in line:
                    screen.plain(line.rstrip("\n"))
            for child in (deployment.host, deployment.mlflow.process):
                if (code := child.ended()) is not None:
                    raise Broken(f"{child.log} ended by itself, exit code {code}")
            time.sleep(0.1)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.up",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port-base",
        type=int,
        default=DEFAULT_BASE,
        help=f"first of {len(Ports.__dataclass_fields__)} ports; 0: free ones (default 7071)",
    )
    parser.add_argument("--directory", type=Path, help="for ledger, logs and keys; begun anew")
    return parser


if __name__ == "__main__":
    console.leave(main())
