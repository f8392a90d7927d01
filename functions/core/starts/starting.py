"""From a decision to a pipeline run: the checks before the POST, the mark, the POST, its answer.

ask (ETag) ──► POST ──► 200 with an id     started
│            ├────► nothing was queued the mark is taken back, parked or failed
│            └────► no usable answer   the mark stays: in doubt
└─ lost: send nothing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from functions.core.limits.admission import Admission
from functions.core.ports.ledger import Entry
from functions.core.ports.services import Level
from functions.core.routes import deciding
from functions.core.starts import steps
from functions.core.starts.claiming import taken, taken_back
from functions.core.starts.settling import Work
from functions.core.terms.errors import InDoubt, Lost, Permanent, Retryable
from functions.core.terms.policy import POST_WITHIN, REFUSED_FOR
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from functions.core.limits.admission import Block
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Route
    from functions.core.starts.settling import Settling
    from functions.core.terms.pipelines import Credential, PipelineRequest
    from functions.core.terms.policy import Policy


def account(request: PipelineRequest) -> str:
    """The shared row of the credential that a request is sent with."""
    return Admission.account(*request.sender)


class Starter:
    """Starts pipelines, each at most once per ask."""

    def __init__(
        self, ports: Ports, policy: Policy, settling: Settling, admission: Admission
    ) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._credentials, self._pipelines = ports.credentials, ports.pipelines
        self._policy = policy
        self._settling = settling
        self._admission = admission

    def start(self, work: Work, route: Route, go: deciding.Go) -> None:
        """Start the decided request, unless something holds all starts back just now."""
        if self._policy.paused:
            return self._settling.pause(work)
        if not work.deadline.allows_post:
            return self._too_late(work)
        if route.after and (lacking := taken_back(self._ledger, work.entry.continuation)):
            put_off = deciding.PutOff(Reason.FACTS_MISSING, lacking, route.wait_for_facts)
            return self._settling.conclude(work, put_off)
        if credential := self.credential(work, go.request):
            place = self._admission.place(work.entry, route, go.group)
            if isinstance(place, Entry):
                return self.send(Work(place, work.deadline), go.request, credential, go.saw)
            known = {"wants": place.wants, "group_by": place.group_by}
            self._settling.line_up(work, place.reason, place.said, place.line, **known)
        return None

    def credential(self, work: Work, request: PipelineRequest) -> Credential | None:
        """A credential that may be used now; None once the continuation is parked without one."""
        name = account(request)
        if block := self._admission.blocked(name):
            self._park_blocked(work, name, block)
            return None
        try:
            credential = self._credentials.read(request.sender, work.deadline)
            if credential.has_expired(self._clock.now()):
                credential = self._credentials.read(request.sender, work.deadline, fresh=True)
        except Retryable as error:
            self.park(work, error, request)
            return None
        if not credential.has_expired(self._clock.now()):
            return credential
        detail = f"the secret {request.secret} expired at {credential.expires_at}"
        self._settling.park(work, Reason.SECRET_EXPIRED, request.named(detail))
        return None

    def send(self, work: Work, request: PipelineRequest, credential: Credential, saw: str) -> None:
        """Ask, then POST; a refused credential is fetched and tried once more."""
        refused = self._post(work, request, credential, saw)
        if refused is None:
            return None
        version, work = credential.version, refused.work
        try:
            renewed = self._credentials.read(request.sender, work.deadline, fresh=True)
        except Retryable as error:
            return self.park(work, error, request)
        if work.deadline.allows_post and not renewed.has_expired(self._clock.now()):
            refused = self._post(work, request, renewed, saw)
            version = renewed.version
        if refused is not None:
            self.block(refused.work, request, version, refused.detail)
        return None

    def is_blocked(self, request: PipelineRequest) -> bool:
        """Whether nothing is sent by the request's account just now."""
        return self._admission.blocked(account(request)) is not None

    def park(self, work: Work, error: Retryable, request: PipelineRequest | None = None) -> None:
        """Park for the reason and time the error gives; `request`: what its credential is for."""
        detail = request.named(error.detail) if request else error.detail
        self._settling.park(work, error.reason, detail, after=error.retry_after or None)

    def _post(
        self, work: Work, request: PipelineRequest, credential: Credential, saw: str
    ) -> _Refused | None:
        if not work.deadline.allows_post:
            self._too_late(work)
            return None
        before, began = work.entry.continuation, self._clock.monotonic()
        if self._clock.now() >= before.due_at:  # a machine slept: decided, and paid for, long ago
            self._too_late(work, "the lease had run out before the ask")
            return None
        sent = request.sent_by(credential.version, before.request if before.asked_at else None)
        marked = steps.asked(before, self._clock.now(), sent, self._policy.lease, saw)
        try:
            entry = self._ledger.write(work.entry, marked)
        except Lost:
            return None
        late, work = self._clock.monotonic() - began, Work(entry, work.deadline)
        slow = f"the ask took {late:.1f} s" if late > POST_WITHIN else ""
        if slow or not work.deadline.allows_post:
            self._too_late(self._unmarked(work, before), slow)
            return None
        return self._answer(work, before, request, credential)

    def _answer(
        self, work: Work, before: Continuation, request: PipelineRequest, credential: Credential
    ) -> _Refused | None:
        marked_at = work.entry.continuation.sent_at or self._clock.now()
        try:
            run = self._pipelines.start(request, credential, work.deadline.marked(marked_at))
        except Retryable as error:
            unsent = self._unmarked(work, before)
            if error.reason is Reason.CREDENTIAL_REFUSED:
                return _Refused(unsent, error.detail)
            self._nothing_queued(unsent, error)
            self.slow_down(request, error.retry_after)
        except Permanent as error:
            end = deciding.End(State.FAILED, error.reason, error.detail)
            self._settling.end(self._unmarked(work, before), end)
        except InDoubt as error:
            said = steps.answered(work.entry.continuation, self._clock.now(), error.reason)
            doubtful = Work(Entry(said, work.entry.version), work.deadline)
            self.in_doubt(doubtful, error.detail, error.retry_after)
            taken(self._ledger, said, self._clock.now())
            self.slow_down(request, error.retry_after)
        else:
            self._settling.started(work, run, Reason.ANSWERED)
            self.slow_down(request, run.retry_after)
        return None

    def _too_late(self, work: Work, slow: str = "") -> None:
        """A round has more time than a delivery; who is late there as well is so for three days.

        `slow` says what the ledger took so long for, where it was the ledger.
        """
        c, reason = work.entry.continuation, Reason.LATE if slow else Reason.DEADLINE
        detail = slow or f"{work.deadline.elapsed:.0f} s were used up before the POST"
        put_off = deciding.PutOff(reason, detail, REFUSED_FOR)
        held = deciding.End(State.HELD, Reason.IN_DOUBT if c.asked_at else reason, detail)
        self._settling.conclude(work, put_off, None if c.attempts else 0, held)

    def _unmarked(self, work: Work, before: Continuation) -> Work:
        """The work as it is to be written once it is certain that nothing was queued."""
        changed = steps.unasked(work.entry.continuation, before, self._clock.now())
        return Work(Entry(changed, work.entry.version), work.deadline)

    def _nothing_queued(self, work: Work, error: Retryable) -> None:
        if error.reason not in {Reason.REFUSED, Reason.UNAVAILABLE}:
            return self.park(work, error)
        put_off = deciding.PutOff(error.reason, error.detail, REFUSED_FOR)
        failed = deciding.End(State.FAILED, error.reason, error.detail)
        return self._settling.conclude(work, put_off, error.retry_after, failed)

    def in_doubt(self, work: Work, detail: str, retry_after: float | None) -> None:
        """Keep the mark: look before asking again, or hold what could not be recognised."""
        request = work.entry.continuation.request
        if request is None or not request.distinct:
            detail = (
                f"{detail}; the request cannot be told from others, so no look-up can settle it"
            )
            return self._settling.end(work, deciding.End(State.HELD, Reason.IN_DOUBT, detail))
        after = self._policy.retry_first.total_seconds() if retry_after is None else retry_after
        return self._settling.park(work, Reason.IN_DOUBT, detail, after=after)

    def block(self, work: Work, request: PipelineRequest, version: str, detail: str) -> None:
        """Block the account until the secret has another version than the refused one."""
        name = account(request)
        block = self._admission.block(name, request.secret, version, detail)
        known_as = self._policy.used_secret(request.organization)
        secret = request.secret if known_as else None
        line = {"blocked": request.organization, "secret": secret}
        self._log.write(Level.ERROR, {**line, "reason": block.reason, "until": block.until})
        self._park_blocked(work, name, block)

    def _park_blocked(self, work: Work, name: str, block: Block) -> None:
        self._settling.park(work, block.reason, block.detail, until=block.until, waits_on=name)

    def slow_down(self, request: PipelineRequest, seconds: float | None) -> None:
        """Leave the request's account alone for so long, if the service asked for it."""
        if seconds:
            self._admission.slow_down(account(request), seconds)


class _Refused(NamedTuple):
    """A credential was refused: the work as it would be without the mark, and what was answered."""

    work: Work
    detail: str
