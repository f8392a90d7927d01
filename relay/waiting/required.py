"""`--require`: what must hold of a run that completed, asked as a route's `when` would ask it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from functions.core.facts import building
from functions.core.gates.gate import LONGEST_EXPRESSION, GateRefused, gate_of
from functions.core.memory import missed
from functions.core.reading.collecting import Reading
from functions.core.routes import needs
from functions.core.routes.definition import Match, Route
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Ambiguous, Retryable
from relay.forecasts import forecast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from functions.core.gates.gate import Gate
    from functions.core.ports.services import Ports
    from functions.core.terms.runs import Run, RunEvent, Workspace
    from functions.core.terms.words import Outcome
    from relay.waiting.polling import Elapsed

READ_SECONDS = 60.0
FIRST, LONGEST = 1.0, 15.0  # seconds between two looks for facts that are not there yet
_SHORT = re.compile(
    r"""(?P<kept> //[^\n]*
      | [rRbB]{0,2}(?: \"\"\"(?:\\.|[^\\])*?\"\"\" | '''(?:\\.|[^\\])*?'''
          | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
      | `[^`\n]*` | \.\s*\w+ )
    | \b(?P<short>metrics|params|tags)\b | \w+""",
    re.VERBOSE | re.DOTALL,
)


class Judged(NamedTuple):
    """What came of one requirement. `saw` are the values that it was judged by.

    `why` is what is known of a fact that is missing.
    """

    expression: str
    holds: bool
    missing: str = ""
    error: str = ""
    saw: str = ""
    why: str = ""

    @property
    def said(self) -> str:
        """The answer for people."""
        if self.holds:
            return f"holds: {self.expression} ({self.saw})"
        why = self.error or (f"{self.missing} is not known{self.why}" if self.missing else "")
        return f"does not hold: {self.expression} ({'; '.join(filter(None, (why, self.saw)))})"


class Requirement:
    """A CEL expression over the facts of a run; `step` names the child that has them.

    `model` names the registered model that is meant.

    `metrics.x`, `params.x` and `tags.x` are short for `run.metrics.x` and so on. Raises
    GateRefused.
    """

    def __init__(self, text: str, step: str | None = None, model: str | None = None) -> None:
        self.text = text
        self.gate: Gate = gate_of(_in_full(text))
        if any(path[0] == "champion" for path in self.gate.mentions):
            raise GateRefused("names `champion`, which only a route can choose")
        if self.gate.mistakes:
            raise GateRefused(*self.gate.mistakes)
        self._route = Route(
            name="wait",
            when=self.gate.text,
            step=step,
            model=model,
            needs=needs.of(Match(), self.gate.text, None),
        )

    @property
    def names_experiment(self) -> bool:
        """Whether the experiment's name is needed, which the run itself does not tell."""
        return any(
            path == ("run",) or path[:2] == ("run", "experiment") for path in self.gate.mentions
        )

    def judge(self, reading: Reading, outcome: Outcome, studio: str) -> Judged:
        """Whether it holds of the run; raises Retryable."""
        try:
            known = reading.facts(self._route, outcome, studio)
        except Ambiguous as error:
            why = f"{error}".replace("`step`", "--step").replace("`model`", "--model")
            return Judged(self.text, holds=False, error=why)
        found = self.gate.evaluate(known)
        unread = building.unread(found.missing, known)
        wrong = found.unusable.detail if found.unusable else found.error
        return Judged(self.text, found.holds, found.missing, wrong, found.explain, unread)


class Late(NamedTuple):
    """For how many seconds facts may come after the end, and how to wait for them."""

    seconds: float
    elapsed: Elapsed
    pause: Callable[[float], None]


def judged(
    ports: Ports, run: Judgeable, requirements: Sequence[Requirement], late: Late
) -> list[Judged]:
    """What comes of each requirement; facts that are not there are waited for. Raises Retryable."""
    began, wait = late.elapsed.seconds, FIRST
    while True:
        left = min(began + late.seconds - late.elapsed.seconds, late.elapsed.left)
        try:
            found = _once(ports, run, requirements)
        except Retryable:
            if left <= 0:
                raise
        else:
            if left <= 0 or not any(one.missing for one in found):
                return found
        late.pause(min(wait, left))
        wait = min(wait * 2, LONGEST)


class Judgeable(NamedTuple):
    """A run that ended so, and where AML Studio is."""

    workspace: Workspace
    id: str
    outcome: Outcome
    studio: str


def _once(ports: Ports, run: Judgeable, requirements: Sequence[Requirement]) -> list[Judged]:
    deadline = Deadline(ports.clock, READ_SECONDS)
    read = replace(ports.runs.read(run.workspace, run.id, deadline), outcome=run.outcome)
    if read.deleted:
        return [Judged(one.text, holds=False, error="the run was deleted") for one in requirements]
    event = _news(ports, run.workspace, read, requirements)
    reading = Reading(ports.runs, event, deadline, read)
    return [one.judge(reading, run.outcome, run.studio) for one in requirements]


def _news(
    ports: Ports, workspace: Workspace, run: Run, requirements: Iterable[Requirement]
) -> RunEvent:
    if any(one.names_experiment for one in requirements):
        return forecast.untold(ports, workspace, run).event
    return missed.news(workspace, run, experiment="")


def _in_full(text: str) -> str:
    if len(text) > LONGEST_EXPRESSION:  # which the gate refuses
        return text
    return _SHORT.sub(lambda t: f"run.{t['short']}" if t["short"] else t[0], text)
