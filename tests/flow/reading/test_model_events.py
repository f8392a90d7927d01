"""A model registered or deployed, data that drifted: one start for each, and no run is read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from local.host.triggers.rewriting import rewritten
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, route
from tests.stage.azure import Stage, as_cloud_event, changed

if TYPE_CHECKING:
    from collections.abc import Callable

REGISTERED = {"modelName": "defects", "modelVersion": 3, "modelTags": {"stage": "prod"}}
DEPLOYED = {"serviceName": "scoring", "serviceComputeType": "AKS", "modelIds": "defects:3,other:1"}
DRIFTED = {
    "dataDriftId": "d-1",
    "dataDriftName": "weekly",
    "runId": "drift-run-1",
    "baseDatasetId": "base",
    "targetDatasetId": "target",
    "driftCoefficient": 0.83,
    "startTime": "2026-11-01T00:00:00+00:00",
    "endTime": "2026-11-08T00:00:00+00:00",
}
ODD = "2026-11-28T20:41:00+02:00"
ALL: dict[str, dict[str, Any]] = {
    "ModelRegistered": REGISTERED,
    "ModelDeployed": DEPLOYED,
    "DatasetDriftDetected": DRIFTED,
}
ASKED = {
    "ModelRegistered": {"name": "{{ model.name }}", "version": "{{ model.version }}"},
    "ModelDeployed": {"id": "{{ event.id }}", "name": "{{ endpoint.name }}"},
    "DatasetDriftDetected": {
        "id": "{{ drift.id }}",
        "from": "{{ drift.start_time }}",
        "to": "{{ drift.end_time }}",
    },
}


def news(kind: str, event_id: str = "e-1", **data: Any) -> dict[str, Any]:
    return {
        "topic": WORKSPACE,
        "subject": "as it comes",
        "eventType": f"Microsoft.MachineLearningServices.{kind}",
        "eventTime": "2026-11-21T18:41:00Z",
        "id": event_id,
        "data": ALL[kind] | data,
        "dataVersion": "2",
        "metadataVersion": "1",
    }


def follow(stage: Stage, kind: str, *lines: str) -> None:
    """Deploy a route on this kind of news, which hands on what the news is known by."""
    names = ", ".join(f"{name}: '{value}'" for name, value in ASKED[kind].items())
    stage.devops.add_pipeline("contoso", "mlops", 42, "next", parameters=dict.fromkeys(ASKED[kind]))
    stage.routes(
        f"version: 1\nroutes:\n- name: next\n  event: {kind}\n  "
        + "\n  ".join(lines)
        + "\n  start: {organization: contoso, project: mlops, pipeline: 42, parameters: {"
        + names
        + "}}"
    )


def pascal(event: dict[str, Any]) -> dict[str, Any]:
    """As the documentation shows the three."""
    return event | {"data": {k[0].upper() + k[1:]: v for k, v in event["data"].items()}}


@pytest.mark.parametrize(
    ("length", "ends"),
    [(1_000, State.STARTED), (1_001, State.HELD)],
    ids=["whole", "cut"],
)
@pytest.mark.parametrize("gated", [True, False], ids=["gate", "parameter"])
def test_ids_of_models_that_were_cut_are_not_gone_by(
    stage: Stage, length: int, ends: State, *, gated: bool
) -> None:
    told = "x" if gated else "{{ endpoint.models }}"
    gate = ["when: \"!endpoint.models.contains('banned')\""] if gated else []
    stage.devops.add_pipeline("contoso", "mlops", 42, "next", parameters={"ids": None})
    stage.routes(
        "version: 1\nroutes:\n- name: next\n  event: ModelDeployed\n  "
        + "".join(f"{line}\n  " for line in gate)
        + "start: {organization: contoso, project: mlops, pipeline: 42, "
        + f"parameters: {{ids: '{told}'}}}}"
    )
    stage.deliver(news("ModelDeployed", modelIds="m" * length))
    row = stage.only("e-1")
    assert row.state is ends
    assert (row.reason is Reason.CUT) == (ends is State.HELD)
    assert stage.posts() == (ends is State.STARTED)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("form", [dict, pascal, as_cloud_event])
def test_the_pipeline_starts_with_what_the_event_tells_and_no_run_is_read(
    stage: Stage, kind: str, form: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    follow(stage, kind)
    stage.deliver(form(news(kind)))
    (run,) = stage.devops.runs
    assert (
        list(run.template_parameters.values())[-1]
        == {
            "ModelRegistered": "3",
            "ModelDeployed": "scoring",
            "DatasetDriftDetected": "2026-11-08T00:00:00+00:00",
        }[kind]
    )
    assert stage.aml.server.requests == stage.cloud.arm.server.requests == []


@pytest.mark.parametrize(
    ("kind", "again", "starts"),
    [
        ("ModelRegistered", {"event_id": "another"}, 1),
        ("ModelRegistered", {"modelVersion": "3"}, 1),
        ("ModelRegistered", {"modelVersion": 4}, 2),
        ("ModelDeployed", {}, 1),
        ("ModelDeployed", {"event_id": "another"}, 2),
        ("DatasetDriftDetected", {"event_id": "another"}, 1),
        ("DatasetDriftDetected", {"endTime": "2026-11-15T00:00:00+00:00"}, 2),
    ],
)
def test_the_same_news_starts_once(
    stage: Stage, kind: str, again: dict[str, Any], starts: int
) -> None:
    follow(stage, kind)
    stage.deliver(news(kind))
    stage.deliver(news(kind, **again))
    assert len(stage.devops.runs) == starts


@pytest.mark.parametrize(("least", "state"), [(0.8, State.STARTED), (0.9, State.HELD)])
def test_a_gate_sees_numbers_as_numbers(stage: Stage, least: float, state: State) -> None:
    follow(stage, "DatasetDriftDetected", f"when: drift.coefficient > {least}")
    stage.deliver(news("DatasetDriftDetected"))
    (row,) = stage.ledger.of_run(
        WORKSPACE.lower(), "d-1:2026-11-01T00:00:00+00:00:2026-11-08T00:00:00+00:00"
    )
    assert row.state is state


def test_a_number_beyond_all_numbers_is_no_number(stage: Stage) -> None:
    follow(stage, "DatasetDriftDetected", "when: drift.coefficient > 0.1")
    stage.deliver(news("DatasetDriftDetected", driftCoefficient=10**400))
    assert stage.devops.runs == []


@pytest.mark.parametrize(
    ("sent", "state", "reason"),
    [
        ("0.83", State.STARTED, Reason.ANSWERED),
        ("high", State.HELD, Reason.NOT_A_NUMBER),
        ("NaN", State.HELD, Reason.NOT_A_NUMBER),
        (None, State.OPEN, Reason.FACTS_MISSING),
    ],
)
def test_a_number_that_came_as_text_is_one_or_none(
    stage: Stage, sent: str | None, state: State, reason: Reason
) -> None:
    follow(stage, "DatasetDriftDetected", "when: drift.coefficient > 0.1")
    stage.deliver(news("DatasetDriftDetected", driftCoefficient=sent))
    row = stage.only("d-1:2026-11-01T00:00:00+00:00:2026-11-08T00:00:00+00:00")
    assert (row.state, row.reason) == (state, reason)


@pytest.mark.parametrize(("stage_tag", "starts"), [("prod", 1), ("test", 0)])
def test_tags_of_the_model_are_matched(stage: Stage, stage_tag: str, starts: int) -> None:
    follow(stage, "ModelRegistered", "match: {tags: {stage: prod}}")
    stage.deliver(news("ModelRegistered", modelTags={"stage": stage_tag}))
    assert len(stage.devops.runs) == starts


def test_a_lost_answer_is_found_again(stage: Stage) -> None:
    follow(stage, "ModelRegistered")
    stage.devops.server.faults.add(Fault(method="POST", path="*/42/runs", drop="after"))
    stage.deliver(news("ModelRegistered"))
    stage.reconcile(minutes=1)
    (row,) = stage.ledger.of_run(WORKSPACE.lower(), "defects:3")
    assert (row.reason, len(stage.devops.runs)) == (Reason.FOUND, 1)


@pytest.mark.parametrize(
    ("kind", "without"),
    [
        ("ModelRegistered", {"modelName": None}),
        ("ModelRegistered", {"modelVersion": ""}),
        ("DatasetDriftDetected", {"startTime": None}),
    ],
)
def test_news_that_cannot_be_told_from_other_news_is_refused_and_logged(
    stage: Stage, kind: str, without: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    follow(stage, kind)
    stage.deliver(news(kind, **without))
    assert stage.devops.runs == []
    assert any('ignored="the event has no ' in line for line in caplog.messages)


def test_routes_on_runs_do_not_see_it_and_routes_on_it_see_no_runs(stage: Stage) -> None:
    stage.deliver(news("ModelRegistered"))
    assert stage.outgoing() == []
    follow(stage, "ModelRegistered")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(changed("r1", "Completed"))
    stage.app.sweep.sweep()
    assert stage.devops.runs == []


def test_a_model_monitor_that_finds_drift_is_a_run_with_its_tag(stage: Stage) -> None:
    tag = "azureml_modelmonitor_threshold_breached"
    said = "my-monitor has failed due to one or more features violating metric thresholds"
    route(stage, f'match: {{tags: {{{tag}: "*has failed due to*"}}}}')
    for run, tags in (("quiet", {}), ("drifted", {tag: said})):
        stage.aml.add_run(run, experiment=EXPERIMENT, tags=tags)
        stage.deliver(changed(run, "Completed", runTags=tags))
    assert stage.started() == [(42, "drifted")]


SAME_TIMES = [
    {"startTime": "2026-11-01T02:00:00+02:00", "endTime": "2026-11-08T00:00:00.000Z"},
    {"startTime": "2026-10-31T24:00:00Z", "endTime": "2026-11-08T05:45:00+0545"},
    {"startTime": "/Date(1793491200000)/", "endTime": "2026-11-08T00:00:00z"},
]


@pytest.mark.parametrize("sent", SAME_TIMES)
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_drift_is_known_by_instants_however_they_are_written(
    stage: Stage, sent: dict[str, Any], zone: str | None
) -> None:
    follow(stage, "DatasetDriftDetected")
    event = news("DatasetDriftDetected", **sent)
    stage.deliver(rewritten(event, ZoneInfo(zone)) if zone else event)
    stage.deliver(news("DatasetDriftDetected", "as documented"))
    (run,) = stage.devops.runs
    assert run.template_parameters == {
        "id": "d-1",
        "from": "2026-11-01T00:00:00+00:00",
        "to": "2026-11-08T00:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        ("ModelRegistered", {"modelVersion": ODD}),
        ("ModelRegistered", {"modelVersion": math.inf}),
        ("ModelRegistered", {"modelName": math.nan}),
        ("ModelDeployed", {"event_id": ODD}),
    ],
)
def test_news_by_a_name_that_the_host_tells_anew_is_one_with_its_dead_letter(
    stage: Stage, kind: str, odd: dict[str, Any]
) -> None:
    follow(stage, kind)
    stage.deliver(rewritten(news(kind, **odd)))
    stage.deliver(news(kind, **odd))
    assert len(stage.devops.runs) == 1


@pytest.mark.parametrize("pattern", [ODD, "2026-11-28T18:41:00Z", "2026-11-28T18:*"])
@pytest.mark.parametrize("way", [dict, rewritten])
def test_a_models_tags_that_look_like_times_are_compared_in_utc(
    stage: Stage, way: Callable[[dict[str, Any]], Any], pattern: str
) -> None:
    follow(stage, "ModelRegistered", f"match: {{tags: {{at: '{pattern}'}}}}")
    stage.deliver(way(news("ModelRegistered", modelTags={"at": "2026-11-28T17:41:00+00:00"})))
    assert stage.devops.runs == []
    stage.deliver(way(news("ModelRegistered", modelTags={"at": ODD})))
    assert len(stage.devops.runs) == 1


@pytest.mark.parametrize("readable", [True, False])
def test_news_that_no_row_can_hold_is_told_and_not_delivered_again(
    stage: Stage, caplog: pytest.LogCaptureFixture, *, readable: bool
) -> None:
    """A character of these is six in a row. Who raises is asked again, and other news waits."""
    follow(stage, "DatasetDriftDetected")
    if not readable:
        stage.routes("version: 1\nroutes: {")
    texts = ["dataDriftName", "runId", "baseDatasetId", "targetDatasetId", "driftCoefficient"]
    tags = {f"k{n}": "\ufdd0" * 450 for n in range(4)}
    long: dict[str, Any] = dict.fromkeys(texts, "\ufdd0" * 999) | {
        "driftTags": tags,
        "driftProperties": tags,
    }
    event = news("DatasetDriftDetected", **long, dataDriftId="\ufdd0" * 500)
    stage.deliver(event | {"subject": "\ufdd0" * 999})
    (line,) = [r for r in caplog.records if "fit in the ledger" in r.getMessage()]
    assert (line.levelname, stage.posts()) == ("ERROR", 0)
