"""A continuation as lists show it: what the schedule, or its copy among the ended ones, says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from functions.core.terms.pipelines import Sender
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key  # noqa: TC001 - msgspec reads it to decode
from functions.core.terms.words import Ending, State, stands_as

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from functions.core.kept.continuation import Continuation

EVER = datetime(2000, 1, 1, tzinfo=UTC)  # since when there can be any


class Summary(Struct, frozen=True, kw_only=True):
    """What a list shows of a continuation; times are UTC, `run_ended_at` as the event tells it.

    `waits_on`: what releases one that is parked before it is due. `in_doubt`: nobody knows whether
    its pipeline was started. `ignore_gate`: whatever the route's gate says it is started.
    """

    key: Key
    created_at: datetime
    due_at: datetime
    updated_at: datetime | None = None
    state: State = State.OPEN
    reason: Reason = Reason.WORKING
    detail: str = ""
    experiment: str = ""
    attempts: int = 0
    run_ended_at: datetime | None = None
    started_at: datetime | None = None
    pipeline_run: int | None = None
    url: str = ""
    waits_on: str = ""
    ended: Ending | None = None
    ended_at: datetime | None = None
    ended_detail: str = ""
    in_doubt: bool = False
    ignore_gate: bool = False

    @classmethod
    def of(cls, c: Continuation) -> Summary:
        """What a list shows of this one."""
        return cls(
            key=c.key,
            created_at=c.created_at,
            due_at=c.due_at,
            updated_at=c.updated_at,
            state=c.state,
            reason=c.reason,
            detail=c.detail,
            attempts=c.attempts,
            pipeline_run=c.pipeline_run,
            url=c.url,
            waits_on=c.waits_on,
            in_doubt=c.in_doubt,
            ignore_gate=c.ignore_gate,
            experiment=c.event.experiment,
            run_ended_at=c.event.time,
            ended=c.ended.how if c.ended else None,
            ended_at=c.ended.at if c.ended else None,
            ended_detail=c.ended.detail if c.ended else "",
            started_at=max((s.at for s in c.history if s.what == State.STARTED), default=None),
        )

    @property
    def is_open(self) -> bool:
        """Whether work is left to do before it ends."""
        return self.state is State.OPEN and self.key.outcome.is_known

    @property
    def stands(self) -> str:
        """Where it stands, as people read it."""
        return stands_as(self.state, in_doubt=self.in_doubt)

    @property
    def is_in_line(self) -> bool:
        """Whether it waits until it is called, and not until it is due."""
        return self.is_open and self.reason in _IN_LINE

    @property
    def at(self) -> datetime:
        """When it came to where it stands."""
        return self.started_at or self.updated_at or self.created_at

    @property
    def workspace(self) -> str:
        """The workspace's name, in lower case."""
        return self.key.workspace.rpartition("/")[2]

    @property
    def latency(self) -> float | None:
        """Seconds from the run's end to the start; None where either is not known."""
        if self.run_ended_at is None or self.started_at is None:
            return None
        return max(0.0, (self.started_at - self.run_ended_at).total_seconds())


class Listed(list[Summary]):
    """What is open and the newest of what is not; `whole`: no more is open than is in it.

    Where the schedule has as many rows as a list has room for nobody knows, and it is not.
    """

    def __init__(self, those: Iterable[Summary], *, whole: bool) -> None:
        super().__init__(those)
        self.whole = whole

    def only(self, fits: Callable[[Summary], bool]) -> Listed:
        """Those of them that fit; what was not listed may fit as well."""
        return Listed(filter(fits, self), whole=self.whole)


class Followed(Struct, frozen=True, kw_only=True):
    """A start whose pipeline `runs` go on, as the list of those shows it; its own run is first.

    `since`: when it was started; `due_at`: when it is looked at next. `absent_since` and
    `refused_since`: since when looks did not find a run, or were refused. `group`: where it has a
    place that its end frees.
    """

    key: Key
    organization: str
    project: str
    pipeline: int | str
    secret: str
    runs: tuple[int, ...]
    since: datetime
    due_at: datetime
    group: str = ""
    absent_since: datetime | None = None
    refused_since: datetime | None = None

    @property
    def sender(self) -> Sender:
        """Whose credential it is looked at with."""
        return Sender(self.organization, self.secret)


NOT_COPIED = ("key", "waits_on")  # as they are here: rows have them in another form
NAMES = tuple(name for name in Summary.__struct_fields__ if name not in NOT_COPIED)
_IN_LINE = frozenset({Reason.LIMIT, Reason.CONCURRENCY, Reason.PAUSED})
