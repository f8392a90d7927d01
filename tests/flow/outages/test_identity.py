"""An identity endpoint that hangs, fails or lies: a good token is used, and the fault is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Retryable
from functions.core.terms.pipelines import Sender
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import SECRET
from local.eventgrid.outcomes import OutcomeTopic
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.stage.azure import Stage, completed
from tests.stage.identities import JSON, ODD, all_answered, broken, hits, odd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import Cloud

FOR_APPS = ("pat", "entra")


@pytest.fixture(params=FOR_APPS)
def running(stage: Stage, request: pytest.FixtureRequest) -> Stage:
    """An app that has started a pipeline, half a token's life ago."""
    stage.deploy(DEVOPS_AUTH=request.param)
    start(stage, "before")
    stage.clock.forward(hours=13)
    return stage


def start(stage: Stage, run: str) -> None:
    stage.aml.add_run(run, experiment=EXPERIMENT)
    stage.deliver(completed(run))


def asked(stage: Stage) -> int:
    return len(stage.cloud.identity.server.requests)


def test_a_start_with_a_good_token_waits_for_no_endpoint(running: Stage) -> None:
    hanging = broken(running.cloud.identity, hang=True)
    start(running, "r1")
    start(running, "r2")
    assert [run for _, run in running.started()] == ["before", "r1", "r2"]
    scopes = 2 if running.read.devops_entra else 1  # the vault's client holds its own, by real time
    assert hits(hanging) <= scopes
    running.cloud.identity.server.faults.clear()
    all_answered()


def test_a_failed_renewal_is_told_once_and_pauses(
    running: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    failing = broken(running.cloud.identity, status=503, body="busy")
    start(running, "r1")
    all_answered()
    before = hits(failing)
    for number in range(2, 6):
        start(running, f"r{number}")
    assert len(running.started()) == 6
    assert (before, hits(failing)) == ((2, 2) if running.read.devops_entra else (1, 1))
    told = [m for m in caplog.messages if m.startswith('token="not renewed"')]
    assert len(told) == before
    assert "the identity endpoint answered 503" in told[0]


def test_a_round_goes_on_with_a_good_token(running: Stage) -> None:
    busy = Fault(path="*/runs/get", status=503, times=1000)
    running.aml.server.faults.add(busy)
    for number in range(10):
        start(running, f"r{number}")
    running.aml.server.faults.clear()
    running.clock.forward(hours=6)  # what was renewed meanwhile is due again
    hanging = broken(running.cloud.identity, hang=True)
    running.reconcile(minutes=10)
    assert len(running.started()) == 11
    assert hits(hanging) <= 2
    running.cloud.identity.server.faults.clear()
    all_answered()


def test_a_round_without_a_token_asks_once_and_not_for_each(stage: Stage) -> None:
    stage.deploy(PAUSED="1")
    for number in range(20):
        start(stage, f"r{number}")
    stage.deploy(PAUSED="0")
    failing = broken(stage.cloud.identity, drop="before")
    stage.reconcile(minutes=1)
    assert 1 <= hits(failing) <= 5  # one, and another for each five seconds of a slow machine
    stage.cloud.identity.server.faults.clear()
    stage.reconcile(minutes=10)
    assert len(stage.started()) == 20


def test_a_delivery_without_a_token_parks_and_says_whose_fault_it_is(stage: Stage) -> None:
    broken(stage.cloud.identity, status=500, body="Internal Server Error")
    start(stage, "r1")
    c = stage.only("r1")
    assert (c.state, c.reason) == (State.OPEN, Reason.RUN_UNREADABLE)
    assert c.detail.endswith("/.default: the identity endpoint answered 500")


def deadline(stage: Stage) -> Deadline:
    return Deadline(stage.clock, 20)


@pytest.mark.parametrize("name", ODD)
def test_whatever_the_endpoint_answers_is_told_as_the_identitys(stage: Stage, name: str) -> None:
    odd(stage.cloud.identity, name)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    with pytest.raises(Retryable) as by_vault:
        stage.ports.credentials.read(Sender("contoso", SECRET), deadline(stage))
    stage.deliver(completed("r1"))
    stage.deploy(DEVOPS_AUTH="entra")
    with pytest.raises(Retryable) as by_devops:
        stage.ports.credentials.read(Sender("contoso", "any"), deadline(stage))
    details = [by_vault.value.detail, stage.only("r1").detail, by_devops.value.detail]
    for detail in details:
        assert f"the identity endpoint answered {ODD[name][0]}" in detail
        assert "hidden" not in detail
    assert {by_vault.value.reason, by_devops.value.reason} == {Reason.SECRET_UNREADABLE}
    assert stage.only("r1").reason is Reason.RUN_UNREADABLE


def test_an_endpoint_that_gives_a_token_for_centuries_is_believed_for_a_day(stage: Stage) -> None:
    issued = stage.cloud.identity
    issued.lifetime = 10**13
    stage.deploy(DEVOPS_AUTH="entra")
    start(stage, "r1")
    assert stage.started() == [(42, "r1")]


def test_what_the_endpoint_echoes_of_its_secret_is_not_told(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    secret = stage.cloud.identity.header
    body = f'{{"statusCode": 400, "message": "{secret} is not known"}}'
    broken(stage.cloud.identity, status=400, headers={"Content-Type": JSON}, body=body)
    start(stage, "r1")
    assert "*** is not known" in stage.only("r1").detail
    assert secret not in caplog.text


@pytest.fixture
def topic(cloud: Cloud) -> Iterator[OutcomeTopic]:
    with OutcomeTopic(cloud.identity.accepts, cloud.tls) as topic:
        yield topic


@pytest.mark.parametrize("name", ["plain-500", "list", "end-infinite"])
def test_outcomes_without_a_token_cost_nothing_but_a_warning(
    cloud: Cloud, tmp_path: Path, topic: OutcomeTopic, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(cloud, tmp_path, OUTCOME_TOPIC_ENDPOINT=topic.endpoint)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    odd(cloud.identity, name)
    stage.deliver(completed("r1"))
    (told,) = [m for m in caplog.messages if m.startswith("outcomes=")]
    assert "the identity endpoint answered" in told
    assert topic.events == []


@pytest.mark.parametrize("auth", FOR_APPS)
def test_tokens_that_are_revoked_are_renewed_and_the_continuation_starts(
    stage: Stage, auth: str
) -> None:
    stage.deploy(DEVOPS_AUTH=auth)
    start(stage, "before")
    stage.clock.forward(minutes=10)
    stage.cloud.identity.revoke()
    start(stage, "r1")
    assert stage.only("r1").reason is Reason.RUN_UNREADABLE
    for _ in range(2):  # each service refuses the token that it is given
        all_answered()
        stage.reconcile(minutes=10)
    assert stage.started() == [(42, "before"), (42, "r1")]
