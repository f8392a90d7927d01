"""`bin/relay wait --submit job.yml`: a job is submitted through `az`, then waited for."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from local.cloud import SUBSCRIPTION
from local.identity import MANAGEMENT
from tests.relay.waiting.waiter import Training, until

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from tests.relay.waiting.conftest import Wait
    from tests.relay.waiting.waiter import JobsCli

WHERE = {
    "--subscription": SUBSCRIPTION,
    "--resource-group": "rg-ml",
    "--workspace-name": "ml-prod",
    "--query": "name",
    "--output": "tsv",
}


@pytest.fixture
def job(tmp_path: Path) -> str:
    file = tmp_path / "job.yml"
    file.write_text("command: python train.py\n", "utf-8")
    return str(file)


def test_a_job_is_submitted_and_waited_for(cloud: Cloud, wait: Wait, az: JobsCli, job: str) -> None:
    training = Training(cloud, "plum_pot_1", "Queued")
    az.answers("plum_pot_1\n")
    waiting = wait("--submit", job, **az.environ())
    assert waiting.tells("Queued")
    training.becomes("Completed")
    assert waiting.code() == 0
    assert "waiting for plum_pot_1 of ml-prod" in waiting.out


def test_the_cli_is_told_file_workspace_name_and_changes(
    cloud: Cloud, wait: Wait, az: JobsCli, job: str
) -> None:
    Training(cloud, "pr-7", "Completed")
    az.answers("pr-7\n")
    changes = [
        "inputs.epochs=1",
        "inputs.data.path=azureml:toy:1",
        "display_name=a b; rm -rf $HOME",
    ]
    words = [word for change in changes for word in ("--set", change)]
    assert wait("--submit", job, "--name", "pr-7", *words, **az.environ()).code() == 0
    (call,) = az.calls()
    where = [word for pair in {"--file": job, **WHERE}.items() for word in pair]
    assert call == ["ml", "job", "create", *where, "--name", "pr-7", "--set", *changes]


def test_it_reads_as_who_submitted(cloud: Cloud, wait: Wait, az: JobsCli, job: str) -> None:
    Training(cloud, "r1", "Completed")
    az.answers("r1")
    machine = cloud.identity.environment()  # whose identity is another one
    assert wait("--submit", job, **{**az.environ(), **machine}).code() == 0
    assert az.tokens() == [MANAGEMENT]


def test_what_the_cli_refuses_is_said_in_its_words(wait: Wait, az: JobsCli, job: str) -> None:
    az.answers(err="WARNING: preview\nERROR: (UserError) no compute\n\x1b[0mtrace\n", code=1)
    waiting = wait("--submit", job, **az.environ())
    assert waiting.code() == 4
    assert waiting.err == "az ml job create failed: ERROR: (UserError) no compute\n"


@pytest.mark.parametrize("out", ["", "two\nlines\n", "a b\n"])
def test_an_answer_that_is_no_run_id_is_no_submission(
    wait: Wait, az: JobsCli, job: str, out: str
) -> None:
    az.answers(out)
    waiting = wait("--submit", job, **az.environ())
    assert (waiting.code(), "told no run id" in waiting.err) == (4, True)


def test_without_the_cli_it_says_so(wait: Wait, job: str, tmp_path: Path) -> None:
    waiting = wait("--submit", job, PATH=str(tmp_path))
    assert (waiting.code(), "there is no az on the PATH" in waiting.err) == (4, True)


def test_a_job_file_that_is_not_there_is_not_found(wait: Wait, az: JobsCli, tmp_path: Path) -> None:
    waiting = wait("--submit", str(tmp_path / "none.yml"), **az.environ())
    assert (waiting.code(), "there is no job file" in waiting.err) == (3, True)
    assert az.calls() == []


@pytest.mark.parametrize(
    "words", [("--set", "epochs"), ("--set", "--debug=1"), ("--name", "-x"), ("--name", "a b")]
)
def test_what_could_be_taken_for_an_option_is_a_usage_error(
    wait: Wait, az: JobsCli, job: str, words: tuple[str, ...]
) -> None:
    assert wait("--submit", job, *words, **az.environ()).code() == 2
    assert az.calls() == []


def test_a_cli_that_hangs_is_ended_when_the_time_is_up(
    wait: Wait, az: JobsCli, job: str, tmp_path: Path
) -> None:
    az.answers("r1", until=str(tmp_path / "never"))
    assert wait("--submit", job, "--timeout", "1s", **az.environ()).code() == 5


def test_interrupted_while_it_submits_it_still_cancels_what_was_made(
    cloud: Cloud, wait: Wait, az: JobsCli, job: str, tmp_path: Path
) -> None:
    training = Training(cloud, "r1")
    az.answers("r1", until=str(tmp_path / "done"))
    waiting = wait("--submit", job, "--cancel-on-interrupt", **az.environ())
    until(lambda: bool(az.calls()))
    waiting.signal(signal.SIGTERM)
    (tmp_path / "done").touch()
    assert (waiting.code(), training.cancels) == (130, 1)


def test_interrupted_before_a_job_is_known_it_says_that_there_may_be_one(
    wait: Wait, az: JobsCli, job: str, tmp_path: Path
) -> None:
    az.answers(until=str(tmp_path / "done"))
    waiting = wait("--submit", job, "--cancel-on-interrupt", **az.environ())
    until(lambda: bool(az.calls()))
    waiting.signal(signal.SIGINT)
    (tmp_path / "done").touch()
    assert (waiting.code(), "there may be a job" in waiting.err) == (130, True)
