"""What commands exit with: the same everywhere, and told at the end of `--help`."""

from __future__ import annotations

THE_ANSWER_IS_NO = 1
USAGE = 2
NOT_FOUND = 3
REFUSED = 4
TIMED_OUT = 5
NOT_YET = 6  # of `why`: nothing was started, and something still may be
FAILED, CANCELED, UNREADABLE = 10, 11, 12  # what `wait` says of a run
INTERRUPTED = 130

TOLD = (
    f"Exit codes: 0 ok, {THE_ANSWER_IS_NO} the answer is no, {USAGE} usage, {NOT_FOUND} not found, "
    f"{REFUSED} a remote service refused or could not be reached, {TIMED_OUT} timed out, "
    f"{NOT_YET} not yet (why), {INTERRUPTED} interrupted; of wait also {FAILED} Failed, "
    f"{CANCELED} Canceled, {UNREADABLE} unreadable."
)
