"""Look before asking again: what became of a POST whose answer never came.

asked ──► look ──► found         started
           ├─────► incomplete    look again after the backoff
           └─────► absent ──► look after the grace ──► absent ──► the stored request again,
                                                                  at most twice, then held
"""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from functions.core.limits.groups import LET_GO, Groups
from functions.core.ports.ledger import Entry
from functions.core.ports.services import Level
from functions.core.routes.deciding import End, PutOff
from functions.core.starts import log_lines, steps
from functions.core.starts.settling import Work
from functions.core.starts.whose import Looked, Looking
from functions.core.terms.errors import LedgerUnavailable, Retryable
from functions.core.terms.policy import MOST_SENDS, POST_TAKES, REFUSED_FOR
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.memory.known_since import KnownSince
    from functions.core.ports.services import Ports
    from functions.core.starts.settling import Settling
    from functions.core.starts.starting import Starter
    from functions.core.terms.pipelines import Credential, PipelineRequest
    from functions.core.terms.policy import Policy

LOOKED_AGAIN_FOR = timedelta(days=1)
RIVALS = Retryable(Reason.IN_DOUBT, "another continuation of a run of this id is in doubt, too")


class Doubt:
    """Settles continuations that were asked and never answered."""

    def __init__(
        self,
        ports: Ports,
        policy: Policy,
        settling: Settling,
        starter: Starter,
        known_since: KnownSince,
    ) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._credentials = ports.credentials
        self._policy = policy
        self._settling = settling
        self._starter = starter
        self._looking = Looking(ports, policy, known_since)

    def look(self, work: Work) -> None:
        """Look for the stored request's pipeline run, and do what the answer allows."""
        request = work.entry.continuation.request
        if request is None or not request.distinct:
            return self._starter.in_doubt(work, "the answer to the request never came", None)
        began = self._clock.now()
        looked = self._find(work, request)
        if looked and looked.runs:
            return self._adopt(work, looked)
        return None if looked is None else self._absent(work, request, began)

    def _find(self, work: Work, request: PipelineRequest) -> Looked | None:
        """The builds that match; None once parked, because the look-up was not complete.

        As before a POST, a refused credential is fetched and tried once more.
        """
        if (credential := self._starter.credential(work, request)) is None:
            return None
        looked = self._matching(work, request, credential)
        if looked.is_refused and not looked.runs:
            try:
                credential = self._credentials.read(request.sender, work.deadline, fresh=True)
                looked = self._matching(work, request, credential)
            except Retryable as error:
                looked = Looked([], error)
        if looked.runs or looked.lacking is None:
            return looked
        self._incomplete(work, request, credential, looked.lacking)
        return None

    def _matching(self, work: Work, request: PipelineRequest, credential: Credential) -> Looked:
        c = work.entry.continuation
        return self._looking.matching(c, request, credential, work.deadline)

    def _incomplete(
        self, work: Work, request: PipelineRequest, credential: Credential, error: Retryable
    ) -> None:
        """Park a look that could not be whole; one that is refused for days ends with a person."""
        if error.reason is Reason.CREDENTIAL_REFUSED:
            return self._starter.block(work, request, credential.version, error.detail)
        self._starter.slow_down(request, error.retry_after)
        if error.reason is not Reason.LOOK_FAILED:
            return self._starter.park(work, error)
        put_off = PutOff(error.reason, error.detail, REFUSED_FOR)
        held = End(State.HELD, Reason.IN_DOUBT, error.detail)
        return self._settling.conclude(work, put_off, error.retry_after or None, held)

    def look_again(self, work: Work) -> None:
        """Look once more, an hour after a second POST, for a second pipeline run.

        What is found is told; the look is over once it was whole, and nobody else is in doubt. One
        that does not come to that in a day is given up, with a line in the log.
        """
        c, now = work.entry.continuation, self._clock.now()
        looked = self._looked_by_now(work)
        new = {run.id for run in looked.runs} - c.pipeline_runs
        lacking = looked.lacking or (RIVALS if looked.rivals and new else None)
        if lacking is None:
            changed = steps.looked_again(c, now, *new)
        else:
            told = steps.duplicated(c, now, *new) if new and not looked.rivals else c
            patient = now - (c.sent_at or c.created_at) < LOOKED_AGAIN_FOR
            then = now + self._policy.wait(c.key.text, c.attempts, lacking.reason)
            changed = steps.look_later(told, now, then if patient else None)
        self._ledger.write(work.entry, changed)
        self._settling.tell_started(work, changed)
        if lacking and changed.recheck_at is None:
            self._log.write(Level.WARNING, log_lines.not_looked(c, lacking.detail))

    def _looked_by_now(self, work: Work) -> Looked:
        """What a look shows that may wait; it lacks all where the account is left alone."""
        request = work.entry.continuation.request
        if request is None or self._starter.is_blocked(request):
            why = "its account is left alone just now"
            return Looked([], Retryable(Reason.CREDENTIAL_REFUSED, why))
        try:
            credential = self._credentials.read(request.sender, work.deadline)
            return self._matching(work, request, credential)
        except Retryable as error:
            return Looked([], error)
        except LedgerUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - else it would be looked for in every round
            return Looked([], Retryable(Reason.UNFORESEEN, f"{type(error).__name__}: {error}"))

    def _adopt(self, work: Work, looked: Looked) -> None:
        """Settle with the first pipeline run that no other continuation adopts; more are told.

        Where another is in doubt, too, it takes one, and a second look tells of more.
        """
        c, most = work.entry.continuation, 1 if looked.rivals else None
        free = (r for r in sorted(looked.runs, key=lambda r: r.id) if self._looking.adopts(c, r))
        own = [*islice(free, most)]
        for run in own:
            entry = self._ledger.read(c.key) if run != own[0] else work.entry
            if entry is not None:
                self._settling.started(Work(entry, work.deadline), run, Reason.FOUND)
        if not own:
            detail = "the pipeline run that was found is another continuation's"
            self._settling.conclude(work, PutOff(Reason.IN_DOUBT, detail, REFUSED_FOR))

    def _absent(self, work: Work, request: PipelineRequest, began: datetime) -> None:
        c = work.entry.continuation
        if c.absent_at is None or began < self._sure_at(c, c.absent_at):
            return self._look_later(work, began)
        taken = Reason.ANSWERED in c.since  # asked again, it would run twice
        if taken or c.sends >= MOST_SENDS or self._has_lost_its_place(c):
            return self._settling.end(work, _given_up(c))
        if self._policy.paused:
            return self._settling.pause(work)
        if (credential := self._starter.credential(work, request)) is not None:
            if c.group:  # its row was written when the first one was sent
                Groups(self._ledger, self._clock).hold(c)
            self._starter.send(work, request, credential, f"sent again, {c.sends} times so far")
        return None

    def _has_lost_its_place(self, c: Continuation) -> bool:
        """Whether its place in a group is another's by now, since the doubt lasted for so long."""
        sent_at = c.sent_at or c.asked_at
        return bool(c.group and sent_at and self._clock.now() - sent_at >= LET_GO)

    def _sure_at(self, c: Continuation, absent_at: datetime) -> datetime:
        """When the POST can no longer be queued, also by the clock of those who look."""
        sent_by = (c.sent_at or absent_at) + POST_TAKES
        return max(sent_by, absent_at) + self._policy.grace

    def _look_later(self, work: Work, began: datetime) -> None:
        changed = steps.absent(work.entry.continuation, self._clock.now())
        looked = Work(Entry(changed, work.entry.version), work.deadline)
        sure_at = self._sure_at(changed, changed.absent_at or began)
        until = max(sure_at, began + self._policy.retry_first)
        detail = "no pipeline run found yet; it is looked for once more before asking again"
        self._settling.park(looked, Reason.IN_DOUBT, detail, until=until)


def _given_up(c: Continuation) -> End:
    """The end of what was sent as often as it may be, and is nowhere to be found."""
    if Reason.ANSWERED in c.since:
        detail = "the service took the request, and no run of it was found"
        return End(State.HELD, Reason.IN_DOUBT, detail)
    if Reason.REFUSED in c.since:
        detail = f"sent {c.sends} times, refused at last, and never found"
        return End(State.FAILED, Reason.REFUSED, detail)
    detail = f"sent {c.sends} times, never answered and never found"
    return End(State.HELD, Reason.IN_DOUBT, detail)
