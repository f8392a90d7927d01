"""The runs below a run. Each is read at most once, and for one decision no more than a bound.

A run's best child is what the event's properties, its tags or its job say; whoever is named must
be there, below the run, of its experiment and not deleted, since anybody may write a tag.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from functions.core.events import parents, parsing
from functions.core.facts.vocabulary import MOST_CHILDREN as MOST_CHILDREN  # noqa: PLC0414 - of the port
from functions.core.terms.errors import Ambiguous, Retryable
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Job
from functions.core.terms.words import Outcome
from functions.core.texts.bounds import bounded, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from functions.core.ports.services import Runs
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Run, RunEvent

MOST_LOOKS = 30  # reads for one decision
_WITH_TRIALS = ("hyperdrive", "sweep", "automl")


class Found(NamedTuple):
    """The run that has, or is, what is sought; or none, and why not, if more is known than that.

    `awaited`: it is not there, and may still come.
    """

    run: Run | None = None
    why: str = ""
    awaited: bool = False


class Below:
    """What is below one root run. Raises Retryable, and Ambiguous beyond the bound."""

    def __init__(self, runs: Runs, event: RunEvent, root: Run, deadline: Deadline) -> None:
        self.root = root
        self._runs, self._event, self._deadline = runs, event, deadline
        self._children: dict[str, Sequence[Run]] = {}
        self._cut: set[str] = set()
        self._shifted: set[str] = set()
        self._jobs: dict[str, Job] = {}
        self._known: dict[str, Run | None] = {root.id: root}
        self._above: dict[str, Run] = {}
        self._looks = 0

    @property
    def read(self) -> Iterable[Run]:
        """All that were found below the root so far; not what was read and turned out not to be."""
        return [run for run in self._known.values() if run and run.id in self._above]

    @property
    def unread(self) -> dict[str, str]:
        """What was left out of the runs that were found, and why."""
        return {name: why for run in self.read for name, why in run.unread.items()}

    @property
    def looked_in(self) -> str:
        """The experiment in which the root's children were looked for; "" where they were not."""
        return self.root.experiment_id if self.root.id in self._children else ""

    @property
    def names_trials(self) -> bool:
        """Whether the event says that the root's children are tries, of which one is the result."""
        marks = parents.lower(self._event.properties)
        kind = (self._event.run_type, marks.get("runtemplate"), marks.get("azureml.runsource"))
        return any(word in (told or "").lower() for told in kind for word in _WITH_TRIALS)

    def begin(self) -> None:
        """Another decision: it may read as much as the one before."""
        self._looks = 0

    def look(self) -> None:
        """Count a read; raises Ambiguous where it is one too many."""
        self._looks += 1
        if self._looks > MOST_LOOKS:
            what = (
                f"it is not among the first {MOST_LOOKS} that were looked at below {self.root.id}"
            )
            raise Ambiguous("what is sought may be", [what], "name a step nearer to it with `step`")

    def above(self, run: Run) -> Run:
        """The run through which it was found."""
        return self._above.get(run.id, self.root)

    def children(self, run: Run) -> Sequence[Run]:
        """A run's children, each once and as it says itself, but deleted ones.

        One that begins while they are read moves the others on to the next page.
        """
        if run.id not in self._children:
            self.look()
            found = self._runs.children(self._event.workspace, run, self._deadline)
            self._cut |= {run.id} if len(found) >= MOST_CHILDREN else set()
            distinct = {one.id: one for one in found}
            self._shifted |= {run.id} if len(distinct) < len(found) else set()
            self._children[run.id] = parents.children(run.id, distinct.values())
            for child in self._children[run.id]:
                self._known.setdefault(child.id, child)
                self._above.setdefault(child.id, run)
        return self._children[run.id]

    def is_cut(self, run: Run) -> bool:
        """Whether it may have more children than were read."""
        return run.id in self._cut

    def counts(self, run: Run, why: dict[str, str]) -> dict[str, int]:
        """How many children there are, and how many of them ended badly once all have ended.

        `why` gets what is told of the numbers that are left out.
        """
        children = self.children(run)
        if self.is_cut(run):
            why["run.children"] = f"it has {MOST_CHILDREN} children or more"
            return {}
        if run.id in self._shifted:
            why["run.children"] = "they changed while they were read"
            return {}
        if going := [child.name or child.id for child in children if child.outcome is None]:
            named = listed(sorted(going))
            why["run.children"] = f"{named} of {len(children)} children did not end yet"
            return {"total": len(children)}
        ends = Counter(child.outcome for child in children)
        failed, canceled = ends[Outcome.FAILED], ends[Outcome.CANCELED]
        return {"total": len(children), "failed": failed, "canceled": canceled}

    def best(self, run: Run, *, ask: bool = False) -> Found:
        """What the run names as its best child; `ask` its job, too, if nothing else tells."""
        told = self._event.properties if run is self.root else {}
        named = parents.best_child(told) or parents.best_child(run.tags)
        if ask and not named:
            named = self.job(run).best_child
        return self._checked(run, named) if named else Found()

    def best_id(self, run: Run, why: dict[str, str], none: dict[str, str]) -> dict[str, str]:
        """The fact `best_child_id`; else `why` it cannot be told, or that there is `none`."""
        best = self.best(run, ask=True)
        if best.run:
            return {"best_child_id": best.run.id}
        told = why if best.why else none
        told["run.best_child_id"] = best.why or f"{run.id} names none"
        return {}

    def job(self, run: Run) -> Job:
        """What Resource Manager says of the run's job."""
        if run.id not in self._jobs:
            self.look()
            found = self._runs.job(self._event.workspace, run.id, self._deadline)
            self._jobs[run.id] = found or Job()
        return self._jobs[run.id]

    def _checked(self, above: Run, named: str) -> Found:
        found = self._one(named) if parsing.is_run_id(named) else None
        told = f"the best child that {above.id} names, {bounded(named, 80)},"
        if found is None:
            return Found(None, f"{told} is not there", awaited=True)
        if why := self._unlike(above, found):
            return Found(None, f"{told} {why}")
        self._above.setdefault(found.id, above)
        return Found(found)

    def _unlike(self, above: Run, found: Run) -> str:
        """Why it cannot be the run's best child; "" where it can."""
        if found.deleted:
            return "was deleted"
        if found.experiment_id != above.experiment_id:
            return "is of another experiment"
        return "" if self._descends(found, above) else "is not below it"

    def _descends(self, run: Run, above: Run) -> bool:
        """Whether it is below: by its tags, or by those of the runs between."""
        seen = {above.id}
        at: Run | None = run
        while at is not None and at.id not in seen:
            if parents.is_below(above.id, at.tags):
                return True
            seen.add(at.id)
            between = parents.parent(at.tags)
            at = self._one(between) if parsing.is_run_id(between) else None
        return False

    def _one(self, run: str) -> Run | None:
        """A run by its id; None where there is none."""
        if run not in self._known:
            self.look()
            try:
                self._known[run] = self._runs.read(self._event.workspace, run, self._deadline)
            except Retryable as error:
                if error.reason is not Reason.RUN_NOT_FOUND:
                    raise
                self._known[run] = None
        return self._known[run]
