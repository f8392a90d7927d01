"""An organization is blocked for the version of the secret that it refused, and for no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import SECRET
from local.serving.faults import Fault
from tests.conftest import PAT
from tests.flow.asking import EXPERIMENT
from tests.saying.refusals import POST_RUN, says
from tests.saying.wrapped import Wrapped
from tests.stage.azure import completed
from tests.stage.identities import all_answered

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from functions.core.terms.pipelines import Sender
    from tests.stage.azure import Stage

ACCOUNT = "account/contoso/azure-devops-pat"


def deliver(stage: Stage, run: str) -> Continuation:
    stage.aml.add_run(run, experiment=EXPERIMENT)
    stage.deliver(completed(run))
    return stage.only(run)


class SlowlyRenewed(Wrapped):
    """The credentials; the first fresh read takes long, and finds `renewed` if that is given."""

    def __init__(self, stage: Stage, renewed: str = "") -> None:
        super().__init__(stage.ports.credentials)
        self._stage = stage
        self._renewed = renewed
        self._slow = True

    def read(self, sender: Sender, deadline: object, *, fresh: bool = False) -> Any:
        if fresh and self._slow:
            self._slow = False
            self._stage.clock.forward(seconds=16)  # no time is left to try it
            if self._renewed:
                self._stage.cloud.vault.put(sender.secret, self._renewed)
        return self.real.read(sender, deadline, fresh=fresh)


def test_a_renewed_secret_that_there_was_no_time_to_try_is_tried_next(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.cloud.vault.put("azure-devops-pat", "revoked")
    stage.build(credentials=SlowlyRenewed(stage, stage.cloud.pat))
    stage.deliver(completed("r1"))
    assert (stage.only("r1").reason, stage.posts()) == (Reason.CREDENTIAL_REFUSED, 1)
    stage.reconcile(seconds=60)
    assert stage.started() == [(42, "r1")]


def test_the_refused_secret_is_not_tried_again_because_time_ran_out(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.cloud.vault.put("azure-devops-pat", "revoked")
    stage.build(credentials=SlowlyRenewed(stage))
    stage.deliver(completed("r1"))
    stage.reconcile(seconds=60)
    assert (stage.only("r1").reason, stage.posts()) == (Reason.CREDENTIAL_REFUSED, 1)


def test_a_renewed_secret_that_is_refused_as_well_is_not_tried_again(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.add_run("r2", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    stage.devops.refuse(stage.cloud.pat)
    stage.cloud.vault.put("azure-devops-pat", "wrong-too")
    stage.deliver(completed("r2"))
    tried = stage.posts()
    stage.reconcile(seconds=60)
    assert (tried, stage.posts()) == (3, 3)
    assert stage.only("r2").reason is Reason.CREDENTIAL_REFUSED


@pytest.mark.parametrize("seconds", [10**12, 10**15, 10**30])
def test_a_token_that_ends_beyond_all_years_is_used_all_the_same(
    stage: Stage, seconds: int
) -> None:
    stage.cloud.identity.lifetime = seconds
    stage.deploy(DEVOPS_AUTH="entra")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize("expires", [253_402_300_800, 10**30, -(10**14)])
def test_a_secret_whose_end_is_no_time_is_used_all_the_same(stage: Stage, expires: int) -> None:
    stage.cloud.vault.put(SECRET, stage.cloud.pat, expires)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    stage.app.sweep.sweep()
    assert stage.started() == [(42, "r1")]


# a credential that is refused to who looks


@pytest.mark.parametrize("auth", ["entra", "pat"])
def test_a_look_up_with_an_old_credential_blocks_nobody_while_a_newer_one_is_there(
    stage: Stage, auth: str
) -> None:
    stage.deploy(DEVOPS_AUTH=auth)
    stage.devops.server.faults.add(Fault("POST", POST_RUN, drop="after"))
    assert deliver(stage, "r1").reason is Reason.IN_DOUBT
    stage.clock.forward(minutes=2)
    if auth == "entra":
        stage.cloud.identity.revoke()
    else:
        stage.devops.refuse(PAT, "401-json")
        stage.devops.accept("renewed")
        stage.cloud.vault.put("azure-devops-pat", "renewed")
    stage.reconcile(seconds=1)
    all_answered()
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.STARTED, Reason.FOUND)
    assert not stage.ledger.shared(ACCOUNT).value


def test_a_look_up_that_is_refused_with_the_newest_credential_blocks_the_account(
    stage: Stage,
) -> None:
    stage.devops.server.faults.add(Fault("POST", POST_RUN, drop="after"))
    deliver(stage, "r1")
    stage.devops.refuse(PAT, "401-json")
    stage.reconcile(seconds=31)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.CREDENTIAL_REFUSED)
    assert deliver(stage, "r2").reason is Reason.CREDENTIAL_REFUSED
    assert stage.posts() == 1
    stage.devops.accept("renewed")
    stage.cloud.vault.put("azure-devops-pat", "renewed")
    stage.reconcile(seconds=60)
    assert sorted(run for _, run in stage.started()) == ["r1", "r2"]


# what to do about it


def test_who_is_refused_as_the_identity_is_not_sent_to_renew_a_secret(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.deploy(DEVOPS_AUTH="entra")
    refusal = says(401, "TF401444: Please sign-in at least once as x.", times=2)
    stage.devops.server.faults.add(refusal)
    row = deliver(stage, "r1")
    assert row.reason is Reason.CREDENTIAL_REFUSED
    shown = stage.app.overview.one(row.key.text).told
    assert "secret" not in " ".join(shown)
    assert "refused the app's identity" in shown.means
    assert "a user of the organization" in shown.do
    (line,) = [m for m in caplog.messages if m.startswith("blocked=")]
    assert line.startswith("blocked=contoso reason=credential_refused")
