"""`bin/relay wait RUN_ID`, as a user meets it."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING

import pytest

from local.arm.jobs import Job
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.relay.waiting.waiter import Training, until
from tests.stage.azure import completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from tests.relay.conftest import Desk
    from tests.relay.waiting.conftest import Wait

JOB = "*/jobs/r1"
RUN = "*/runs/get"
STUDIO = f"https://ml.azure.com/runs/r1?wsid={WORKSPACE}"


@pytest.mark.parametrize(("status", "code"), [("Completed", 0), ("Failed", 10), ("Canceled", 11)])
def test_each_end_has_its_own_exit_code(cloud: Cloud, wait: Wait, status: str, code: int) -> None:
    training = Training(cloud, "r1")
    waiting = wait("r1")
    assert waiting.tells("Running")
    training.becomes(status)
    assert (waiting.code(), waiting.statuses()) == (code, ["Running", status])


def test_each_change_is_told_once_with_its_time_in_amls_own_words(cloud: Cloud, wait: Wait) -> None:
    words = ["Preparing", "Queued", "Running", "Finalizing", "Completed"]
    training = Training(cloud, "r1", "NotStarted")
    waiting = wait("r1")
    for word in words:
        assert waiting.tells("NotStarted")
        training.becomes(word)
        assert waiting.tells(f" {word}\n")
    assert (waiting.code(), waiting.statuses()) == (0, ["NotStarted", *words])
    told = [line for line in waiting.out.splitlines() if line.endswith("Queued")]
    assert re.fullmatch(r"[\d-]{10} [\d:]{8} UTC +\d+ s  Queued", told[0])


def test_the_address_of_the_runs_page_names_run_and_workspace(cloud: Cloud, wait: Wait) -> None:
    Training(cloud, "r1", "Completed")
    waiting = wait(STUDIO, SWEEP_WORKSPACES="")
    assert waiting.code() == 0
    assert f"waiting for r1 of ml-prod: {STUDIO}\n" in waiting.out


def test_a_run_that_is_no_job_is_told_in_mlflows_words(cloud: Cloud, wait: Wait) -> None:
    cloud.aml.add_run("r1", status="Running")
    waiting = wait("r1")
    assert waiting.tells("RUNNING")
    cloud.aml.add_run("r1", status="Failed")
    assert (waiting.code(), waiting.statuses()) == (10, ["RUNNING", "FAILED"])


def test_a_job_that_may_not_be_read_is_told_as_its_run(cloud: Cloud, wait: Wait) -> None:
    Training(cloud, "r1", "Completed")
    cloud.arm.server.faults.add(Fault("GET", JOB, status=403, times=9))
    waiting = wait("r1")
    assert (waiting.code(), waiting.statuses()) == (0, ["FINISHED"])


def test_a_run_that_nobody_knows_is_not_found(wait: Wait) -> None:
    waiting = wait("nobody")
    assert (waiting.code(), waiting.statuses()) == (3, [])
    assert waiting.err == "the job nobody of ml-prod: answered 404: Job nobody not found.\n"


def test_the_workspaces_that_the_ledger_tells_of_are_known(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    said = desk.type("wait", "r1", SWEEP_WORKSPACES="")
    assert (said.code, said.err) == (0, "")
    assert "FINISHED" in said.out


def test_a_workspace_that_is_not_there_is_not_found(wait: Wait) -> None:
    waiting = wait("r1", "--workspace", WORKSPACE.replace("ml-prod", "ml-gone"))
    assert (waiting.code(), "ml-gone" in waiting.err) == (3, True)


def test_who_may_read_nothing_is_refused_at_once(cloud: Cloud, wait: Wait) -> None:
    Training(cloud, "r1")
    cloud.arm.server.faults.add(Fault("GET", status=403, times=9))
    waiting = wait("r1")
    assert (waiting.code(), waiting.err) == (4, "the job r1 of ml-prod: answered 403\n")


def test_who_is_not_signed_in_is_refused_at_once(cloud: Cloud, wait: Wait, tmp_path: Path) -> None:
    Training(cloud, "r1")
    waiting = wait("r1", IDENTITY_HEADER="wrong", PATH=str(tmp_path))
    assert (waiting.code(), "no token" in waiting.err) == (4, True)


def test_a_flaky_service_costs_patience_and_not_the_answer(cloud: Cloud, wait: Wait) -> None:
    training = Training(cloud, "r1")
    waiting = wait("r1")
    assert waiting.tells("Running")
    for fault in (
        Fault("GET", JOB, status=503, times=2),
        Fault("GET", JOB, drop="before", times=2),
        Fault("GET", JOB, status=401),
        Fault("GET", RUN, status=401),
        Fault("GET", JOB, status=200, body="<html>Sign in</html>"),
    ):
        cloud.arm.server.faults.add(fault)
    cloud.aml.server.faults.add(Fault("GET", RUN, status=401))
    assert waiting.tells("answered 200")
    training.becomes("Completed")
    assert waiting.code() == 0
    assert waiting.statuses()[-1] == "Completed"
    assert "cannot be read, trying again: the job r1 of ml-prod: answered 503" in waiting.out


def test_a_service_that_does_not_recover_ends_the_wait_as_unreadable(
    cloud: Cloud, wait: Wait
) -> None:
    Training(cloud, "r1", "Completed")
    cloud.arm.server.faults.add(Fault("GET", JOB, status=503, times=999))
    waiting = wait("r1", "--patience", "1s")
    assert (waiting.code(), waiting.err) == (12, "the job r1 of ml-prod: answered 503\n")


def test_a_run_that_is_no_job_and_was_deleted_is_not_found(cloud: Cloud, wait: Wait) -> None:
    cloud.aml.add_run("r1")
    cloud.aml.delete_run("r1")
    waiting = wait("r1")
    assert (waiting.code(), waiting.err) == (3, "the run r1 of ml-prod was deleted\n")


def test_a_run_that_is_deleted_while_its_job_is_waited_for_is_no_success(
    cloud: Cloud, wait: Wait
) -> None:
    Training(cloud, "r1", "Running")
    waiting = wait("r1")
    assert waiting.tells("Running")
    cloud.aml.delete_run("r1")
    cloud.arm.add_job(WORKSPACE, Job("r1", status="Completed"))
    assert (waiting.code(), waiting.err) == (3, "the run r1 of ml-prod was deleted\n")


@pytest.mark.parametrize("server", ["arm", "aml"])
def test_an_answer_about_another_run_is_none(cloud: Cloud, wait: Wait, server: str) -> None:
    Training(cloud, "r1", "Failed")
    job = {"name": "another", "properties": {"status": "Completed"}}
    run = {"run": {"info": {"run_id": "another", "status": "FINISHED"}}}
    path, said = (JOB, job) if server == "arm" else (RUN, run)
    if server == "aml":
        cloud.arm.server.faults.add(Fault("GET", JOB, status=404, times=999))
    fault = Fault("GET", path, status=200, body=json.dumps(said), times=999)
    getattr(cloud, server).server.faults.add(fault)
    waiting = wait("r1", "--patience", "1s")
    assert (waiting.code(), "the answer is about another" in waiting.err) == (12, True)


@pytest.mark.parametrize(
    "word", ["", "Unknown", "NotResponding", "Paused", "Succeeded", "completed"]
)
def test_a_status_that_says_no_end_is_no_success(cloud: Cloud, wait: Wait, word: str) -> None:
    cloud.arm.add_job(WORKSPACE, Job("r1", status=word))
    waiting = wait("r1", "--patience", "1s")
    assert waiting.code() == 12
    assert waiting.err == f"its status is still {word or 'no status'}\n"


def test_a_run_that_stopped_responding_may_still_complete(cloud: Cloud, wait: Wait) -> None:
    training = Training(cloud, "r1", "NotResponding")
    waiting = wait("r1")
    assert waiting.tells("NotResponding")
    training.becomes("Completed")
    assert waiting.code() == 0


def test_a_job_and_a_run_that_contradict_each_other_are_no_success(
    cloud: Cloud, wait: Wait
) -> None:
    Training(cloud, "r1").becomes("Completed", run="Failed")
    waiting = wait("r1")
    assert waiting.code() == 12
    assert waiting.err == "the job says Completed, but the run says FAILED\n"


def test_a_timeout_has_its_own_exit_code_and_leaves_the_job_alone(cloud: Cloud, wait: Wait) -> None:
    training = Training(cloud, "r1", "Queued")
    waiting = wait("r1", "--timeout", "1s")
    assert (waiting.code(), training.cancels) == (5, 0)
    assert re.fullmatch(r"timed out after \d+ s: the status is Queued\n", waiting.err)


def test_a_job_may_be_cancelled_when_the_time_is_up(cloud: Cloud, wait: Wait) -> None:
    training = Training(cloud, "r1")
    waiting = wait("r1", "--timeout", "1s", "--cancel-on-timeout")
    assert (waiting.code(), training.cancels) == (5, 1)
    assert "r1 is being cancelled" in waiting.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_cancels_the_job_if_asked(
    cloud: Cloud, wait: Wait, number: signal.Signals
) -> None:
    training = Training(cloud, "r1")
    waiting = wait("r1", "--cancel-on-interrupt")
    assert waiting.tells("Running")
    waiting.signal(number)
    assert (waiting.code(), training.cancels) == (130, 1)
    assert waiting.err == "r1 is being cancelled\n"


def test_an_interruption_alone_leaves_the_job_running(cloud: Cloud, wait: Wait) -> None:
    training = Training(cloud, "r1")
    waiting = wait("r1")
    assert waiting.tells("Running")
    waiting.signal(signal.SIGINT)
    assert (waiting.code(), training.cancels) == (130, 0)
    assert waiting.err == "interrupted: r1 goes on\n"


def test_a_job_that_cannot_be_cancelled_is_said_so(cloud: Cloud, wait: Wait) -> None:
    Training(cloud, "r1")
    cloud.arm.server.faults.add(Fault("POST", f"{JOB}/cancel", status=403))
    waiting = wait("r1", "--cancel-on-interrupt")
    assert waiting.tells("Running")
    waiting.signal(signal.SIGINT)
    assert waiting.code() == 130
    assert waiting.err == "r1 could not be cancelled: cancelling r1: answered 403\n"


def test_tokens_are_renewed_for_as_long_as_it_waits(cloud: Cloud, wait: Wait) -> None:
    cloud.identity.lifetime = 2
    training = Training(cloud, "r1")
    waiting = wait("r1")
    assert waiting.tells("Running")
    issued = cloud.identity.server.requests
    before = len(issued)
    looks = cloud.arm.server.requests
    first = looks[-1].at
    until(lambda: looks[-1].at - first > 2 * cloud.identity.lifetime)
    training.becomes("Completed")
    assert waiting.code() == 0
    assert len(issued) > before
    assert "cannot be read" not in waiting.out


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ((), "say which run"),
        (("r1", "--submit", "job.yml"), "say which run"),
        (("r1", "--set", "a=b"), "--submit"),
        (("r1", "--timeout", "soon"), "is no length of time"),
        (("r1", "--require", "metrics.accuracy >="), "does not compile"),
        (("r1", "--require", "metrics.accuracy + 1"), "--require"),
        (("r1", "--workspace", "ml-prod"), "no AML workspace id"),
        (("https://example.org/runs/r1",), "no address of AML Studio"),
        ((STUDIO, "--workspace", WORKSPACE.replace("prod", "x")), "another one"),
    ],
)
def test_what_is_not_understood_is_a_usage_error(
    wait: Wait, cloud: Cloud, words: tuple[str, ...], what: str
) -> None:
    waiting = wait(*words)
    assert (waiting.code(), what in waiting.err) == (2, True), waiting.err
    assert cloud.arm.server.requests == []


@pytest.mark.parametrize("known", ["", f"{WORKSPACE},{WORKSPACE}-2"])
def test_without_the_one_workspace_it_says_how_to_name_it(wait: Wait, known: str) -> None:
    waiting = wait("r1", SWEEP_WORKSPACES=known)
    assert (waiting.code(), "--workspace or SWEEP_WORKSPACES" in waiting.err) == (2, True)
