"""The composition root: the core's classes are named here once, and built on the first event.

`App` takes any ports from its caller, so that tests hand in fakes and wrapped adapters.
"""

from __future__ import annotations

import functools
import gc
import logging
import os
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.configuration.settings import Settings
    from functions.core.memory.known_since import KnownSince
    from functions.core.operators.overview import Overview
    from functions.core.ports.services import Journal, Ports
    from functions.core.rounds.reconciler import Reconciler
    from functions.core.rounds.sweep import Sweep
    from functions.core.rounds.watch import Watch
    from functions.core.starts.doubt import Doubt
    from functions.core.starts.settling import Work
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import RunEvent
    from functions.core.waits.registering import Waits

_building, _BEGAN = threading.Lock(), datetime.now(UTC)  # the host indexes as a process begins


class App:
    """What the triggers call: `deliver`, and what is built when it is first asked for.

    An instance that starts for an event needs none of that, and the event waits for it. Should two
    threads build a part at once, each has its own: none of them holds what must be there once.
    """

    def __init__(self, settings: Settings, ports: Ports, began: datetime | None = None) -> None:
        from functions.core.limits.admission import Admission
        from functions.core.starts.handling import Relay
        from functions.core.starts.settling import Settling
        from functions.core.starts.starting import Starter

        self._settings, self._ports, policy = settings, ports, settings.policy
        self._admission, self._settling = Admission(ports, policy), Settling(ports, policy)
        self._starter = Starter(ports, policy, self._settling, self._admission)
        self.relay = Relay(
            ports,
            policy,
            self._settling,
            self._starter,
            look=self._look,
            ended=self._ended,
            probed=functools.partial(_probed, ports, began or ports.clock.now()),
        )

    def deliver(self, event: object) -> None:
        """Hand a delivered event to the relay, and what is left of its time to who needs it.

        Raises LedgerUnavailable when the event could not be recorded, and nothing else: what is
        done besides neither changes the answer nor delays it beyond what Event Grid waits.
        """
        from functions.core.terms.deadline import READING, Deadline, beside

        came = Deadline(self._ports.clock, 0)
        self.relay.deliver(event)
        left = beside(self._ports.clock, came.elapsed)
        try:
            if left.left > READING and self.watch.takes():
                from functions import threads

                threads.within(left.whole_left, lambda: self.reconciler.beside(left))
        except Exception as error:  # noqa: BLE001 - the event is taken, whatever this is
            _tell_failed(self._ports.journal, error)

    @functools.cached_property
    def watch(self) -> Watch:
        """Whether rounds go on."""
        from functions.core.rounds.watch import Watch

        return Watch(self._ports, self._missed)

    def _missed(self, ended: datetime) -> datetime:
        """When so many rounds have come after that one that their timer must have stopped."""
        from functions.configuration import occurrences

        return occurrences.missed(self._settings.schedules["reconcile"], ended)

    @functools.cached_property
    def waits(self) -> Waits:
        """The tasks that wait for runs."""
        from functions.core.waits.admitting import Entrance
        from functions.core.waits.registering import Waits

        known, policy = self._settings, self._settings.policy
        entrance = Entrance(self._ports, known.devops_url, known.waits_organizations)
        return Waits(self._ports, policy, self._known_since, known.sweep.workspaces, entrance)

    @functools.cached_property
    def reconciler(self) -> Reconciler:
        """The reconciler."""
        from functions import threads
        from functions.core.rounds.reconciler import Reconciler

        return Reconciler(
            self._ports,
            self._settings.policy,
            self._settling,
            relay=self.relay,
            doubt=self._doubt,
            admission=self._admission,
            known_since=self._known_since,
            waits=self.waits,
            watch=self.watch,
            for_each=functools.partial(threads.for_each, self._ports.journal),
        )

    @functools.cached_property
    def sweep(self) -> Sweep:
        """What finds runs whose event was lost."""
        from functions.core.rounds.expiry import Expiry
        from functions.core.rounds.sweep import Sweep

        ports, known = self._ports, self._settings
        expiry, since = Expiry(ports, known.policy), self._known_since
        return Sweep(ports, known.sweep, self.watch, self.relay, known_since=since, expiry=expiry)

    @functools.cached_property
    def overview(self) -> Overview:
        """What the operations page shows."""
        from functions.adapters.ahead import Beside
        from functions.configuration import overseen

        return overseen.overview(self._settings, self._ports, Beside().begin)

    def _look(self, work: Work) -> None:
        self._doubt.look(work)

    def _ended(self, event: RunEvent, deadline: Deadline) -> None:
        self.waits.ended(event, deadline)

    @functools.cached_property
    def _doubt(self) -> Doubt:
        from functions.core.starts.doubt import Doubt

        policy = self._settings.policy
        return Doubt(self._ports, policy, self._settling, self._starter, self._known_since)

    @functools.cached_property
    def _known_since(self) -> KnownSince:
        from functions.core.memory.known_since import KnownSince

        return KnownSince(self._ports, self._settings.sweep.workspaces)


def app() -> App:
    """The one app of this process, from its environment; raises ConfigurationError.

    The first events of a process arrive together: one of them builds it.
    """
    with _building:
        return _of_process()


@functools.cache
def _of_process() -> App:
    return built(os.environ)


def built(environ: Mapping[str, str]) -> App:
    """An app as its environment has it; raises ConfigurationError where no ledger can be meant."""
    with _uncollected():
        from functions.adapters.telling import log
        from functions.configuration import settings as known_settings
        from functions.connections import connect, observer

        logging.getLogger("azure").setLevel(logging.WARNING)  # else it logs all that it sends
        settings = known_settings.read(environ)
        log.tell(settings.complaints, settings.doubts)
        ports, telemetry = connect(settings), observer(settings)
        if telemetry:
            ports = telemetry.around(ports)
        whole = App(settings, ports, _BEGAN)
        if telemetry:
            whole.relay = telemetry.counted(whole.relay)
        return whole


def _tell_failed(journal: Journal, error: Exception) -> None:
    from functions.core.ports.services import Level

    detail = f"{type(error).__name__}: {error}"
    journal.write(Level.WARNING, {"round": "failed", "by": "delivery", "detail": detail})


@contextmanager
def _uncollected() -> Iterator[None]:
    """Collect no garbage while modules are loaded: they are none, and looking takes long."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def _probed(ports: Ports, began: datetime) -> str:
    """What a probe is for; no event waits for that. The commit that runs, "" where none is told."""
    from functions import loading
    from functions.configuration import version

    loading.everything()
    loading.meet(ports, began)
    return version.packed()
