"""A start that is followed: taken up by the first round after its lease, and looked at since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flow.asking import EXPERIMENT
from tests.soak.team import AFTER_ALL
from tests.stage.azure import completed

if TYPE_CHECKING:
    import pytest

    from functions.core.terms.pipelines import PipelineEnd
    from tests.stage.azure import Stage

LISTED = "/_apis/build/builds"


def started(stage: Stage, *runs: str) -> list[int]:
    """Start these, and let the next rounds take them off the schedule; the ids of their builds."""
    for run in runs or ("r1",):
        stage.aml.add_run(run, experiment=EXPERIMENT)
        stage.deliver(completed(run))
    stage.reconcile(seconds=121)
    if stage.ledger.backlog(AFTER_ALL).open:  # a busy machine may hold one back
        stage.reconcile(seconds=1)
    assert stage.ledger.backlog(AFTER_ALL).open == 0
    return [build.id for build in stage.devops.runs]


def looks(stage: Stage) -> list[str]:
    """The ids that were asked for, a text for each request."""
    asked = stage.devops.server.received("GET", LISTED)
    return [request.query["buildIds"] for request in asked if "buildIds" in request.query]


def ended(stage: Stage, run: str = "r1") -> PipelineEnd:
    """How it ended, and that it is still what it was."""
    c = stage.only(run)
    assert c.state == "started"
    assert c.ended is not None
    return c.ended


def how(stage: Stage, run: str = "r1") -> str:
    """The word for its end; "" while there is none."""
    end = stage.only(run).ended
    return str(end.how) if end else ""


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines that tell of ends."""
    return [m for m in caplog.messages if m.startswith("pipeline_run=")]
