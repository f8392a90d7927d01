"""The looks of a round by one credential: few requests, each for many pipeline runs."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from functions.core.terms.errors import Retryable
from functions.core.terms.pipelines import Project, RunsSeen, is_github
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from functions.core.kept.summary import Followed
    from functions.core.ports.services import Ports
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.pipelines import Credential, Sender

    Told = tuple[Sequence[Followed], RunsSeen | Retryable]

MOST_REQUESTS = 10  # of an account in a round
MOST_OF_GITHUB = 10  # which tells of one at a time
MOST_TOGETHER = 100  # ids of at most ten digits: an address of 2,048 characters holds more


class Asking:
    """Asks for what is followed by one account until its requests are used up, or it must wait."""

    def __init__(self, ports: Ports, sender: Sender, deadline: Deadline) -> None:
        self._credentials, self._pipelines = ports.credentials, ports.pipelines
        self._log, self._clock = ports.journal, ports.clock
        self._sender, self._deadline = sender, deadline
        self._turns = iter(range(MOST_REQUESTS))
        self._credential: Credential | None = None
        self._is_over = False

    def about(self, those: Sequence[Followed]) -> Iterator[Told]:
        """What is known of so many as could be asked for, or why it is not."""
        for batch in _batches(those):
            if self._is_over or self._deadline.has_passed:
                return
            yield from self._whole(batch)

    def _whole(self, batch: Sequence[Followed]) -> Iterator[Told]:
        """Where nothing at all was told, all are refused, though not each was asked for."""
        left, refused = list(batch), None
        for some, seen in self._halved(batch):
            yield some, seen
            left = [one for one in left if one not in some]
            refused = seen if isinstance(seen, Retryable) and left else None
            if isinstance(seen, RunsSeen):
                left = []
        if refused is not None and left:
            yield left, refused

    def _halved(self, batch: Sequence[Followed]) -> Iterator[Told]:
        """A batch that is refused is parted, until who is meant is alone."""
        seen = self._asked(batch)
        if seen is None:
            return
        is_refused = isinstance(seen, Retryable) and seen.reason is Reason.REFUSED
        if is_refused and len(batch) > 1:
            half = len(batch) // 2
            yield from self._halved(batch[:half])
            yield from self._halved(batch[half:])
            return
        goes_on = is_refused or (isinstance(seen, RunsSeen) and not _waits(seen))
        self._is_over |= not goes_on
        if isinstance(seen, RunsSeen):  # whom nobody asked for stays due: first next time
            batch = [one for one in batch if seen.unasked.isdisjoint(one.runs)]
        yield batch, seen

    def _asked(self, batch: Sequence[Followed]) -> RunsSeen | Retryable | None:
        """One request, and another where the secret has a newer version; None without a turn."""
        try:
            seen = self._sent(batch)
        except Retryable as error:
            if error.reason is not Reason.CREDENTIAL_REFUSED:
                return error
            try:
                self._credential = self._read(fresh=True)
                return self._sent(batch)
            except Retryable as again:
                return again
        return seen

    def _sent(self, batch: Sequence[Followed]) -> RunsSeen | None:
        if self._is_over or self._deadline.has_passed or next(self._turns, None) is None:
            return None
        self._credential = self._credential or self._usable()
        where = Project(batch[0].organization, batch[0].project)
        runs = {run: one.pipeline for one in batch for run in one.runs}
        return self._pipelines.ends(where, runs, self._credential, self._deadline)

    def _usable(self) -> Credential:
        credential = self._read()
        return self._read(fresh=True) if credential.has_expired(self._clock.now()) else credential

    def _read(self, *, fresh: bool = False) -> Credential:
        credential = self._credentials.read(self._sender, self._deadline, fresh=fresh)
        if fresh and credential.has_expired(self._clock.now()):
            raise Retryable(Reason.SECRET_EXPIRED, f"the secret {self._sender.secret} has expired")
        return credential


def _waits(seen: RunsSeen) -> bool:
    """Whether the account is to be asked less."""
    return seen.scarce or bool(seen.retry_after) or bool(seen.unasked)


def _batches(those: Iterable[Followed]) -> Iterator[Sequence[Followed]]:
    """Those of each project together, so many at most.

    First the project of which one has waited longest: what ends the looks of a round is not to end
    those of all others in each.
    """
    by_project: dict[tuple[str, str], list[Followed]] = defaultdict(list)
    for one in those:
        by_project[_project(one)].append(one)
    for (organization, _), group in by_project.items():
        most = MOST_OF_GITHUB if is_github(organization) else MOST_TOGETHER
        batch: list[Followed] = []
        for one in group:
            if batch and sum(len(o.runs) for o in batch) + len(one.runs) > most:
                yield batch
                batch = []
            batch.append(one)
        yield batch


def _project(one: Followed) -> tuple[str, str]:
    return one.organization.lower(), one.project.lower()
