"""Start the next Azure DevOps pipeline for a model, as trigger_pipeline.yml calls it.

Exit codes: 0 started; 1 Azure DevOps rejected the request, or must not be sent it; 2 an input
cannot be meant; 3 the model names no run, or another one than the input; 4 a person is needed:
secret, credential or permission; 5 patience was used up and nothing had been sent; 6 in doubt: it
may have been started, the output says what to look for.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from . import arguments, driving, standing, telling

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(given: Sequence[str] | None = None) -> int:
    """Do it; returns the exit code."""
    wanted = arguments.read(given)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)
    where = driving.Where.of(os.environ)
    try:
        model = standing.mounted(wanted.model, wanted.model_name, wanted.run_id)
    except standing.NoModelError as error:
        sys.stdout.write(f"not started: {error}\n")
        return telling.NO_MODEL
    with tempfile.TemporaryDirectory(prefix="run-relay-") as directory:
        environ = driving.environment(wanted, os.environ, Path(directory))
        c = driving.start(wanted, model, where, environ)
    telling.say(c)
    if wanted.output:
        telling.write(c, wanted.output)
    telling.leave_link(c, os.environ, where.run)
    return telling.exit_code(c)


if __name__ == "__main__":
    sys.exit(main())
