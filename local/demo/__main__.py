"""`make demo`: a training run ends, and the next pipeline starts. Exits 1 if any of it is not so.

    python -m local.demo [--pattern sync|async|thread|wait|component|follow|then|concurrency|notify|
        join|expect|promotion|github] [--refuse-pat] [--keep] [--mlflow PORT DIRECTORY]

Everything is local: nothing is read from or sent to Azure. Exit codes: 0 all was so, 1 something
was not, 130 or 143 after a signal.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from local.children import Children, Interrupted, plain_environment
from local.demo.app import RelayError
from local.demo.checks import NotSo
from local.demo.stories.told import STORIES
from local.deployment import Broken, Deployment
from local.host import console
from local.real.mlflow import MLflow
from local.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

HEALING = {"RETRY_FIRST_SECONDS": "1", "RECONCILE_SCHEDULE": "*/2 * * * * *"}
LOG_LINES_TOLD = 8
_TELLING = re.compile(r"(ERROR|WARNING|CRITICAL): |continuation=|Executed ")  # not the SDKs' own


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell the story; returns the exit code."""
    options = _options().parse_args(arguments)
    screen = Screen(sys.stdout)
    directory = Path(tempfile.mkdtemp(prefix="run-relay-demo-"))
    screen.plain("Run Relay: a training run ends, and the next pipeline starts")
    screen.plain(f"All of it runs on this machine; logs and ledger are in {directory}")
    code = _told(directory, screen, options)
    if code != 1 and not options.keep:
        shutil.rmtree(directory, ignore_errors=True)
    return code


def _told(directory: Path, screen: Screen, options: argparse.Namespace) -> int:
    """The exit code, once the story is told and every process has ended."""
    children = Children()
    try:
        with children:
            passed = _tell(directory, children, screen, options)
    except Interrupted as signal:
        screen.failed(f"\nInterrupted ({signal}); every process that was started has ended.")
        return signal.code
    except Exception as error:  # noqa: BLE001 - the outermost edge
        _explain(error, directory, screen)
        return 1
    finally:
        children.end()
    screen.title(f"All {passed} checks are so, in {screen.elapsed:.1f} s.")
    screen.plain("To send events by hand: make up")
    return 0


def _tell(directory: Path, children: Children, screen: Screen, options: argparse.Namespace) -> int:
    """Tell the story; returns the number of checks that passed."""
    story, settings = STORIES[options.pattern]
    environment = plain_environment() | HEALING | dict(settings(directory))
    beside = options.mlflow and MLflow(Path(options.mlflow[1]), int(options.mlflow[0]))
    with Deployment(directory, children, screen, environment, mlflow=beside) as deployment:
        if options.refuse_pat:
            deployment.cloud.devops.refuse(deployment.cloud.pat)
            screen.say("From now on Azure DevOps refuses the access token: this must fail")
        told = story(deployment, screen)
        told.tell()
    return len(told.checks.passed)


def _explain(error: Exception, directory: Path, screen: Screen) -> None:
    """Say what went wrong; the traceback of what nobody foresaw goes to a file."""
    foreseen = isinstance(error, NotSo | Broken | RelayError)
    screen.failed(f"\n{error}" if foreseen else f"\n{type(error).__name__}: {error}")
    if not foreseen:
        trace = directory / "traceback.log"
        trace.write_text("".join(traceback.format_exception(error)), "utf-8")
        screen.plain(f"  Look at: {trace}")
    log = directory / "host.log"
    if log.exists():
        screen.plain(f"  From the end of {log}:")
        lines = log.read_text("utf-8", "replace").splitlines()
        for line in list(filter(_TELLING.search, lines))[-LOG_LINES_TOLD:]:
            screen.plain(f"    {line}")


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--keep", action="store_true", help="keep logs and ledger afterwards")
    parser.add_argument(
        "--pattern", default="", choices=list(STORIES)[1:], help="show this one (docs/patterns.md)"
    )
    parser.add_argument(
        "--refuse-pat", action="store_true", help="break it: Azure DevOps refuses the token"
    )
    parser.add_argument(
        "--mlflow",
        nargs=2,
        metavar=("PORT", "DIRECTORY"),
        help="use the MLflow server that runs there, over this directory",
    )
    return parser


if __name__ == "__main__":
    console.leave(main())
