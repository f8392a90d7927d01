"""Links in both directions: the AML run names its pipeline run, the build names the AML run.

They are extras: written once, when the reconciler retires what has started, and a link that could
not be written is told in the log and not tried again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.ports.services import Level
from functions.core.terms.errors import InDoubt, Permanent, Retryable, in_words
from functions.core.terms.pipelines import is_github
from functions.core.terms.words import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.services import Ports
    from functions.core.terms.deadline import Deadline


class Links:
    """Writes the links of started continuations, if they are wanted."""

    def __init__(self, ports: Ports, *, wanted: bool) -> None:
        self._runs, self._pipelines = ports.runs, ports.pipelines
        self._credentials, self._log = ports.credentials, ports.journal
        self._wanted = wanted

    def wanted(self, c: Continuation) -> bool:
        """Whether it gets links."""
        return self._wanted and c.state is State.STARTED

    def write(self, c: Continuation, deadline: Deadline) -> None:
        """Tag run and build. Raises nothing: what they are for has started."""
        for link in (self._of_run, self._of_build) if c.key.outcome.ends_run else (self._of_build,):
            try:
                link(c, deadline)
            except (InDoubt, Permanent, Retryable) as error:
                self._tell(c, error.detail)
            except Exception as error:  # noqa: BLE001 - else it would be tried in every round
                self._tell(c, in_words(error))

    def write_end(self, c: Continuation, each: Callable[[], Deadline]) -> None:
        """Tag the run with how its pipeline run ended; raises nothing either."""
        if self.wanted(c) and c.ended and c.key.outcome.ends_run:
            tags = {f"relay.{c.key.route}.ended": str(c.ended.how)}
            try:
                self._runs.tag(c.event.workspace, c.key.run, tags, each())
            except Retryable as error:
                self._tell(c, error.detail)
            except Exception as error:  # noqa: BLE001 - else its end would be told in every round
                self._tell(c, in_words(error))

    def _tell(self, c: Continuation, why: str) -> None:
        line = {"link": "not written", "route": c.key.route, "run": c.key.run, "detail": why}
        self._log.write(Level.WARNING, line)

    def _of_run(self, c: Continuation, deadline: Deadline) -> None:
        name = f"relay.{c.key.route}"
        tags = {f"{name}.pipeline_run": str(c.pipeline_run)}
        tags |= {f"{name}.url": c.url} if c.url else {}
        self._runs.tag(c.event.workspace, c.key.run, tags, deadline)

    def _of_build(self, c: Continuation, deadline: Deadline) -> None:
        if c.request is not None and c.pipeline_run is not None and not is_github(c.organization):
            credential = self._credentials.read(c.request.sender, deadline)
            self._pipelines.tag(c.request, c.pipeline_run, c.key.run, credential)
