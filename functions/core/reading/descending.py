"""Where below a root run something is: level by level, from the runs that are meant.

Those are the runs that `step` names, and what is below them at any depth; else the best child that
the root names; else the root's children, and of these the best children that they name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.reading.below import MOST_CHILDREN, Found
from functions.core.terms.errors import Ambiguous
from functions.core.terms.words import Outcome
from functions.core.texts.bounds import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from functions.core.reading.below import Below
    from functions.core.terms.runs import Run


class Seeker:
    """Looks below a root on behalf of a route that names this `step`."""

    def __init__(self, below: Below, step: str | None) -> None:
        self._below, self._step = below, (step or "").lower()
        self._notes: dict[str, None] = {}
        self._named_ids: set[str] = set()

    def find(
        self,
        what: str,
        has: Callable[[Run], bool],
        most: int = MOST_CHILDREN,
        begin: Callable[[Sequence[Run]], None] | None = None,
    ) -> Found:
        """The run that is meant; `most`: of how many runs at once it may be asked.

        `begin` hears of all that are asked next, where they are several.
        Raises Retryable, and Ambiguous.
        """
        self._notes = {}
        level, seen = self._first(), set[str]()
        while level := [run for run in level if run.id not in seen]:
            level = self._few(what, level, most)
            if begin and len(level) > 1:
                begin(level)
            holders = [run for run in level if has(run)]
            if holders:
                return Found(self._meant(what, holders), self._why)
            seen |= {run.id for run in level}
            level = self._next(level)
        return Found(None, self._why)

    @property
    def _why(self) -> str:
        return "; ".join(self._notes)

    def _note(self, why: str) -> None:
        self._notes |= {why: None} if why else {}

    def _first(self) -> Sequence[Run]:
        root = self._below.root
        if self._step and (named := self._named(root, self._step)):
            self._named_ids = {run.id for run in named}
            return named
        best = self._named_best(root)
        if self._step or best.run or best.awaited:
            return [best.run] if best.run else []
        if self._below.names_trials:
            return self._asked(root)
        return self._all(root)

    def _next(self, level: Sequence[Run]) -> Sequence[Run]:
        """What is below these: what they name as the best, else all of it where a step is named."""
        found: list[Run] = []
        for run in _told_apart(level):
            best = self._named_best(run)
            if best.run:
                found.append(best.run)
            elif self._step and not best.awaited:
                found += self._all(run)
        return found

    def _named_best(self, run: Run) -> Found:
        best = self._below.best(run)
        self._note(best.why)
        return best

    def _asked(self, run: Run) -> Sequence[Run]:
        """The best of tries, as the job itself says; none while it does not."""
        best = self._below.best(run, ask=True)
        self._note(best.why or ("" if best.run else f"{run.id} does not name its best child"))
        return [best.run] if best.run else []

    def _all(self, run: Run) -> Sequence[Run]:
        children = self._below.children(run)
        if not self._below.is_cut(run):
            return children
        best = self._best_of(children)
        if best is None:
            raise self._ambiguous("facts sought", [f"{MOST_CHILDREN} children or more"], children)
        self._note(best.why)
        return [best.run] if best.run else []

    def _named(self, above: Run, step: str) -> Sequence[Run]:
        """The children of that name; else, where it is a path, what its parts name one by one."""
        children = self._below.children(above)
        found = [child for child in children if child.name.lower() == step]
        if found:
            return found
        for child in children:
            if child.name and step.startswith(f"{child.name.lower()}/"):
                found += self._named(child, step[len(child.name) + 1 :])
        if not found:
            names = dict.fromkeys(child.name or child.id for child in children)
            there = f"there are {listed(sorted(names))}" if names else "it has none yet"
            self._note(f"no child of {above.id} is named {step}: {there}")
        return found

    def _few(self, what: str, level: Sequence[Run], most: int) -> Sequence[Run]:
        """No more of them than may be asked: else the best, as far as somebody tells."""
        if len(level) <= most:
            return level
        best = self._best_of(level)
        if best is None:
            raise self._ambiguous(f"{what} sought", [f"{len(level)} children"], level)
        self._note(best.why)
        return [best.run] if best.run else []

    def _meant(self, what: str, holders: Sequence[Run]) -> Run | None:
        """Of several tries the one that Completed, or which their job calls the best.

        One that has it alone is no more the best of a sweep than any other: those of the others may
        only be late.
        """
        holders = _told_apart(holders)
        if len(holders) == 1 and not self._is_any_trial(holders[0]):
            return holders[0]
        best = self._best_of(holders)
        if best is None:
            raise self._ambiguous(what, [self._shown(run) for run in holders], holders)
        self._note(best.why)
        if best.run and best.run not in holders:
            self._note(f"the best child {best.run.id} does not have it, others do")
            return None
        return best.run

    def _is_any_trial(self, run: Run) -> bool:
        """Whether it is one of several tries, by its id, and nobody named it yet."""
        above = self._below.above(run)
        if run.id in self._named_ids or not _is_try(run.id, above.id):
            return False
        return self._below.best(above).run is not run and len(self._below.children(above)) > 1

    def _best_of(self, runs: Sequence[Run]) -> Found | None:
        """The one that the run above calls the best, or why that may still come; None: neither."""
        above = {run.id: run for run in map(self._below.above, runs)}
        if len(above) != 1:
            return None
        (over,) = above.values()
        best = self._below.best(over, ask=True)
        if best.run or best.awaited:
            return Found(best.run, best.why)
        if self._below.job(over).has_trials:
            return Found(None, best.why or f"{over.id} does not name its best child")
        self._note(best.why)
        return None

    def _ambiguous(self, what: str, named: list[str], runs: Sequence[Run]) -> Ambiguous:
        tops = {path[0].id: path[0] for path in map(self._path, runs)}
        if len(tops) > 1 and _are_alike(tops.values()):
            do = "they have one name, and not only one of them Completed: name each step otherwise"
        else:
            do = f"name one with `step`, or in the tag best_child_run_id of {self._over(runs)}"
        return Ambiguous(what, sorted(named), "; ".join([do, *self._notes]))

    def _over(self, runs: Sequence[Run]) -> str:
        above = self._below.above(runs[0])
        return above.id if above is self._below.root else above.name or above.id

    def _path(self, run: Run) -> list[Run]:
        """The runs from below the root down to this one."""
        path = [run]
        while (above := self._below.above(path[0])) is not self._below.root:
            path.insert(0, above)
        return path

    def _shown(self, run: Run) -> str:
        path = self._path(run)
        named = "/".join(one.name or one.id for one in path)
        return f"{named} ({run.id})" if self._shares_name(run) else named

    def _shares_name(self, run: Run) -> bool:
        above = self._below.above(run)
        names = [child.name.lower() for child in self._below.children(above)]
        return names.count(run.name.lower()) > 1


def _told_apart(runs: Sequence[Run]) -> Sequence[Run]:
    """Of several tries at one step the one that Completed, where only one did."""
    if len(runs) < 2 or not _are_alike(runs):  # noqa: PLR2004
        return runs
    completed = [run for run in runs if run.outcome is Outcome.COMPLETED]
    return completed if len(completed) == 1 else runs


def _is_try(run: str, above: str) -> bool:
    """Whether it is numbered as AML numbers the tries of a sweep and of AutoML: HD_1 has HD_1_0."""
    before, _, number = run.rpartition("_")
    return before == above and number.isdigit()


def _are_alike(runs: Collection[Run]) -> bool:
    """Whether all have one name, so that no `step` tells them apart."""
    names = {run.name.lower() for run in runs}
    return len(names) == 1 and "" not in names
