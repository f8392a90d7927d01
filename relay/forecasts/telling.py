"""A continuation, or what would become of a run on a route, in words and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.facts import building
from functions.core.kept import after
from functions.core.kept.summary import Summary
from functions.core.operators import history, summaries
from functions.core.operators.explaining import explained
from functions.core.operators.lists import holders
from functions.core.operators.meanings import REASONS
from functions.core.routes import near_misses
from functions.core.routes.deciding import End, Go, PutOff
from functions.core.routes.filters import Misfit
from functions.core.terms.pipelines import service
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from functions.core.texts.phrases import counted, lasting
from relay.forecasts.forecast import Later
from relay.forecasts.requests import request
from relay.printing import at, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from functions.configuration.settings import Settings
    from functions.core.kept.continuation import Continuation
    from functions.core.terms.runs import Key
    from relay.forecasts.forecast import News, Prospect

    Texts = Sequence[str]


def studio_url(settings: Settings, workspace: str, run: str) -> str:
    """The run's page in AML Studio."""
    return building.studio_url(settings.policy.studio, workspace, run)


def page_url(settings: Settings, c: Continuation) -> str:
    """The page of the run that it is about; "" where it is about none."""
    return building.page_url(settings.policy.studio, c.event.workspace.id, c.key)


def continuation(
    c: Continuation, now: datetime, settings: Settings, before: Texts = (), people: Texts = ()
) -> dict[str, Any]:
    """A continuation as JSON has it: what it is, why, what happens next, and its history.

    `before`: who goes on in the group that it waits for. `people`: who was told of it.
    """
    told = explained(c, now, settings.policy)
    return {
        **summaries.row(Summary.of(c)),
        "run_url": page_url(settings, c) or None,
        **told._asdict(),
        "gate": c.gate_asked.when,
        "saw": c.gate_asked.saw,
        "gate_ignored_by": c.gate_ignored_by or None,
        "duplicates": c.duplicates,
        "after": _whole(after.before(c)),
        "then": _whole(after.behind(c)),
        "group": holders.group(c),
        "waits_for": [*before],
        "told": [*people],
        "sends": c.sends,
        "request": request(c.request, settings) if c.request else None,
        "history": [
            {"at": step.at.isoformat(), "what": step.what, "detail": step.detail}
            for step in c.history
        ],
    }


def lines(
    c: Continuation, now: datetime, settings: Settings, before: Texts = (), people: Texts = ()
) -> Iterator[str]:
    """A continuation for people: each line is one thing."""
    told = explained(c, now, settings.policy)
    yield Summary.of(c).stands
    yield f"  means    {told.means}"
    ignored = "ignored; " if c.ignore_gate else ""
    if c.gate_asked.saw:
        yield f"  gate     {ignored}{plain(c.gate_asked.when or 'not kept with it', 500)}"
        yield f"  saw      {plain(c.gate_asked.saw, 500)}"
    if c.detail and not (c.reason is Reason.GATE and c.gate_asked.saw):
        yield f"  detail   {plain(c.detail, 500)}"
    if first := after.before(c):
        end = after.end(c.event)
        yield f"  after    {plain(first.text, 500)}: pipeline run {end.get('run')} {end.get('end')}"
    yield from (f"  waits    for {plain(name, 500)}" for name in before)
    if c.pipeline_run:
        yield f"  started  pipeline run {c.pipeline_run}  {plain(c.url, 1000)}"
    if c.ended:
        detail = f": {plain(c.ended.detail, 500)}" if c.ended.detail else ""
        yield f"  ended    {plain(c.ended.how)} at {at(c.ended.at)}{detail}"
    if behind := after.behind(c):
        yield f"  then     {plain(behind.text, 500)}"
    yield from (f"  told     {plain(line, 500)}" for line in people)
    if c.duplicates:
        yield f"  BEWARE   also started: pipeline runs {', '.join(map(str, c.duplicates))}"
    yield f"  next     {told.next}"
    if told.do:
        yield f"  do       {plain(told.do, 1000)}"
    yield "  again    another event about this end starts nothing: the ledger has it already"
    sent = f", {counted(c.sends, 'request')} sent" if c.sends else ""
    yield f"  history  {counted(c.attempts + 1, 'try', 'tries')}{sent}"
    for step in history.told(c):
        yield f"    {at(step.at)}  {step.what:<16} {plain(step.detail)}".rstrip()


def _whole(key: Key | None) -> str | None:
    return summaries.whole_key(key) if key else None


def means(one: Prospect, news: News, settings: Settings) -> str:
    """What becomes of the run on the route, in words."""
    found = one.found
    match found:
        case Misfit():
            return _unlike(found, news)
        case Go():
            saw = f"; its gate saw {plain(found.saw)}" if found.saw else ""
            return f"would start pipeline {found.request.where}{saw}"
        case End(reason=Reason.NOT_SERVED):
            return "starts no pipeline: it only answers tasks that wait for the run"
        case End() | PutOff() if one.route.start is None:
            what = "starts no pipeline, and lets no task go on"
        case End():
            what = f"would end as {found.state}"
        case PutOff():
            what = f"would wait, for {lasting(found.patience)} at most, then be held"
        case Later():
            until = f" until {at(found.until)}" if found.until else ""
            what = f"would start, but not now; it waits{until}"
        case _:
            what = "cannot be told just now"
    return _reasoned(what, one, settings)


def prospect(one: Prospect, news: News, settings: Settings) -> dict[str, Any]:
    """What would become of a run on a route, as JSON has it."""
    found = one.found
    return {
        "outcome": one.event.outcome,
        "found": type(found).__name__.lower(),
        "state": state(one),
        "filter": found._asdict() if isinstance(found, Misfit) else None,
        "reason": reason(one),
        "means": means(one, news, settings),
        "saw": found.saw if isinstance(found, Go) else "",
        "request": request(one.request, settings) if one.request else None,
    }


def reason(one: Prospect) -> Reason | None:
    """The reason that a continuation of it would have; None: it would start, or not be."""
    found = one.found
    if isinstance(found, Misfit):
        return Reason.NOT_MATCHED if near_misses.missed_by(one.event, one.route) else None
    return None if isinstance(found, Go) else found.reason


def state(one: Prospect) -> State | None:
    """The state that a continuation of it would have; None: there would be none."""
    found = one.found
    if isinstance(found, Misfit):
        return State.SKIPPED if near_misses.missed_by(one.event, one.route) else None
    if one.route.start is None:
        return None
    if isinstance(found, End):
        return found.state
    return State.STARTED if isinstance(found, Go) else State.OPEN


def may_start(one: Prospect) -> bool:
    """Whether something may still start, as far as the route itself is concerned."""
    return one.route.start is not None and not isinstance(one.found, Misfit | End)


def only_event_tells(unlike: Misfit, news: News) -> bool:
    """Whether the filter asks for what an event would have told, and none did."""
    return not news.told and unlike.by is not None and unlike.by.only_event


def _reasoned(what: str, one: Prospect, settings: Settings) -> str:
    found, route = one.found, one.route
    assert not isinstance(found, Misfit | Go)  # noqa: S101 - these have no reason
    start = route.start
    where = start.organization if start else ""
    words = REASONS[found.reason].about(
        route=route.name,
        secret=settings.policy.sender(where, start.secret if start else None).secret,
        organization=where,
        service=service(where),
    )
    detail = f" ({plain(found.detail, 500)})" if found.detail else ""
    return f"{what}, since {words.means}{detail}"


def _unlike(unlike: Misfit, news: News) -> str:
    wanted = f"its filter {plain(unlike.filter)} wants {plain(unlike.wanted)}"
    if only_event_tells(unlike, news):
        return f"cannot be told: {wanted}, which only the run's event tells, and none came"
    if unlike.filter == "outcome":
        ended = "the run ended as" if news.event.outcome.ends_run else "the news is"
        return f"not concerned: {wanted}, and {ended} {unlike.found}"
    has = "none" if unlike.found is None else plain(unlike.found) or "an empty one"
    return f"not concerned: {wanted}, and the run has {has}"
