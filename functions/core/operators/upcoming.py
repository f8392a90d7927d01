"""What happens next by itself to a continuation, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.limits.places_taken import LINE, PAUSED
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.kept.continuation import Continuation


def upcoming(c: Continuation, now: datetime, secret: str) -> str:
    """What happens to it, and when. `secret` names the default one; empty: none is used."""
    if c.recheck_at:
        return f"at {_time(c.recheck_at)} it is looked for a second pipeline run"
    if not c.is_open:
        return "nothing more happens by itself"
    then = _then(c, now)
    if c.is_asked:
        return f"{then} its pipeline run is looked for before anything is sent again"
    refused = c.reason is Reason.CREDENTIAL_REFUSED and c.waits_on
    early = ", or as soon as the secret is renewed" if secret and refused else ""
    if c.reason is Reason.WORKING:
        return f"{then} the reconciler takes it over, unless it is done by then"
    return f"{then} it is tried again{early}"


def _then(c: Continuation, now: datetime) -> str:
    if c.waits_on == PAUSED:
        return "when the app goes on, those claimed first before the others,"
    if c.waits_on.startswith(LINE):
        return "when those of its route who were claimed before it have had their turn"
    return "with the reconciler's next round" if c.due_at <= now else f"at {_time(c.due_at)}"


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
