"""A workspace in which runs end by the thousand, as far as the sweep asks for it."""

from __future__ import annotations

import json
from bisect import bisect_right, insort
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from requests.structures import CaseInsensitiveDict

from functions.adapters.http.transport import Answer

if TYPE_CHECKING:
    from benchmarks.growth.backlog import StandingClock

A_PAGE = timedelta(seconds=0.5)
LASTS = timedelta(hours=1)


class EndedRun(NamedTuple):
    """One of them; a child where it has a parent."""

    end: int  # milliseconds
    name: str
    parent: str = ""

    def shown(self) -> dict[str, Any]:
        """As MLflow shows it."""
        start = self.end - LASTS // timedelta(milliseconds=1)
        info = {"run_id": self.name, "experiment_id": "1", "status": "FINISHED"}
        tags = [{"key": "mlflow.parentRunId", "value": self.parent}] if self.parent else []
        return {"info": {**info, "start_time": start, "end_time": self.end}, "data": {"tags": tags}}


class BusyWorkspace:
    """One experiment, whose runs it shows by end or by start, the last first, up to a moment."""

    def __init__(self, clock: StandingClock) -> None:
        self._clock = clock
        self._runs: list[EndedRun] = []
        self.pages = self.number = 0

    def end(self, name: str, at: datetime, parent: str = "") -> None:
        """A run has ended then."""
        since = at - datetime(1970, 1, 1, tzinfo=UTC)
        insort(self._runs, EndedRun(since // timedelta(milliseconds=1), name, parent))

    def mlflow(self, _where: object, call: str, _until: object, **asked: Any) -> Answer:  # noqa: ANN401
        """Experiments, a run, or a page of runs."""
        if call.endswith("experiments/search"):
            return _answer({"experiments": [{"experiment_id": "1", "name": "defect-detection"}]})
        if call.endswith("runs/get"):
            run = next(run for run in self._runs if run.name == asked["params"]["run_id"])
            return _answer({"run": run.shown()})
        return _answer(self._page(asked["body"]))

    def drop(self, *given: object) -> None:
        """Nothing was begun."""

    begin_mlflow = drop

    def _page(self, body: dict[str, Any]) -> dict[str, Any]:
        self.pages += 1
        self._clock.on(seconds=A_PAGE.total_seconds())
        last = len(self._runs)
        if "filter" in body:
            until = int(body["filter"].split("'")[1])
            by_start = "start_time" in body["filter"]
            until += LASTS // timedelta(milliseconds=1) if by_start else 0
            last = bisect_right(self._runs, until, key=lambda run: run.end)
        last = body.get("page_token", last)
        first = max(0, last - body["max_results"])
        shown = [run.shown() for run in reversed(self._runs[first:last])]
        return {"runs": shown, **({"next_page_token": first} if first else {})}


def _answer(body: object) -> Answer:
    return Answer(200, CaseInsensitiveDict(), json.dumps(body).encode())
