"""Run the local Azure DevOps alone: organization contoso, project mlops, pipelines 42 and 43."""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading

from local.devops import DevOps
from local.devops.control import PATH


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.devops",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=7081, help="loopback port (default 7081)")
    parser.add_argument("--pat", default="local-pat", help="accepted PAT (default local-pat)")
    parser.add_argument("--token", action="append", default=[], help="accepted Entra token")
    return parser.parse_args()


def main() -> None:
    """Serve until interrupted."""
    asked = _arguments()
    with DevOps(asked.port, pats=[asked.pat], tokens=asked.token) as devops:
        model = {"model_name": None, "model_version": None, "run_id": None}
        devops.add_pipeline("contoso", "mlops", 42, "register-model", parameters=model)
        failure = {"run_id": None, "status": None}
        devops.add_pipeline("contoso", "mlops", 43, "report-failure", parameters=failure)
        sys.stdout.write(f"{devops.url}/contoso/mlops/_apis/pipelines?api-version=7.1\n")
        sys.stdout.write(f"{devops.url}{PATH} tells and changes how it behaves\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
