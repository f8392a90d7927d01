"""Run the local GitHub alone: repository contoso/mlops, workflows register.yml and failure.yml."""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading

from local.github import GitHub
from local.github.control import PATH
from local.github.example import add_example


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.github",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=7082, help="loopback port (default 7082)")
    parser.add_argument("--token", default="ghp_local", help="accepted token (default ghp_local)")
    parser.add_argument("--enterprise", action="store_true", help="be an older Enterprise Server")
    return parser.parse_args()


def main() -> None:
    """Serve until interrupted."""
    asked = _arguments()
    with GitHub(asked.port, tokens=[asked.token], enterprise=asked.enterprise) as github:
        add_example(github, "contoso", "mlops")
        sys.stdout.write(f"{github.url}/repos/contoso/mlops/actions/workflows\n")
        sys.stdout.write(f"{github.server.url}{PATH} tells and changes how it behaves\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
