"""What would have come otherwise, for people and for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.terms.words import Outcome, State
from functions.core.texts.phrases import counted
from relay.forecasts import requests, telling
from relay.printing import plain
from relay.whatif.comparing import Change, differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from functions.configuration.settings import Settings
    from relay.whatif.asking_again import AskedAgain
    from relay.whatif.comparing import Compared

MOST_LINES = 50  # of one change, where people read
_SHOWN = tuple(change for change in Change if change is not Change.SAME)


class Report(NamedTuple):
    """What all came to; `lacking` says what is not among it, `mistakes` what `check` refuses."""

    since: datetime
    settings: Settings
    replayed: Sequence[AskedAgain]
    lacking: Sequence[str]
    mistakes: Sequence[str] = ()

    @property
    def runs(self) -> int:
        """How many runs, or models, all is about: of some there was news of two ends."""
        those = [one.event for one in self.replayed if one.event.outcome is not Outcome.JOINED]
        return len({(event.workspace.key, event.run) for event in those})

    @property
    def totals(self) -> Counter[Change]:
        """How often each change would come: once for news on a route."""
        return Counter(one.change for run in self.replayed for one in run.routes)

    def builtins(self) -> dict[str, Any]:
        """As JSON has it."""
        totals = {str(change): self.totals[change] for change in Change}
        return {
            "since": self.since.isoformat(),
            "routes": str(self.settings.routes_file),
            "complete": not self.lacking,
            "lacking": list(self.lacking),
            "mistakes": list(self.mistakes),
            "totals": {"runs": self.runs, "ends": self.totals.total(), **totals},
            "ends": [{"was": was, "would": would, "count": n} for was, would, n in self._ends()],
            "runs": [self._run(run) for run in self.replayed if run.routes],
        }

    def lines(self) -> Iterator[str]:
        """Each change with who it would meet, then the sums."""
        for change in _SHOWN:
            met = [
                (run, one) for run in self.replayed for one in run.routes if one.change is change
            ]
            if met:
                yield f"{change}: {len(met)}"
            for run, one in met[:MOST_LINES]:
                yield from (f"  {line}" for line in self._told(run, one))
            if len(met) > MOST_LINES:
                yield f"  and {len(met) - MOST_LINES} more: --json shows all"
            if met:
                yield ""
        yield from self._sums()

    def _sums(self) -> Iterator[str]:
        ends = self._ends()
        if ends:
            width = max(len(was) for was, _, _ in ends)
            yield f"{'ends':>6}  {'was':<{width}}  would be"
        yield from (f"{count:>6}  {was:<{width}}  {would}" for was, would, count in ends)
        same, all_ = self.totals[Change.SAME], self.totals.total()
        since = f"{self.since:%Y-%m-%d %H:%M} UTC"
        kept = f"{same} of {all_} ends as they were" if all_ else "nothing was compared"
        yield f"{counted(self.runs, 'run')} since {since}: {kept}"

    def _ends(self) -> list[tuple[str, str, int]]:
        counted = Counter((_was(one), _would(one)) for run in self.replayed for one in run.routes)
        return [(was, would, count) for (was, would), count in counted.most_common()]

    def _told(self, run: AskedAgain, one: Compared) -> Iterator[str]:
        event = run.event
        ended = f"{event.time:%Y-%m-%d %H:%M}  " if event.time else ""
        what = f"{one.route}/{event.run}/{event.outcome}"
        yield f"{ended}{plain(what)}  {plain(event.experiment)}".rstrip()
        yield f"  was {plain(self._before(one))}"
        yield f"  {plain(self._after(run, one), 1000)}"
        for name, was, would in differences(one):
            yield f"    {plain(name)}: {plain(was)} -> {plain(would)}"

    def _before(self, one: Compared) -> str:
        if one.was is None:
            return "not concerned, or its event never came"
        started = f": pipeline run {one.was.pipeline_run}" if one.was.pipeline_run else ""
        detail = f": {one.was.detail}" if one.was.detail else ""
        return f"{_was(one)}{started or detail}"

    def _after(self, run: AskedAgain, one: Compared) -> str:
        if one.would is None:
            return "no route has this name any more"
        assert run.news is not None  # noqa: S101 - it was compared, for the type checker
        means = telling.means(one.would, run.news, self.settings)
        if one.change is not Change.UNKNOWN:
            return means
        if one.would_start:
            request = one.would.request
            service = request.service if request else "the service"
            return f"{means}, if {service} takes it: `preview --check` asks"
        if one.started and one.by_champion:
            return f"{means}; that is today's champion, and its own day's is not known"
        return means

    def _run(self, run: AskedAgain) -> dict[str, Any]:
        event = run.event
        return {
            "workspace": event.workspace.id,
            "run": event.run,
            "experiment": event.experiment,
            "outcome": event.outcome,
            "at": event.time.isoformat() if event.time else None,
            "routes": [self._route(run, one) for one in run.routes],
        }

    def _route(self, run: AskedAgain, one: Compared) -> dict[str, Any]:
        was = one.was
        before = was and {
            "state": was.state,
            "reason": was.reason,
            "detail": was.detail,
            "pipeline_run": was.pipeline_run,
            "request": requests.request(was.request, self.settings) if was.request else None,
        }
        news = run.news
        return {
            "route": one.route,
            "change": one.change,
            "was": before,
            "would": one.would and news and telling.prospect(one.would, news, self.settings),
            "differs": [
                {"what": name, "was": old, "would": new} for name, old, new in differences(one)
            ],
        }


def _was(one: Compared) -> str:
    return _end(one.was.state, one.was.reason) if one.was else "nothing"


def _would(one: Compared) -> str:
    if one.change is Change.UNKNOWN:
        return "cannot be told"
    if one.stays:
        return _was(one)
    reason = telling.reason(one.would) if one.would else None
    return _end(one.would_state, reason) if one.would_state else "nothing"


def _end(state: State | None, reason: object) -> str:
    """In one or two words: why it was started needs none."""
    return str(state) if state is State.STARTED or not reason else f"{state} ({reason})"
