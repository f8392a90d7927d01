"""What holds a start back comes in one order, for the app and for who asks beforehand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.core.limits.admission import Admission
from functions.core.terms.reasons import Reason
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.relay.conftest import Desk

ROUTE = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: register
    start: {pipeline: 42}
"""
LIMIT, SHADOW = "    limit: 1/h\n", "    mode: shadow\n"


def forecast_and_outcome(desk: Desk, run: str) -> tuple[object, Reason]:
    """The reason that is told before the event comes, and the one that it has afterwards."""
    desk.end(run)
    (told,) = json.loads(desk.type("why", run, "--json").out)["routes"]
    desk.stage.deliver(completed(run))
    return told["reason"], desk.stage.only(run).reason


def test_what_holds_a_start_back_is_told_in_the_order_in_which_it_does(desk: Desk) -> None:
    stage = desk.stage
    stage.routes(ROUTE + LIMIT + SHADOW)
    stage.deploy(PAUSED="1")
    stage.use_up("register", "%Y-%m-%dT%H", hours=1)
    admission = Admission(stage.ports, stage.read.policy)
    account = admission.account("contoso", stage.read.policy.secret)
    admission.block(account, stage.read.policy.secret, "1", "refused")
    steps: dict[Reason, Callable[[], object]] = {
        Reason.SHADOW: lambda: stage.routes(ROUTE + LIMIT),
        Reason.PAUSED: lambda: stage.deploy(PAUSED="0"),
        Reason.CREDENTIAL_REFUSED: lambda: admission.unblock(account),
        Reason.LIMIT: lambda: stage.routes(ROUTE),
    }
    for number, (reason, lift) in enumerate(steps.items()):
        assert forecast_and_outcome(desk, f"r{number}") == (reason, reason)
        lift()
        stage.clock.forward(seconds=11)  # what is read of an account is believed for ten
    assert forecast_and_outcome(desk, "last") == (None, Reason.ANSWERED)
