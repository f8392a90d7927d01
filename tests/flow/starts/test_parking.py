"""Every reason there is to park, and every one to end: what the ledger says of it, and the cure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, route
from tests.saying.refusals import says
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, completed, now

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stage.azure import Stage

POST = "*/_apis/pipelines/42/runs"
FIRST = 30.0  # seconds of the first wait, less up to a quarter
ENDS = {  # which never park: each has its test where the decision is made
    *(Reason.GATE, Reason.GATE_ERROR, Reason.AMBIGUOUS, Reason.DELETED, Reason.NOT_SERVED),
    *(Reason.NOT_A_NUMBER, Reason.CUT, Reason.EXPANDS),
    *(Reason.NOT_ROOT, Reason.NOT_MATCHED, Reason.OUTCOME_CHANGED, Reason.SHADOW),
    *(Reason.SUPERSEDED, Reason.JOINED, Reason.NOT_JOINED),
    *(Reason.REJECTED, Reason.ROUTE_REMOVED, Reason.TOO_LARGE),
    *(Reason.ANSWERED, Reason.FOUND),
}


class Slow(Wrapped):
    """A port whose methods of that name take so many seconds, as far as the clock can tell."""

    def __init__(self, stage: Stage, real: Any, method: str, seconds: float) -> None:
        super().__init__(real)
        self._stage, self._method, self._seconds = stage, method, seconds

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        if name != self._method:
            return found

        def slowly(*given: Any, **named: Any) -> Any:
            answer = found(*given, **named)
            self._stage.clock.forward(seconds=self._seconds)
            return answer

        return slowly


def deadline(stage: Stage) -> None:
    stage.build(credentials=Slow(stage, stage.ports.credentials, "read", 16))


def late(stage: Stage) -> None:
    stage.build(ledger=Slow(stage, stage.ports.ledger, "write", 6))


def paused(stage: Stage) -> None:
    stage.deploy(PAUSED="1")


def limit(stage: Stage) -> None:
    stage.routes(ROUTES.replace("name: register", "name: register\n    limit: 1/h"))
    stage.mid_hour()
    stage.aml.add_run("earlier", experiment=EXPERIMENT)
    stage.deliver(completed("earlier"))


def run_unreadable(stage: Stage) -> None:
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=503, times=99))


def run_not_found(stage: Stage) -> None:
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=404, times=99))


def secret_unreadable(stage: Stage) -> None:
    stage.cloud.vault.delete("azure-devops-pat")


def secret_expired(stage: Stage) -> None:
    stage.cloud.vault.put("azure-devops-pat", stage.cloud.pat, expires=now() - timedelta(days=1))


def credential_refused(stage: Stage) -> None:
    stage.devops.refuse(stage.cloud.pat)


def not_sent(stage: Stage) -> None:
    stage.deploy(DEVOPS_URL="http://127.0.0.1:1")


def throttled(stage: Stage) -> None:
    stage.devops.throttle(1, 90)


class Unreadable(Wrapped):
    """The runs, but reading them fails as nobody foresaw."""

    read = None


def unforeseen(stage: Stage) -> None:
    stage.build(runs=Unreadable(stage.ports.runs))


def facts_missing(stage: Stage) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}")


def not_final(stage: Stage) -> None:
    stage.aml.add_run("r1", status="Finalizing", experiment=EXPERIMENT)


def in_doubt(stage: Stage) -> None:
    stage.devops.server.faults.add(Fault(method="POST", path=POST, status=502))


def refused(stage: Stage) -> None:
    stage.devops.server.faults.add(says(403, times=99))


def unavailable(stage: Stage) -> None:
    stage.devops.server.faults.add(says(400, "GitHub reported the error: rate limit", times=99))


class Case(NamedTuple):
    provoke: Callable[[Stage], None]
    seconds: tuple[float, float]  # until it is due
    sent: int = 0  # what a fault answers is not counted


BACKOFF = (FIRST * 0.75, FIRST)
IN_LINE = (1.5 * 3600, 2 * 3600)  # it is called before that
PARKED = {
    Reason.DEADLINE: Case(deadline, (0, 0)),
    Reason.LATE: Case(late, (0, 0)),
    Reason.PAUSED: Case(paused, IN_LINE),
    Reason.LIMIT: Case(limit, IN_LINE, sent=1),
    Reason.RUN_UNREADABLE: Case(run_unreadable, BACKOFF),
    Reason.RUN_NOT_FOUND: Case(run_not_found, BACKOFF),
    Reason.SECRET_UNREADABLE: Case(secret_unreadable, BACKOFF),
    Reason.SECRET_EXPIRED: Case(secret_expired, BACKOFF),
    Reason.CREDENTIAL_REFUSED: Case(credential_refused, (890, 900), sent=2),
    Reason.NOT_SENT: Case(not_sent, BACKOFF),
    Reason.THROTTLED: Case(throttled, (90, 90), sent=1),
    Reason.UNFORESEEN: Case(unforeseen, BACKOFF),
    Reason.FACTS_MISSING: Case(facts_missing, BACKOFF),
    Reason.NOT_FINAL: Case(not_final, BACKOFF),
    Reason.IN_DOUBT: Case(in_doubt, (30, 30)),
    Reason.REFUSED: Case(refused, (60 * FIRST * 0.75, 60 * FIRST)),
    Reason.UNAVAILABLE: Case(unavailable, BACKOFF),
}
OF_THE_MOMENT = {Reason.DEADLINE, Reason.LATE, Reason.LIMIT}  # gone at the next attempt
NOT_TRIED = {Reason.PAUSED}  # nothing is attempted before it is over
ELSEWHERE = {
    Reason.WORKING,
    Reason.ROUTES_UNREADABLE,
    Reason.LOOK_FAILED,
    Reason.CONCURRENCY,
    Reason.INCOMPLETE,
}  # told in tests of their own


def test_every_reason_is_provoked_or_known_as_an_end() -> None:
    assert ENDS | ELSEWHERE | PARKED.keys() == {*Reason}


@pytest.mark.parametrize("reason", PARKED)
def test_the_ledger_says_why_since_when_and_when_next(stage: Stage, reason: Reason) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    case = PARKED[reason]
    case.provoke(stage)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, row.attempts) == (State.OPEN, reason, 0)
    assert stage.posts() == case.sent
    least, most = case.seconds
    assert least <= (row.due_at - row.updated_at).total_seconds() <= most
    assert row.since == {reason: row.updated_at}
    last = row.history[-1]
    assert (last.at, last.what) == (row.updated_at, "parked")
    assert last.detail.startswith(reason)


@pytest.mark.parametrize("reason", [r for r in PARKED if r not in OF_THE_MOMENT | NOT_TRIED])
def test_each_attempt_is_counted_and_the_reason_keeps_its_age(stage: Stage, reason: Reason) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    PARKED[reason].provoke(stage)
    stage.deliver(completed("r1"))
    first = stage.only("r1")
    if reason is Reason.THROTTLED:
        stage.devops.throttle(1, 90)
    stage.clock.moved += first.due_at - stage.clock.now() + timedelta(seconds=1)
    stage.app.reconciler.reconcile()
    row = stage.only("r1")
    assert (row.state, row.reason, row.attempts) == (State.OPEN, reason, 1)
    assert row.since == first.since
    assert row.due_at > first.due_at


@pytest.mark.parametrize("reason", PARKED)
def test_the_line_in_the_log_says_it_too(
    stage: Stage, reason: Reason, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    PARKED[reason].provoke(stage)
    caplog.clear()
    stage.deliver(completed("r1"))
    (line,) = [m for m in caplog.messages if m.startswith("continuation=parked")]
    assert f" run=r1 outcome=Completed workspace=ml-prod experiment={EXPERIMENT} " in line
    assert f" reason={reason} " in line
    assert " due=" in line


def test_what_a_process_left_behind_is_working_until_its_lease_ends(stage: Stage) -> None:
    class Killed(BaseException):
        """Not caught by anything, as a killed process is not."""

    class Deadly(Wrapped):
        def read(self, *given: Any) -> Any:
            del given
            raise Killed

    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.build(runs=Deadly(stage.ports.runs))
    with pytest.raises(Killed):
        stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.WORKING)
    assert row.due_at - row.created_at == timedelta(seconds=120)
    stage.build()
    stage.reconcile(seconds=100)
    assert stage.posts() == 0
    stage.reconcile(seconds=21)
    assert stage.started() == [(42, "r1")]


def test_a_route_file_that_breaks_later_keeps_what_is_open_waiting(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deploy(PAUSED="1")
    stage.deliver(completed("r1"))
    stage.routes("version: 1\nroutes: [")
    stage.deploy(PAUSED="0")
    stage.reconcile(seconds=31)
    row = stage.only("r1")
    assert (row.state, row.reason, row.attempts) == (State.OPEN, Reason.ROUTES_UNREADABLE, 1)
    assert "routes.yaml" in row.detail
    stage.routes(ROUTES)
    stage.deploy()
    stage.reconcile(minutes=2)
    assert stage.started() == [(42, "r1")]


def test_a_renewed_secret_ends_the_wait_for_an_expired_one(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    secret_expired(stage)
    stage.deliver(completed("r1"))
    stage.cloud.vault.put("azure-devops-pat", stage.cloud.pat, expires=now() + timedelta(days=90))
    stage.reconcile(seconds=31)  # within the five minutes that a secret is cached
    assert stage.started() == [(42, "r1")]


def test_a_gate_that_cannot_be_answered_holds_and_says_why(stage: Stage) -> None:
    route(stage, 'when: run.params.epochs > 3 && run.tags["stage"] == "prod"')
    stage.aml.add_run("r1", experiment=EXPERIMENT, params={"epochs": "5"}, tags={"stage": "prod"})
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.GATE_ERROR)
    assert row.detail.startswith("`run.params.epochs > 3` compares text with a number: write")
    assert "run.params.epochs = 5, run.tags.stage = prod; when: run.params.epochs" in row.detail


def test_a_route_that_starts_nothing_any_more_says_so(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deploy(PAUSED="1")
    stage.deliver(completed("r1"))
    stage.routes("version: 1\nroutes:\n- {name: register, complete: true}")
    stage.deploy(PAUSED="0")
    stage.reconcile(minutes=1)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.NOT_SERVED)


def test_a_400_fails_with_the_services_words_and_an_error_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.routes(ROUTES.replace("{run_id:", "{no_such_parameter: x, run_id:", 1))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.FAILED, Reason.REJECTED)
    assert "no_such_parameter" in row.detail
    (line,) = [r for r in caplog.records if "continuation=failed" in r.getMessage()]
    assert (line.levelname, "no_such_parameter" in line.getMessage()) == ("ERROR", True)


def test_a_pipeline_that_is_not_there_fails_after_three_days(stage: Stage) -> None:
    stage.devops.server.faults.add(says(404, times=999))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    for _ in range(8):
        stage.reconcile(hours=10)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.FAILED, Reason.REFUSED)
