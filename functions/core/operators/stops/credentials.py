"""Credentials: refused, expired, about to, not to be read; and whom Azure DevOps slows down."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from functions.core.limits import admission
from functions.core.limits.admission import Admission
from functions.core.operators.explaining import AS_IDENTITY
from functions.core.operators.meanings import REASONS
from functions.core.operators.stops.stop import Kind, Stop, many, moment, since, waited
from functions.core.rounds.expiry import HORIZON
from functions.core.rounds.notices.noticing import SOON
from functions.core.terms.pipelines import GITHUB, service, service_told
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.core.kept.summary import Listed, Summary
    from functions.core.limits.admission import Block
    from functions.core.operators.meanings import Words
    from functions.core.operators.stops.stop import Known
    from functions.core.ports.ledger import Ledger
    from functions.core.routes.definition import Routes
    from functions.core.terms.policy import Policy

    Ends = Mapping[str, datetime | None]

MOST_ACCOUNTS = 4  # whose rows are read: those first for which most wait
_BY_ITSELF = "nothing: another token is asked for"


def end(ledger: Ledger) -> Ends:
    """When each secret ends, as the app read it last. One request. Raises LedgerUnavailable."""
    ends = ledger.shared(HORIZON).value.get("ends", {})
    return {bounded(name, 127): parse_time(at) for name, at in sorted(ends.items())}


def left_alone(
    ledger: Ledger, known: Known, opened: Listed, routes: Routes | None, now: datetime
) -> Iterator[Stop]:
    """The accounts by which nothing is sent, of those that are waited for or that routes name."""
    awaited = Counter(one.waits_on for one in opened if Admission.is_account(one.waits_on))
    names = [name for name, _ in awaited.most_common()]
    used = admission.accounts_of(routes, known.policy) if routes else ()
    names += [name for name in used if name not in awaited]
    for name in names[:MOST_ACCOUNTS]:
        block = admission.block_of(ledger.shared(name).value)
        lasts = block is not None and block.lasts(now, known.policy.credential_pause)
        if block is None or not (lasts or awaited[name]):
            continue
        waiting = _awaiting(opened, name)
        if block.reason is not Reason.THROTTLED:
            yield _refused(name, block, waiting, known.policy)
        elif lasts:
            yield _throttled(name, block, waiting)


def _awaiting(opened: Listed, name: str) -> Listed:
    return opened.only(lambda one: one.waits_on == name)


def _refused(name: str, block: Block, waiting: Listed, policy: Policy) -> Stop:
    organization, secret = Admission.named(name)
    used = policy.used_secret(organization)
    words = (REASONS if used else AS_IDENTITY)[Reason.CREDENTIAL_REFUSED]
    do = words.about(secret=secret, organization=organization).do
    whom = f"the secret {secret}" if used else "the app's identity"
    says = f"{service(organization)} refuses {whom} for {organization}{since(block.since)}."
    return waited(Kind.REFUSED, says, do, waiting, block.since)


def _throttled(name: str, block: Block, waiting: Listed) -> Stop:
    organization, _ = Admission.named(name)
    until = f"nothing is sent to {organization} until {moment(block.until)}"
    says = f"{service(organization)} asked to slow down: {until}."
    do = "nothing: it goes on by itself"
    return waited(Kind.THROTTLED, says, do, waiting)


def unusable(known: Known, opened: Listed, ends: Ends, now: datetime) -> Iterator[Stop]:
    """The secrets that are over or soon will be, and what waits for one that cannot be read."""
    expired = opened.only(lambda one: one.reason is Reason.SECRET_EXPIRED)
    over = {name: at for name, at in ends.items() if at and at <= now}
    for name, at in over.items():
        says = f"The secret {name} expired at {moment(at)}."
        waiting = expired.only(partial(_is_for, name))
        yield waited(Kind.EXPIRED, says, REASONS[Reason.SECRET_EXPIRED].about().do, waiting, at)
    if others := expired.only(lambda one: not any(_is_for(name, one) for name in over)):
        do = _words(known.policy, others)[Reason.SECRET_EXPIRED].about().do or _BY_ITSELF
        yield waited(Kind.EXPIRED, f"{_first(others)}.", do, others)
    if unread := opened.only(lambda one: one.reason is Reason.SECRET_UNREADABLE):
        do = _words(known.policy, unread)[Reason.SECRET_UNREADABLE].about().do
        yield waited(Kind.UNREADABLE, f"{_first(unread)}.", do, unread)
    for name, last in ends.items():
        if last and now < last <= now + SOON:
            left = many((last - now).days, "day")
            says = f"The secret {name} expires at {moment(last)}: {left} left."
            do = REASONS[Reason.CREDENTIAL_REFUSED].about(secret=name).do
            yield Stop(Kind.EXPIRING, says, do)


def _is_for(name: str, one: Summary) -> bool:
    """Whether what it says is that this secret has expired."""
    return f"the secret {name} expired at " in one.detail


def _first(waiting: Sequence[Summary]) -> str:
    """What the one that has waited longest says of it."""
    told = min(waiting, key=lambda one: one.created_at).detail or "no secret could be read"
    return f"{told[:1].upper()}{told[1:]}".rstrip(".")


def _words(policy: Policy, waiting: Sequence[Summary]) -> Mapping[Reason, Words]:
    """Those for what waits: GitHub is asked with a secret, whatever Azure DevOps is asked with."""
    of_github = any(service_told("", one.detail) == service(GITHUB) for one in waiting)
    used = of_github or policy.used_secret()
    return REASONS if used else {**REASONS, **AS_IDENTITY}
