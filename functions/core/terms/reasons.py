"""Every reason a continuation can give for its state.

What else a new one needs is told in docs/extending.md.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a continuation is where it is; the value is what the ledger and the log say."""

    # open, some of them held or failed in the end
    WORKING = "working"  # a process holds the lease
    DEADLINE = "deadline"  # the delivery's time was used up before the POST
    LATE = "late"  # the POST could not begin within 5 s of the ask: the mark was taken back
    PAUSED = "paused"
    LIMIT = "limit"
    CONCURRENCY = "concurrency"  # as many of its group go on as may at once
    ROUTES_UNREADABLE = "routes_unreadable"
    RUN_UNREADABLE = "run_unreadable"
    RUN_NOT_FOUND = "run_not_found"
    SECRET_UNREADABLE = "secret_unreadable"
    SECRET_EXPIRED = "secret_expired"
    CREDENTIAL_REFUSED = "credential_refused"
    NOT_SENT = "not_sent"
    THROTTLED = "throttled"
    UNFORESEEN = "unforeseen"  # an exception that nobody foresaw: a bug of this app
    # open while patience lasts, then held or failed
    FACTS_MISSING = "facts_missing"
    NOT_FINAL = "not_final"
    IN_DOUBT = "in_doubt"
    INCOMPLETE = "incomplete"  # a join whose runs have not all ended well
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"  # the pipeline, or where its YAML lies, just now
    LOOK_FAILED = "look_failed"  # a look for a lost answer was refused, or could not be whole
    # held
    GATE = "gate"
    GATE_ERROR = "gate_error"
    NOT_A_NUMBER = "not_a_number"  # a metric that is NaN or infinite, or no number at all
    CUT = "cut"  # a text that MLflow may have cut
    EXPANDS = "expands"  # a value that Azure Pipelines would expand or obey
    AMBIGUOUS = "ambiguous"
    DELETED = "deleted"  # the run was deleted, and may be restored
    NOT_SERVED = "not_served"  # the route starts no pipeline any more
    # skipped
    NOT_ROOT = "not_root"
    NOT_MATCHED = "not_matched"
    OUTCOME_CHANGED = "outcome_changed"
    SHADOW = "shadow"
    JOINED = "joined"  # it is one of the runs of a join
    NOT_JOINED = "not_joined"  # it is none, or comes when that went on
    SUPERSEDED = "superseded"  # what ended later waits for the same place
    # failed
    REJECTED = "rejected"
    ROUTE_REMOVED = "route_removed"
    TOO_LARGE = "too_large"
    # started
    ANSWERED = "answered"  # the service answered with the pipeline run
    FOUND = "found"  # the answer was lost, the pipeline run was found


# The builds are looked through: whoever is open with one of these was asked for.
LOOKED_FOR = frozenset({Reason.IN_DOUBT, Reason.LOOK_FAILED})
BY_GATE = frozenset({Reason.GATE, Reason.GATE_ERROR, Reason.NOT_A_NUMBER, Reason.CUT})

# Reasons for which days of patience are counted, and which are not disproved by one that comes
# before them on a continuation's way: three days of 403 are three days, though AML was down for an
# hour. Minutes of patience are counted while one reason lasts: an outage uses none of them up.
_LASTING = frozenset({Reason.REFUSED, Reason.UNAVAILABLE, Reason.LOOK_FAILED, Reason.UNFORESEEN})

# The same for those that come early on the way, where only few come before them or beside them.
_UNREAD = frozenset({Reason.ROUTES_UNREADABLE, Reason.RUN_UNREADABLE})
_SLOW = _UNREAD | {Reason.DEADLINE, Reason.LATE, Reason.SECRET_UNREADABLE}
_SAY_NOTHING_OF = {
    Reason.RUN_NOT_FOUND: _UNREAD,
    Reason.DEADLINE: _SLOW,
    Reason.LATE: _SLOW,
}


# The service took it, and did not say as what; all of a join have ended.
_STAY = frozenset({Reason.ANSWERED, Reason.JOINED})


def outlasts(reason: Reason, other: Reason) -> bool:
    """Whether what is counted for a reason goes on while another one is given."""
    if reason in _STAY:
        return True
    if other is Reason.IN_DOUBT:  # a look-up may show that nothing was queued
        return reason is Reason.REFUSED
    if reason in _SAY_NOTHING_OF:
        return other in _SAY_NOTHING_OF[reason]
    return reason in _LASTING and other is not Reason.CREDENTIAL_REFUSED
