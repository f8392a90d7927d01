"""Answers that cannot be given just now, or ever: each has a line, a reason on the page, an end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from functions.core.events import parsing
from functions.core.events.registration import LONGEST_TOKEN, LONGEST_URL, MOST_RUNS, registration
from functions.core.kept.task_answer import TaskAnswer
from functions.core.kept.tasks import Wait, WaitState
from functions.core.ledger.records import unpacked, wait_row
from functions.core.operators.lists.wanted import Wanted
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import LedgerUnavailable, Lost, Retryable
from functions.core.terms.reasons import Reason
from functions.web.data import listing as as_json
from functions.web.listing import listing
from local.cloud import WORKSPACE
from local.devops.errors import Refusal
from local.serving.faults import Fault
from tests.flow.waits.test_waits import ends, post, register, rows, runs
from tests.flow.waits.test_waits import stage as stage  # noqa: PLC0414 - the fixture
from tests.page.reader import Reader
from tests.saying.wrapped import Wrapped
from tests.stage.azure import completed

if TYPE_CHECKING:
    from datetime import timedelta

    from local.devops import ServerJob
    from tests.stage.azure import Stage

NAME = "run-relay-waits-key"
GONE = "The orchestration session 0040_f090_3664 not found for hub Build."
NO_SESSION = json.dumps(Refusal(500, "OrchestrationSessionNotFoundException", GONE).wire())
EVENTS = "*/events"


def waiting(stage: Stage) -> list[Wait]:
    return [entry.wait for entry in stage.ledger.waits.waiting(99)]


def only(stage: Stage) -> Wait:
    (wait,) = waiting(stage)
    return wait


def refuse(stage: Stage, **how: Any) -> None:
    """Azure DevOps takes no answer from now on."""
    stage.devops.server.faults.add(Fault(**{"method": "POST", "path": EVENTS, "times": 999, **how}))


def answers(stage: Stage) -> int:
    """How often one was tried: its lines are shown first."""
    return len(stage.devops.server.received("POST", "/feed"))


def told(caplog: pytest.LogCaptureFixture, what: str) -> list[str]:
    return [m for m in caplog.messages if m.startswith(f"wait={what}")]


def page(stage: Stage) -> str:
    return Reader(listing(stage.app.overview.look(Wanted()), 0)).text


def lasts(stage: Stage, **span: float) -> timedelta:
    """The reconciler runs each half hour until the task is over; returns how long that took."""
    began = stage.clock.now()
    ending = began + type(stage.clock.moved)(**span)
    while waiting(stage) and stage.clock.now() < ending:
        stage.reconcile(minutes=31)
    return stage.clock.now() - began


# the key is gone


def test_a_key_that_was_made_anew_loses_what_the_old_one_sealed(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    register(stage)
    stage.cloud.vault.delete(NAME)
    stage.cloud.vault.put(NAME, "made anew, of sixteen characters or more")
    stage.deploy()
    ends(stage)
    (line,) = told(caplog, "lost")
    assert "the version of the key that sealed the token is gone" in line
    assert waiting(stage) == []


def test_a_key_that_is_recovered_within_days_loses_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """A deleted secret keeps its versions until it is purged."""
    runs(stage)
    job = register(stage)
    stage.build(seal=Unsealed(stage.ports.seal))
    ends(stage)
    stage.reconcile(days=2)
    assert job.result is None
    assert told(caplog, "lost") == []
    stage.build()
    stage.reconcile(minutes=31)
    assert job.result == "succeeded"


class Unsealed(Wrapped):
    """The seal; the vault has not even another version of the key."""

    def opened(self, *_: Any) -> str:
        raise Retryable(Reason.SECRET_UNREADABLE, f"secret {NAME}: it is not in the vault")


def test_a_key_that_stays_away_is_said_each_time_and_ends_after_three_days(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    register(stage)
    stage.cloud.vault.delete(NAME)
    stage.deploy()
    ends(stage)
    assert NAME in only(stage).why
    assert NAME in page(stage)
    assert 3 <= lasts(stage, days=5).total_seconds() / 86400 < 3.1
    assert len(told(caplog, "parked")) > 100  # each of them
    (line,) = told(caplog, "lost")
    assert "not answered for 3 days" in line
    assert NAME in line


# the answer is not taken


def test_a_session_that_is_gone_is_final_whatever_the_status(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    register(stage)
    refuse(stage, status=500, body=NO_SESSION)
    ends(stage)
    (line,) = told(caplog, "lost")
    assert "orchestration session" in line
    assert waiting(stage) == []
    assert answers(stage) == 1


def test_a_page_that_speaks_of_a_session_is_not_believed(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    kind = {"Content-Type": "text/html"}
    fault: dict[str, Any] = {"status": 500, "body": f"<html>{GONE}</html>", "headers": kind}
    stage.devops.server.faults.add(Fault(method="POST", path=EVENTS, times=1, **fault))
    ends(stage)
    stage.reconcile(minutes=2)
    assert job.result == "succeeded"


@pytest.mark.parametrize("status", [200, 203, 403, 404])
def test_a_page_in_the_place_of_the_answer_is_neither_yes_nor_no(stage: Stage, status: int) -> None:
    runs(stage)
    job = register(stage)
    kind = {"Content-Type": "text/html"}
    page: dict[str, Any] = {
        "status": status,
        "body": "<html>Your request is being scanned</html>",
        "headers": kind,
    }
    stage.devops.server.faults.add(Fault(method="POST", path=EVENTS, times=1, **page))
    ends(stage)
    assert job.result is None
    stage.reconcile(minutes=2)
    assert job.result == "succeeded"
    assert waiting(stage) == []


def test_a_record_that_cannot_be_read_just_now_does_not_make_a_task_lost(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    runs(stage)
    job = register(stage)
    job.cancel()
    stage.devops.server.faults.add(Fault(method="GET", path="*/records", status=503, times=2))
    ends(stage)
    assert told(caplog, "lost") == []
    stage.reconcile(minutes=2)
    assert len(told(caplog, "canceled")) == 1


def test_what_was_answered_though_nobody_said_so_ends_by_its_own_record(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    runs(stage)
    job = register(stage)
    refuse(stage, drop="after", times=1)
    ends(stage)
    assert (job.result, waiting(stage)) == ("succeeded", [])
    assert len(told(caplog, "succeeded")) == 1
    assert answers(stage) == 1


@pytest.mark.parametrize("how", [{"status": 503}, {"drop": "before"}])
def test_an_answer_that_is_not_taken_is_put_off_for_longer_each_time_and_says_why(
    stage: Stage, how: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    register(stage)
    refuse(stage, **how)
    ends(stage)
    pauses = []
    for attempts in range(1, 5):
        wait = only(stage)
        assert (wait.attempts, wait.result) == (attempts, "succeeded")
        assert "Azure DevOps" in wait.why
        assert wait.why in page(stage)
        pauses.append(round((wait.due_at - stage.clock.now()).total_seconds() / 30))
        stage.reconcile(seconds=(wait.due_at - stage.clock.now()).total_seconds() + 1)
    assert pauses == [1, 2, 4, 8]
    assert len(told(caplog, "parked")) == 5
    assert all("Azure DevOps" in line and "due=" in line for line in told(caplog, "parked"))


def test_an_answer_that_is_never_taken_is_lost_after_three_days(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    job = register(stage)
    refuse(stage, status=503)
    ends(stage)
    assert 3 <= lasts(stage, days=5).total_seconds() / 86400 < 3.1
    (line,) = told(caplog, "lost")
    assert "503" in line
    assert job.token not in rows(stage)


def test_a_service_that_asks_for_time_is_left_alone_for_it(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    refuse(stage, status=429, headers={"Retry-After": "900"}, times=1)
    ends(stage)
    sent = len(stage.devops.server.requests)
    stage.reconcile(minutes=10)
    assert len(stage.devops.server.requests) == sent
    stage.reconcile(minutes=6)
    assert job.result == "succeeded"


def test_an_event_does_not_hurry_an_answer_that_was_put_off(stage: Stage) -> None:
    runs(stage)
    register(stage)
    refuse(stage, status=429, headers={"Retry-After": "900"}, times=1)
    ends(stage)
    stage.deliver(completed("r1", runType="azureml.Other"))
    assert answers(stage) == 1


def test_two_that_fail_at_once_leave_one_note_and_one_put_off(stage: Stage) -> None:
    """The slower one finds the row changed, and writes nothing over it."""
    runs(stage)
    job = register(stage)
    refuse(stage, status=503, times=1)
    stage.build(tasks=Overtaken(stage))
    ends(stage)
    wait = only(stage)
    assert (wait.why, wait.attempts) == ("another was here", 7)
    stage.build()
    stage.reconcile(minutes=31)
    assert job.result == "succeeded"


class Overtaken(Wrapped):
    """Azure DevOps; while it is asked, another reconciler puts the same wait off."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.ports.tasks)
        self._book = stage.ledger.waits

    def complete(self, *given: Any) -> None:
        (entry,) = self._book.waiting(9)
        self._book.change(entry, replace(entry.wait, why="another was here", attempts=7))
        self.real.complete(*given)


def test_a_process_that_dies_between_note_and_answer_is_followed_by_the_same_answer(
    stage: Stage,
) -> None:
    class Dying(Wrapped):
        def complete(self, *_: Any) -> None:
            raise KeyboardInterrupt

    runs(stage)
    job = register(stage)
    stage.build(tasks=Dying(stage.ports.tasks))
    with pytest.raises(KeyboardInterrupt):
        ends(stage)
    assert only(stage).result == "succeeded"
    runs(stage, accuracy=0.1)
    stage.build()
    stage.reconcile(minutes=2)
    assert job.result == "succeeded"


class Unwritable(Wrapped):
    """The wait book; what was answered cannot be written."""

    def __init__(self, real: Any, error: Exception) -> None:
        super().__init__(real)
        self.waits = self
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real.waits if name in {"waiting", "enroll"} else self.real, name)

    def change(self, entry: Any, changed: Any) -> Any:
        if changed.state is WaitState.COMPLETED:
            raise self._error
        return self.real.waits.change(entry, changed)


def test_a_ledger_that_does_not_take_the_end_is_named_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    job = register(stage)
    stage.build(ledger=Unwritable(stage.ports.ledger, LedgerUnavailable("table x: 503")))
    ends(stage)
    assert job.result == "succeeded"
    assert any(m.startswith("ledger=unavailable") and "table x" in m for m in caplog.messages)
    stage.build()
    stage.reconcile(minutes=2)
    assert waiting(stage) == []


def test_who_loses_a_write_says_nothing(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    runs(stage)
    register(stage)
    stage.build(ledger=Unwritable(stage.ports.ledger, Lost("written by another")))
    ends(stage)
    assert caplog.messages == []


# the runs cannot be read


def test_a_run_that_cannot_be_read_for_a_week_fails_the_task_and_says_why(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    job = register(stage)
    stage.aml.server.faults.add(Fault(path="*/runs/get*", status=403, times=9999))
    lasts(stage, days=9)
    assert job.result == "failed"
    assert "it waits for more than 7 days: run_unreadable" in job.lines[0]
    assert told(caplog, "parked")


# rows that hold much


def test_a_task_with_many_runs_and_gates_is_answered_and_the_lines_are_counted(
    stage: Stage,
) -> None:
    names = [f"metric_number_{n:02}_of_the_final_evaluation" for n in range(14)]
    gate = " && ".join(f"run.metrics.{name} >= 0.1" for name in names)
    each = "  - name: wait-{}\n    complete: true\n    when: {}\n"
    head = "version: 1\ndefaults: {organization: contoso, project: mlops}\nroutes:\n"
    stage.routes(head + "".join(each.format(n, gate) for n in range(6)))
    stage.deploy()
    asked = [f"a-run-with-a-name-of-a-usual-length-{n:02}" for n in range(20)]
    for run in asked:
        low = 0.01 if run == asked[-1] else 0.5
        metrics = {**dict.fromkeys(names, 0.5), names[0]: low}
        stage.aml.add_run(run, experiment="defect-x", metrics=metrics)
    job = register(stage, *asked)
    assert job.result == "failed"
    assert asked[-1] in job.lines[0]  # who says no comes first
    assert "more lines" in job.lines[-1]


@pytest.mark.parametrize("letter", ["a", '"', "\x85", "\ud800", "\U0001f600", "語"])
def test_the_longest_wait_with_the_longest_answer_fits_into_its_row(
    stage: Stage, letter: str
) -> None:
    job = stage.devops.start_server_job("contoso", "mlops")
    headers = {name.lower(): value for name, value in job.headers.items()}
    headers |= {
        "planurl": "https://dev.azure.com/".ljust(LONGEST_URL, "a"),
        "authtoken": "t" * LONGEST_TOKEN,
    }
    asked = registration(
        headers, {"run_ids": [f"{n:02}".ljust(256, "r") for n in range(MOST_RUNS)]}
    )
    sealed = stage.ports.seal.sealed(asked.token, Deadline(stage.clock, 9))
    wait = asked.wait(parsing.workspace(WORKSPACE), sealed, stage.clock.now())
    long = TaskAnswer(succeeded=False, lines=tuple(f"{n}" + f"{letter}x" * 300 for n in range(400)))
    verdict = TaskAnswer.of([TaskAnswer(succeeded=True, lines=("yes",)), long])
    assert not verdict.succeeded
    assert verdict.lines[0].startswith("0")
    assert verdict.lines[-1] == f"and {401 - len(verdict.lines) + 1} more lines"
    kept = replace(wait, result=verdict.result, lines=verdict.lines, why=verdict.why)
    assert unpacked(wait_row(kept), "wait", Wait).lines == verdict.lines


# all who wait for a run


class Slow(Wrapped):
    """Azure DevOps; each answer takes a second on the app's clock."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.ports.tasks)
        self._clock = stage.clock

    def complete(self, *given: Any) -> None:
        self._clock.forward(seconds=1)
        self.real.complete(*given)


def test_the_fortieth_who_waits_for_a_run_hears_of_its_end_within_minutes(stage: Stage) -> None:
    runs(stage)
    jobs = [register(stage) for _ in range(40)]
    stage.build(tasks=Slow(stage))
    ends(stage)
    assert sum(job.result is None for job in jobs) > 10  # a delivery has time for some only
    stage.reconcile(minutes=1)
    assert [job.result for job in jobs] == ["succeeded"] * 40


def test_where_even_that_takes_too_long_the_log_says_how_many_are_left(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    class Slowly(Wrapped):
        def change(self, *given: Any) -> Any:
            stage.clock.forward(seconds=2)
            return self.real.change(*given)

    class Ledger(Wrapped):
        waits: Any = None

    runs(stage)
    jobs = [register(stage) for _ in range(20)]
    ledger = Ledger(stage.ports.ledger)
    ledger.waits = Slowly(stage.ports.ledger.waits)
    stage.build(ledger=ledger)
    ends(stage)
    (line,) = [m for m in told(caplog, "parked") if "left=" in m]
    answered = sum(job.result is not None for job in jobs)
    called = sum(wait.told_at is not None for wait in waiting(stage))
    assert f"left={20 - answered - called} " in line
    stage.build()
    stage.reconcile(minutes=31)
    assert [job.result for job in jobs] == ["succeeded"] * 20


def test_a_run_that_shows_its_end_minutes_after_its_event_is_asked_until_it_does(
    stage: Stage,
) -> None:
    runs(stage)
    job = register(stage)
    stage.deliver(completed("r1"))
    for _ in range(4):
        stage.reconcile(minutes=1)
    runs(stage, accuracy=0.95)
    for _ in range(4):
        stage.reconcile(minutes=1)
    assert job.result == "succeeded"


# while nothing is sent


def test_a_pause_is_said_once_and_ends_for_all_at_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    runs(stage)
    job = register(stage)
    stage.deploy(PAUSED="1")
    ends(stage)
    for _ in range(30):
        stage.reconcile(hours=1)
    assert "PAUSED=1" in page(stage)
    assert len(told(caplog, "parked")) == 1
    stage.deploy(PAUSED="0")
    stage.reconcile(minutes=1)
    assert job.result == "succeeded"


def test_an_answer_that_was_noted_before_the_pause_is_not_given_in_it(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    refuse(stage, status=503, times=1)
    ends(stage)
    stage.deploy(PAUSED="1")
    stage.reconcile(minutes=31)
    assert (job.result, answers(stage)) == (None, 1)
    stage.deploy(PAUSED="0")
    stage.reconcile(minutes=1)
    assert job.result == "succeeded"


# a task that registers again


def test_a_check_that_is_evaluated_again_is_answered_again(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    runs(stage, accuracy=0.95)
    job = register(stage)
    job.evaluate_again()
    runs(stage, "r2", accuracy=0.1)
    register(stage, "r2", job=job)
    assert job.result == "failed"
    assert len(told(caplog, "registered")) == 2


def test_a_task_that_was_given_up_and_asks_again_is_answered(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    refuse(stage, status=500, body=NO_SESSION, times=1)
    ends(stage)
    assert (job.result, waiting(stage)) == (None, [])
    register(stage, job=job)
    assert job.result == "succeeded"


def test_a_task_that_waits_and_asks_for_other_runs_waits_for_these(stage: Stage) -> None:
    for run in ("r1", "r2"):
        runs(stage, run)
    job = register(stage, "r1")
    register(stage, "r2", job=job)
    ends(stage, "r1")
    assert job.result is None
    ends(stage, "r2")
    assert job.result == "succeeded"


def test_a_row_that_is_written_meanwhile_is_read_again_before_it_gives_way(stage: Stage) -> None:
    class Late(Wrapped):
        def enroll(self, wait: Wait) -> Any:
            found, fresh = self.real.enroll(wait)
            if not fresh and len(stale) < 2:
                stale.append(found)
                self.real.change(found, replace(found.wait, attempts=3))
            return found, fresh

    class Ledger(Wrapped):
        waits: Any = None

    stale: list[Any] = []
    runs(stage)
    runs(stage, "r2")
    job = register(stage, "r1")
    ledger = Ledger(stage.ports.ledger)
    ledger.waits = Late(stage.ports.ledger.waits)
    stage.build(ledger=ledger)
    register(stage, "r2", job=job)
    assert only(stage).runs == ("r2",)


def test_an_answer_that_comes_before_the_task_is_known_to_wait_is_given_again(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Its call goes on still: whether it waits already nobody says."""
    runs(stage, accuracy=0.95)
    refuse(stage, status=404, body=NO_SESSION, times=1)
    job = register(stage)
    assert job.result is None
    stage.reconcile(minutes=1)
    assert job.result == "succeeded"
    assert told(caplog, "lost") == []


# the page


def test_the_page_and_its_json_show_who_waits_and_no_token(stage: Stage) -> None:
    runs(stage)
    job: ServerJob = register(stage)
    stage.reconcile(minutes=31)
    seen = stage.app.overview.look(Wanted())
    (told,) = json.loads(as_json(seen, 0, 50))["waits"]
    assert (told["task"], told["runs"], told["why"]) == (job.task_id, ["r1"], "a run goes on")
    assert "Tasks that wait for runs" in page(stage)
    sealed = only(stage).token
    assert sealed not in as_json(seen, 0, 50)
    assert sealed not in listing(seen, 0)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [({"q": "R1"}, 1), ({"q": "else"}, 0), ({"state": "held"}, 0), ({"route": "wait"}, 0)],
)
def test_who_waits_is_filtered_with_the_rest(
    stage: Stage, asked: dict[str, str], shown: int
) -> None:
    runs(stage)
    register(stage)
    assert len(stage.app.overview.look(Wanted.of(asked)).waits) == shown


def test_what_a_task_asks_for_cannot_write_markup(stage: Stage) -> None:
    runs(stage)
    register(stage)
    (entry,) = stage.ledger.waits.waiting(9)
    stage.ledger.waits.change(entry, replace(entry.wait, why="<script>x</script>"))
    assert "<script>x" not in listing(stage.app.overview.look(Wanted()), 0)
    assert "<script>x</script>" in page(stage)


def test_an_address_that_no_row_could_hold_is_refused(stage: Stage) -> None:
    job = stage.devops.start_server_job("contoso", "mlops")
    headers = {**job.headers, "PlanUrl": f"{job.headers['PlanUrl']}{'a' * 3000}/"}
    status, _ = post(stage, headers, {"run_id": "r1"})
    assert (status, stage.outgoing()) == (400, [])


QUEUED = json.dumps({"status": "accepted", "message": "your request is being scanned"})


@pytest.mark.parametrize("after", [True, False])
def test_what_a_gateway_says_for_azure_devops_is_no_word_that_the_answer_was_taken(
    stage: Stage, *, after: bool
) -> None:
    """Azure DevOps says nothing where it takes one: what the task's own record says counts."""
    runs(stage)
    job = register(stage)
    headers = {"Content-Type": "application/json"}
    gateway = Fault("POST", EVENTS, status=200, body=QUEUED, headers=headers, after=after)
    stage.devops.server.faults.add(gateway)
    ends(stage)
    assert len(waiting(stage)) == (not after)
    stage.reconcile(minutes=2)
    assert (job.result, waiting(stage)) == ("succeeded", [])
    assert len(job.events) == 1
