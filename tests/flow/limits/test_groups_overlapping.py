"""Two rounds at once where somebody waits who is not to go: in one process, and in two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.core.memory import file_order
from functions.core.rounds import bounds
from functions.core.rounds.watch import By
from functions.core.terms.deadline import Deadline
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.limits.groups import GROUP, LATEST, ONE, finish, rounds, started, trained
from tests.flow.limits.test_lines import next_hour
from tests.flow.limits.test_two_versions import versions
from tests.flow.notices.people import WEBHOOK, notified, told
from tests.saying.refusals import WRONG, says
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azure import Stage

EARLIER, LATER = "2026-11-21T19:00:00Z", "2026-11-21T20:00:00Z"
TWO_LATEST = ONE.replace(GROUP, f"{GROUP[:-1]}, at_most: 2, queue: latest}}")


class Meanwhile(Wrapped):
    """A ledger at which something else happens once, before such a call."""

    def __init__(self, real: Any, call: str, when: Callable[..., bool], act: Any) -> None:
        super().__init__(real)
        self._call, self._when, self._acts = call, when, [act]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)

        def called(*given: Any, **named: Any) -> Any:
            if self._acts and self._when(*given):
                self._acts.pop()()
            return found(*given, **named)

        return called if name == self._call else found


def test_another_round_of_the_process_does_not_let_go_who_is_not_to_go(stage: Stage) -> None:
    """One beside a delivery has no time left, and begins while the timer's is in the middle."""
    stage.routes(TWO_LATEST)
    stage.deploy()
    trained(stage, "a", "b")
    trained(stage, "old", at=EARLIER)
    for run in stage.devops.runs:
        stage.devops.finish(run.id, "succeeded")
    finish(stage, "a")
    trained(stage, "new", at=LATER)
    assert {stage.only(run).reason for run in ("old", "new")} == {Reason.CONCURRENCY}

    def beside() -> None:
        no_time = bounds.beside(stage.clock, Deadline(stage.clock, 0, 0))
        stage.app.reconciler.round(no_time, By.DELIVERY)

    stage.build(ledger=Meanwhile(stage.ledger, "due", lambda *_: True, beside))
    rounds(stage, 3)
    assert started(stage) == ["a", "b", "new"]
    assert stage.only("old").reason is Reason.SUPERSEDED


def test_who_stands_still_before_it_ends_one_forgets_nothing_of_what_became_of_it_since(
    cloud: Cloud, tmp_path: Path
) -> None:
    """A newer file without the group let it go meanwhile, and it was refused for good."""
    texts = (notified(WEBHOOK, text) for text in (LATEST, ROUTES))
    old, new = versions(cloud, tmp_path, *texts)
    trained(old, "a")
    trained(old, "b", at=EARLIER)
    trained(old, "c", at=LATER)

    def ends_it(_: object, changed: Any) -> bool:
        return bool(changed.reason is Reason.SUPERSEDED)

    def meanwhile() -> None:
        new.devops.server.faults.add(says(400, WRONG, times=2))
        new.reconcile(seconds=1)

    old.build(ledger=Meanwhile(old.ledger, "write", ends_it, meanwhile))
    rounds(old, 1)
    assert {new.only(run).state for run in "bc"} == {State.FAILED}
    rounds(new, 3)
    assert [told(new, run) for run in "bc"] == [["webhook/hook-ops waits"]] * 2


@pytest.mark.parametrize("limited", [False, True])
def test_an_older_file_ends_nobody_whom_the_newer_one_lets_wait(
    cloud: Cloud, tmp_path: Path, *, limited: bool
) -> None:
    """What is skipped is not replayed, and an instance of the old version lasts for minutes."""
    texts = [LATEST, ONE]
    if limited:
        texts = [text.replace("concurrency:", "limit: 9/h\n    concurrency:") for text in texts]
    old, new = versions(cloud, tmp_path, *texts)
    if limited:
        new.use_up("register", "%Y-%m-%dT%H")
    else:
        trained(new, "a")
    trained(new, "b", at=EARLIER)
    trained(new, "c", at=LATER)
    if limited:
        next_hour(old)
    file = new.ports.routes.routes().file
    file_order.note(new.ledger, file, new.clock.now())
    rounds(old, 4)
    assert new.only("b").reason is not Reason.SUPERSEDED
