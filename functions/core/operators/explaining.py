"""A continuation in words: what became of it, what happens next by itself, what a person can do."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from functions.core.kept import after
from functions.core.limits.admission import Admission
from functions.core.operators.decisions import REPLAYABLE
from functions.core.operators.meanings import (
    ALONE,
    AT_ONCE,
    OF_ANOTHER_VERSION,
    REPLAY,
    SETTLE,
    STATES,
    Words,
    meant,
)
from functions.core.routes.joins.members import NO_JOIN, is_lacking
from functions.core.terms.pipelines import GITHUB, service, service_told
from functions.core.terms.policy import FOLLOWED_FOR
from functions.core.terms.reasons import Reason
from functions.core.terms.words import GROUP, JOIN, LINE, PAUSED, Outcome, State
from functions.core.texts.bounds import visible

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.terms.policy import Policy


# The same where the app asks as its own identity, and no secret is used.
AS_IDENTITY = {
    Reason.SECRET_UNREADABLE: Words(
        "the app's identity got no token for Azure DevOps",
        f"if it lasts, is it still the app's? {AT_ONCE}",
    ),
    Reason.SECRET_EXPIRED: Words("the token of the app's identity has expired"),
    Reason.CREDENTIAL_REFUSED: Words(
        "Azure DevOps refused the app's identity; nothing more is sent to {organization} with it "
        "meanwhile",
        "is the identity a user of the organization, and is that connected to its tenant? "
        + AT_ONCE,
    ),
}

FOLLOWED = (
    "its pipeline run is followed until that ends, unless its route says, or said, `follow: false`"
)


class Explained(NamedTuple):
    """A continuation in words: what became of it, what happens next, what can be done."""

    means: str
    next: str
    do: str


def explained(c: Continuation, now: datetime, policy: Policy) -> Explained:
    """The continuation in words; the policy tells which secret is used where none is named."""
    if c.is_anothers:
        do = "deploy the version that wrote it, if none is there any more"
        return Explained(OF_ANOTHER_VERSION, "nothing by this version", do)
    organization, named = _account(c)
    where = service_told(organization, c.detail, c.url)
    secret = policy.used_secret(GITHUB if where == service(GITHUB) else organization)
    words = meant(c.state, c.reason)
    words = words if secret else AS_IDENTITY.get(c.reason, words)
    words = words._replace(do=ALONE) if _is_left_over(c) else words
    told = words._replace(do=_do(c, words)).about(
        key=shlex.quote(visible(c.key.text)),
        route=c.key.route,
        secret=named or secret,
        organization=organization,
        service=where,
        address="GITHUB_URL" if where == service(GITHUB) else "DEVOPS_URL",
    )
    means = _doubt(c, told.means) if _is_unknown(c) else f"{STATES[c.state]}: {told.means}"
    if c.ignore_gate and c.state in {State.OPEN, State.STARTED}:
        ignored = "was ignored" if c.state is State.STARTED else "is ignored"
        means += f"; the route's gate {ignored}, as {c.gate_ignored_by} asked"
    return Explained(means, _next(c, now, secret), told.do)


def _is_left_over(c: Continuation) -> bool:
    """Whether it is a join of a route that joins nothing any more."""
    is_held = c.state is State.HELD and c.reason is Reason.INCOMPLETE
    return is_held and c.detail.startswith(NO_JOIN)


def _is_unknown(c: Continuation) -> bool:
    """Whether nobody knows if its pipeline was started: a request was sent, and not answered."""
    return c.is_asked or c.in_doubt


def _doubt(c: Continuation, means: str) -> str:
    """What is said of it first, whatever else keeps it from being looked up."""
    what = f"pipeline {c.request.where}" if c.request else "its pipeline"
    ended = "" if c.is_open else f"{c.state}, and "
    unknown = f"{ended}it is not known whether {what} was started"
    sent = c.sent_at or c.asked_at
    asked = f"the request was sent{f' at {_time(sent)}' if sent else ''}"
    if c.is_open and c.reason is Reason.WORKING:
        return f"{unknown}: {asked}, and a process waits for the answer or died at it"
    if Reason.ANSWERED in c.since and c.reason is Reason.IN_DOUBT:
        return f"{unknown}: {asked}, and {service(c.organization)} took it and named no run of it"
    lost = f"{unknown}: {asked} and no usable answer came"
    if c.reason is Reason.IN_DOUBT:
        return lost
    return f"{lost}; {means.partition('no usable answer came, and ')[2] or means}"


def _do(c: Continuation, words: Words) -> str:
    """What a person can do: whatever has ended without a pipeline run can be opened again."""
    if c.state not in REPLAYABLE:
        return words.do_now if c.state is State.OPEN else ""
    if c.is_doubtful and "--as-started" not in words.do:
        return SETTLE
    if "relay replay" in (do := words.do):
        return do
    again = f"to try it again: {REPLAY}"
    return f"{do}{'' if do.endswith('?') else ';'} {again}" if do else again


def _account(c: Continuation) -> tuple[str, str]:
    """Organization and secret that it was sent with, or waits for; empty where it is neither."""
    if c.request:
        return c.request.organization, c.request.secret
    return Admission.named(c.waits_on)


def _next(c: Continuation, now: datetime, secret: str) -> str:
    if others := _by_others(c):
        return others
    if c.recheck_at:
        return f"at {_time(c.recheck_at)} it is looked for a second pipeline run"
    if not c.is_open:
        follows = c.state is State.STARTED and not c.ended and now - c.updated_at < FOLLOWED_FOR
        goes_on = f"{c.then} goes on by that end" if c.then else "nothing more happens by itself"
        return FOLLOWED if follows else goes_on
    then = _then(c, now)
    refused = c.reason is Reason.CREDENTIAL_REFUSED and c.waits_on
    early = ", or as soon as the secret is renewed" if secret and refused else ""
    if c.is_asked:
        looks = f"Run Relay looks it up in {service(c.organization)} {then.rstrip(',')}{early}"
        return f"{looks}; nothing is sent again before that"
    if c.reason is Reason.WORKING:
        return f"{then} the reconciler takes it over, unless it is done by then"
    return f"{then} it is tried again{early}"


def _by_others(c: Continuation) -> str:
    """How a join goes on by a run that is still to come; "" where none is, and of all else."""
    is_joint = c.key.outcome is Outcome.JOINED and after.before(c) is None
    if not is_joint or c.asked_at or not is_lacking(c.event) or _is_left_over(c):
        return ""
    if c.state is State.HELD:
        return "it goes on by itself once another run has ended well for each that failed or lacks"
    if not c.waits_on.startswith(JOIN):
        return ""
    return (
        f"once the last run has ended it goes on; it is decided without that at {_time(c.due_at)}"
    )


def _then(c: Continuation, now: datetime) -> str:
    if c.waits_on == PAUSED:
        return "when the app goes on, those claimed first before the others,"
    if c.waits_on.startswith(LINE):
        return "when those of its route who were claimed before it have had their turn"
    if c.waits_on.startswith(GROUP):
        return "when a pipeline run of its group has ended, those claimed first before the others,"
    return "with the reconciler's next round" if c.due_at <= now else f"at {_time(c.due_at)}"


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
