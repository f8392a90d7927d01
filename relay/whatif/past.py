"""The news of the last days: what the ledger knows of it, and what only AML knows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from functions.core.kept import after
from functions.core.memory import missed
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Retryable
from functions.core.terms.runs import SWEPT
from functions.core.terms.words import Outcome
from relay.deployment import opening
from relay.forecasts.forecast import READ_SECONDS, News
from relay.whatif import sequels
from relay.why import asking

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Routes
    from functions.core.terms.runs import Ended, Run, RunEvent, Workspace
    from relay.forecasts.forecast import Unread
    from relay.whatif.sequels import Led

MOST_CONTINUATIONS = 10_000

_Id = tuple[str, str, "Outcome"]  # workspace, run, outcome


class Happened(NamedTuple):
    """News, and the continuations it led to by the names of their routes.

    `run` is None where it was not read with the others, or where the news is about no run; `told`:
    an event told it.
    """

    event: RunEvent
    run: Run | None
    known: Mapping[str, Continuation]
    told: bool

    def read(self, ports: Ports) -> News:
        """The news as the app met it, with what the run has now; raises Retryable.

        A run that was not responding, or that was told to have ended otherwise, stands as it was
        told: the other end is other news. One that was deleted since is none the worse.
        """
        event, run = self.event, self.run
        if not event.outcome.ends_run:
            return News(event, None, told=True)
        if run is None:
            run = ports.runs.read(event.workspace, event.run, Deadline(ports.clock, READ_SECONDS))
        return News(event, replace(run, outcome=event.outcome, deleted=False), told=self.told)


class Past:
    """Gathers the news since some time; what cannot be read costs the rest nothing.

    Afterwards `lacking` says in words what is not among it, and `failed` is the exit code for
    what could not be read, or 0.
    """

    def __init__(self, ports: Ports, since: datetime) -> None:
        self._ports, self.since = ports, since
        self.lacking: list[str] = []
        self.failed = 0

    def gather(self, workspaces: Sequence[Workspace], limit: int, routes: Routes) -> list[Happened]:
        """The newest `limit` of these workspaces, of runs below others too if routes want them.

        Raises LedgerUnavailable.
        """
        children = any(route.children for route in routes.routes)
        kept = list(self._kept({workspace.key for workspace in workspaces}))
        found = dict(_known(c for c in kept if not (after.before(c) or _is_joint(c))))
        for workspace in workspaces:
            try:
                ended, lacking = asking.ended(self._ports, workspace, self.since, children=children)
            except Retryable as error:
                self.miss(f"{workspace.name}: {error.detail}", error)
            else:
                self.lacking += lacking
                found |= _with(found, workspace, ended)
        behind = list(_behind(found, sequels.of(kept, routes)))
        joint = [_joint(c) for c in kept if _is_joint(c) and not after.before(c)]
        newest = sorted([*found.values(), *behind, *joint], key=_time, reverse=True)
        if len(newest) > limit:
            self.lacking.append(f"only the newest {limit} of {len(newest)} were looked at: --limit")
        return newest[:limit]

    def miss(self, what: str, error: Retryable | Unread) -> None:
        """Remember what could not be read."""
        self.failed = max(self.failed, opening.unread(error))
        self.lacking.append(what)

    def _kept(self, workspaces: set[str]) -> Iterator[Continuation]:
        ledger = self._ports.ledger
        found = ledger.recent(self.since, MOST_CONTINUATIONS)
        if len(found) >= MOST_CONTINUATIONS:
            full = f"only the newest {MOST_CONTINUATIONS} continuations were looked at: --since"
            self.lacking.append(full)
        self.lacking.extend(ledger.unreadable)
        return (c for c in found if c.key.workspace in workspaces)


def _is_joint(c: Continuation) -> bool:
    """Whether it is about several runs, each of which is news of its own beside it."""
    return c.key.outcome is Outcome.JOINED


def _joint(c: Continuation) -> Happened:
    """It is news for its own route alone."""
    return Happened(c.event, None, {c.key.route: c}, told=True)


def _known(continuations: Iterable[Continuation]) -> Iterator[tuple[_Id, Happened]]:
    """What led to continuations. Each is news of the outcome in its key, whatever it began as."""
    together: dict[_Id, dict[str, Continuation]] = {}
    for c in continuations:
        together.setdefault((c.key.workspace, c.key.run, c.key.outcome), {})[c.key.route] = c
    for name, known in together.items():
        newest = max(known.values(), key=lambda c: c.created_at)
        event = replace(newest.event, outcome=newest.key.outcome)
        yield name, Happened(event, None, known, told=event.type != SWEPT)


def _with(
    found: Mapping[_Id, Happened], workspace: Workspace, ended: Ended
) -> Iterator[tuple[_Id, Happened]]:
    """The same with the runs that AML tells of, and those that only AML tells of."""
    told = {name[1]: one for name, one in found.items() if name[0] == workspace.key}
    runs = {run.id: run for run in ended.runs}
    for name, one in found.items():
        if name[0] == workspace.key and one.event.outcome.ends_run:
            yield name, one._replace(run=runs.get(name[1]))
    for run in ended.runs:
        if run.outcome is None or (workspace.key, run.id, run.outcome) in found:
            continue
        event = missed.news(workspace, run, ended.experiment(run))
        if before := told.get(run.id):  # its event was about another end
            event = replace(before.event, outcome=run.outcome, time=run.end_time)
        yield (
            (workspace.key, run.id, run.outcome),
            Happened(event, run, {}, told=before.told if before else False),
        )


def _behind(found: Mapping[_Id, Happened], led: Iterable[Led]) -> Iterator[Happened]:
    """What went on by ends, with the run as it was read for the news that it began with."""
    for event, known in led:
        first = found.get((event.workspace.key, event.run, event.outcome))
        yield Happened(event, first.run if first else None, known, told=event.type != SWEPT)


def _time(one: Happened) -> datetime:
    return one.event.time or (one.run and one.run.start_time) or datetime.min.replace(tzinfo=UTC)
