"""A ledger as operators find it: days of starts, what is held and failed, and what is open."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.core.operators.overview import MOST_ENDED
from functions.core.ports.ledger import Entry, Shared
from functions.core.rounds.expiry import HORIZON
from functions.core.starts import steps
from functions.core.terms.pipelines import PipelineRequest, PipelineRun
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key, RunEvent, Workspace
from functions.core.terms.words import Outcome, State

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger

WORKSPACE = Workspace("5f1c", "rg-ml", "ml-prod")
LEASE, HOUR = timedelta(seconds=120), timedelta(hours=1)
ROUTES = ("register-model", "report-failure", "deploy-canary")
EXPERIMENTS = ("defect-detection", "churn", "demand-forecast")
HELD = (Reason.GATE, Reason.FACTS_MISSING, Reason.AMBIGUOUS)
WAITING = (Reason.CREDENTIAL_REFUSED, Reason.THROTTLED, Reason.LIMIT, Reason.FACTS_MISSING)
HOSTILE_RUN = "run<b>&\"'\u202edlrow"
SCRIPT = "<script>document.title = 'owned'</script><img src=x onerror=document.title='owned'>"
LONG = "\"'><" + "x" * 10_236  # 10 KB
HOSTILE_TAGS = {"note": SCRIPT, "q\"'>": "\u202etxt.exe", "long": LONG, "שלום": "ערב טוב"}


def news(run: str, at: datetime, **given: Any) -> RunEvent:
    plain: dict[str, Any] = {
        "id": f"event-{run}",
        "type": "Microsoft.MachineLearningServices.RunCompleted",
        "subject": f"experiments/0001/runs/{run}",
        "time": at,
        "workspace": WORKSPACE,
        "run": run,
        "outcome": Outcome.COMPLETED,
        "experiment": EXPERIMENTS[0],
        "run_type": "azureml.PipelineRun",
        "tags": {"stage": "production", "team": "vision"},
    }
    return RunEvent(**{**plain, **given})


def claimed(event: RunEvent, route: str, after: float = 2) -> Continuation:
    key = Key(event.workspace.id.lower(), event.run, event.outcome, route)
    return steps.opened(key, event, _later(event.time, after), LEASE)


def started(c: Continuation, build: int, after: float = 3) -> Continuation:
    body = {
        "resources": {"repositories": {"self": {"refName": "refs/heads/main"}}},
        "templateParameters": {"run_id": c.key.run, "model_name": "defects", "model_version": "7"},
        "variables": {"token": {"value": "hidden-value", "isSecret": True}},
    }
    asked = PipelineRequest(
        organization="contoso", project="mlops", pipeline=42, secret="pat", body=json.dumps(body)
    )
    saw = "run.metrics.accuracy = 0.93; when: run.metrics.accuracy >= 0.9"
    c = steps.asked(c, _later(c.created_at, after), asked, LEASE, saw)
    url = f"https://dev.azure.com/contoso/mlops/_build/results?buildId={build}"
    return steps.started(c, c.updated_at, PipelineRun(id=build, url=url), Reason.ANSWERED, HOUR)


def ended(c: Continuation, state: State, reason: Reason, detail: str) -> Continuation:
    return steps.ended(c, _later(c.created_at, 4), state, reason, detail)


def put(ledger: Ledger, c: Continuation) -> None:
    """As the app leaves it behind, once the reconciler has tidied."""
    entry = ledger.claim(c).entry
    ledger.write(Entry(entry.continuation, entry.version), c)
    if c.is_open:
        ledger.schedule(c)
    else:
        ledger.retire(c.key)


def fill(ledger: Ledger, now: datetime | None = None, ends: int = 90) -> None:
    """Two days of a busy team."""
    now = now or datetime.now(UTC)
    for n in range(ends):
        put(ledger, _one_end(n, now - timedelta(minutes=17 + n * 31)))
    for n, reason in enumerate(WAITING):
        put(ledger, _one_open(n, reason, now))
    put(ledger, claimed(news("train-at-work", now - timedelta(seconds=9)), ROUTES[0]))
    put(ledger, hostile(now))
    ends_at = {"azure-devops-pat": (now + timedelta(days=12.5)).isoformat(), "other-pat": ""}
    ledger.share(Shared(HORIZON, {}, None), {"day": now.date().isoformat(), "ends": ends_at})


def many(count: int, now: datetime) -> list[Continuation]:
    """So many continuations of two days, as the page gets them: a tenth of them is open."""
    still = count // 10
    ended = min(count - still, MOST_ENDED)
    opened = [_one_open(n, WAITING[n % len(WAITING)], now) for n in range(still)]
    apart = timedelta(minutes=2700 / count)
    return [*opened, *(_one_end(n, now - timedelta(minutes=17) - n * apart) for n in range(ended))]


def in_doubt(n: int, now: datetime, *, held: bool = False) -> Continuation:
    """One whose request was sent and not answered: looked for, or held for a person to settle."""
    c = claimed(news(f"train-doubt-{n}", now - 2 * HOUR), ROUTES[n % 3])
    asked = PipelineRequest(
        organization="contoso", project="mlops", pipeline=42, secret="pat", body="{}"
    )
    c = steps.asked(c, now - timedelta(minutes=50), asked, LEASE, "")
    if held:
        detail = "sent 2 times, never answered and never found"
        at = now - timedelta(minutes=20)
        return steps.ended(c, at, State.HELD, Reason.IN_DOUBT, detail)
    reason, due, name = Reason.CREDENTIAL_REFUSED, now + timedelta(minutes=6), "account/contoso/pat"
    return steps.parked(c, now - timedelta(minutes=8), reason, "401 Access Denied", due, name)


def hostile(now: datetime) -> Continuation:
    event = news(HOSTILE_RUN, now - 2 * HOUR, tags=HOSTILE_TAGS, experiment=SCRIPT)
    return ended(claimed(event, ROUTES[0]), State.HELD, Reason.GATE, SCRIPT)


def _one_end(n: int, at: datetime) -> Continuation:
    run = f"train-{n:03d}"
    event = news(run, at, experiment=EXPERIMENTS[n % 3])
    c = claimed(event, ROUTES[n % 3])
    if n % 13 == 5:
        return ended(c, State.FAILED, Reason.REJECTED, "400: parameter model_nam is not declared")
    if n % 7 == 3:
        return ended(c, State.HELD, HELD[n % 3], "run.metrics.accuracy >= 0.9; accuracy = 0.71")
    if n % 17 == 11:
        return ended(c, State.SKIPPED, Reason.SHADOW, "pipeline contoso/mlops/42")
    return started(c, 4000 + n, after=(4, 7, 95, 11, 6, 640)[n % 6])


def _one_open(n: int, reason: Reason, now: datetime) -> Continuation:
    c = claimed(news(f"train-open-{n}", now - (n % 40 + 1) * HOUR), ROUTES[n % 3])
    c = steps.resumed(c, now - timedelta(minutes=9), LEASE)
    detail = "contoso: 401 Access Denied" if reason is Reason.CREDENTIAL_REFUSED else ""
    return steps.parked(c, now - timedelta(minutes=8), reason, detail, now + timedelta(minutes=6))


def _later(at: datetime | None, seconds: float) -> datetime:
    return (at or datetime.now(UTC)) + timedelta(seconds=seconds)
