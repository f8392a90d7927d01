"""An operator named a pipeline run by mistake: the end that is told is that of the right one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.kept.summary import EVER
from functions.core.ledger.places import ENDED
from functions.core.operators.replaying import Replaying
from functions.core.ports.ledger import Place
from functions.core.rounds import bounds
from functions.core.rounds.watch import By
from functions.core.terms.pipelines import PipelineRun
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.devops.pipelines.defined import RunRequest
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.flow.following.after import DEPLOY, asked, finish, sequel, set_up
from tests.flow.following.ends import ended, how, lines
from tests.flow.following.test_breaking import mortal
from tests.saying.refusals import POST_RUN, WRONG, says
from tests.saying.wrapped import Wrapped
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stage.azure import Stage


def name(stage: Stage, build: int) -> None:
    """Let an operator say that this is the pipeline run."""
    key = stage.of_run("r1")["register"].key
    run = PipelineRun(id=build, url=f"https://dev.azure.com/_build/results?buildId={build}")
    assert Replaying(stage.ledger, stage.clock, "ada").name(key, run).done


@pytest.fixture
def builds(stage: Stage, caplog: pytest.LogCaptureFixture) -> tuple[int, int]:
    """A start in doubt, for which a wrong build was named that is followed by now; the right one.

    Both are of one pipeline.
    """
    caplog.set_level(logging.INFO)
    stage.devops.server.faults.add(Fault("POST", POST_RUN, drop="after"))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.IN_DOUBT
    (right,) = stage.devops.runs
    by_hand = RunRequest(template_parameters={"run_id": "by hand"})
    wrong = stage.devops.queue(right.pipeline, by_hand).id
    name(stage, wrong)
    stage.reconcile(seconds=31)
    assert stage.ledger.followed.keys() == frozenset({stage.only("r1").key})
    return wrong, right.id


class Meanwhile(Wrapped):
    """The pipelines; somebody does something while a look is on its way."""

    def __init__(self, real: Any, act: Callable[[], None]) -> None:
        super().__init__(real)
        self._act: Callable[[], None] | None = act

    def ends(self, *given: Any) -> Any:
        found = self.real.ends(*given)
        if self._act:
            self._act()
            self._act = None
        return found


def is_told(stage: Stage, caplog: pytest.LogCaptureFixture, right: int) -> None:
    """How the right one ends is told, listed, and the last that is told."""
    assert how(stage) == ""
    (shown,) = stage.ledger.listed(EVER, 9)
    assert shown.ended is None
    stage.devops.finish(right, "succeeded")
    stage.reconcile(minutes=5)
    assert (str(ended(stage).how), ended(stage).detail) == ("succeeded", "")
    assert lines(caplog)[-1].startswith(f"pipeline_run={right} ended=succeeded ")
    (shown,) = stage.ledger.listed(EVER, 9)
    assert (shown.pipeline_run, shown.ended) == (right, "succeeded")
    told = len(lines(caplog))
    stage.reconcile(hours=2)
    assert (stage.ledger.followed.keys(), len(lines(caplog))) == (frozenset(), told)


def test_the_end_of_the_wrong_one_is_taken_back(
    stage: Stage, builds: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    wrong, right = builds
    stage.devops.finish(wrong, "failed")
    stage.reconcile(minutes=2)
    assert how(stage) == "failed"
    name(stage, right)
    stage.reconcile(minutes=1)
    is_told(stage, caplog, right)


def test_a_look_that_shows_the_end_of_the_wrong_one_ends_nothing(
    stage: Stage, builds: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    wrong, right = builds
    stage.devops.finish(wrong, "failed")
    stage.build(pipelines=Meanwhile(stage.ports.pipelines, lambda: name(stage, right)))
    stage.reconcile(minutes=2)
    is_told(stage, caplog, right)
    assert len(lines(caplog)) == 1


def test_the_wrong_one_ends_after_the_right_one_and_nothing_is_told(
    stage: Stage, builds: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    wrong, right = builds
    stage.reconcile(minutes=2)  # the wrong one goes on, and is looked at later
    stage.devops.finish(right, "succeeded")
    name(stage, right)
    stage.reconcile(seconds=1)
    assert how(stage) == "succeeded"
    stage.devops.finish(wrong, "failed")
    stage.reconcile(minutes=10)
    assert how(stage) == "succeeded"
    assert len(lines(caplog)) == 1


def with_a_sequel(stage: Stage) -> tuple[int, int]:
    """One that was started by hand, and named, and the one whose answer was lost; both followed."""
    set_up(stage)
    stage.devops.server.faults.add(Fault("POST", POST_RUN, drop="after"))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    (right,) = stage.devops.runs
    by_hand = RunRequest(template_parameters={"run_id": "by hand"})
    wrong = stage.devops.queue(right.pipeline, by_hand)
    name(stage, wrong.id)
    stage.reconcile(seconds=31)
    return wrong.id, right.id


def test_what_went_on_by_the_end_of_the_wrong_one_and_was_not_started_waits_for_the_right_ones(
    stage: Stage,
) -> None:
    """It is decided anew by what the right one's end tells."""
    wrong, right = with_a_sequel(stage)
    stage.deploy(PAUSED="1")
    finish(stage, wrong, "succeeded")
    assert sequel(stage, "register.succeeded").is_open
    name(stage, right)
    stage.deploy(PAUSED="0")
    stage.reconcile(minutes=2)
    assert asked(stage) == [42]
    finish(stage, right, "succeeded")
    assert asked(stage) == [42, DEPLOY]
    assert stage.devops.runs[-1].template_parameters["after"] == str(right)


def test_what_failed_by_the_end_of_the_wrong_one_goes_on_by_that_of_the_right_one(
    stage: Stage,
) -> None:
    """Nothing was queued for it, and what a replay asks for is the end that was taken back."""
    wrong, right = with_a_sequel(stage)
    stage.devops.server.faults.add(says(400, WRONG, path=f"*/pipelines/{DEPLOY}/runs"))
    finish(stage, wrong, "succeeded")
    assert sequel(stage, "register.succeeded").state is State.FAILED
    name(stage, right)
    stage.reconcile(minutes=2)
    finish(stage, right, "succeeded")
    assert asked(stage) == [42, DEPLOY]
    assert stage.devops.runs[-1].template_parameters["after"] == str(right)


def test_who_stood_still_at_the_end_of_the_wrong_one_takes_the_right_one_off_no_list(
    stage: Stage, builds: tuple[int, int]
) -> None:
    """It was corrected meanwhile, and a round that had no time for looks has it followed anew."""
    wrong, right = builds
    stage.devops.finish(wrong, "failed")
    rows, frozen = mortal(stage), list[str]()

    def corrected(kind: str, *given: object) -> None:
        place = given[0]
        if kind == "put" and isinstance(place, Place) and place.partition == ENDED and not frozen:
            frozen.append(kind)
            own = stage.app
            stage.build()
            name(stage, right)
            most = bounds.whole(stage.clock)._replace(followed=0)
            stage.app.reconciler.round(most, By.TIMER)
            stage.app = own

    rows.before = corrected
    stage.reconcile(seconds=35)
    assert len(frozen) == 1
    stage.deploy()
    stage.devops.finish(right, "succeeded")
    for _ in range(30):
        stage.reconcile(minutes=3)
    assert how(stage) == "succeeded"
    (shown,) = stage.ledger.listed(EVER, 9)
    assert (shown.pipeline_run, shown.ended) == (right, "succeeded")
