"""Routes on AML's other events: what they may name, and when their starts can be told apart."""

from __future__ import annotations

import pytest

from tests.routes.files import problems_in, routes

REGISTERED = "- {name: a, event: ModelRegistered, "


def one(text: str) -> str:
    (line,) = problems_in(text)
    return line


@pytest.mark.parametrize(
    ("route", "what"),
    [
        ("start: {pipeline: 1, parameters: {a: '{{ run.id }}'}}}", "names `run`, which a route on"),
        (
            "when: run.metrics.a > 1, start: {pipeline: 1}}",
            "names `run`, which a route on ModelReg",
        ),
        (
            "start: {pipeline: 1, parameters: {a: '{{ model.run_id }}'}}}",
            "names `model.run_id`, but ModelRegistered tells only name, version",
        ),
        ("start: {pipeline: 1, variables: {a: '{{ drift.id }}'}}}", "names `drift`, which a route"),
        ("children: true, start: {pipeline: 1}}", "is about runs, and ModelRegistered is about"),
        ("step: train, start: {pipeline: 1}}", "is about runs, and ModelRegistered is about none"),
        ("model: m, start: {pipeline: 1}}", "is about runs, and ModelRegistered is about none"),
        ("match: {experiment: a}, start: {pipeline: 1}}", "is about runs, and ModelRegistered is"),
    ],
)
def test_a_route_on_a_model_event_cannot_name_what_is_of_runs(route: str, what: str) -> None:
    assert what in one(REGISTERED + route)


def test_a_route_on_runs_cannot_name_what_is_of_deployments() -> None:
    told = one("- {name: a, start: {pipeline: 1, parameters: {a: '{{ endpoint.name }}'}}}")
    assert "names `endpoint`, which a route on runs does not know" in told


@pytest.mark.parametrize(
    ("event", "parameters", "lacking"),
    [
        ("ModelRegistered", "{n: '{{ model.name }}', v: '{{ model.version }}'}", ""),
        ("ModelRegistered", "{n: '{{ model.name }}'}", "model.version"),
        ("ModelDeployed", "{e: '{{ event.id }}'}", ""),
        ("ModelDeployed", "{e: '{{ endpoint.name }}'}", "event.id"),
        (
            "DatasetDriftDetected",
            "{d: '{{ drift.id }}', s: '{{ drift.start_time }}', e: '{{ drift.end_time }}'}",
            "",
        ),
        ("DatasetDriftDetected", "{d: '{{ drift.id }}'}", "drift.start_time"),
    ],
)
def test_a_start_is_told_apart_by_what_the_news_is_known_by(
    event: str, parameters: str, lacking: str
) -> None:
    found = routes(
        f"- {{name: a, event: {event}, start: {{pipeline: 1, parameters: {parameters}}}}}"
    )
    assert found.routes[0].distinct is (lacking == "")
    assert [f"exactly {{{{ {lacking} }}}}" in line for line in found.warnings] == [True] * bool(
        lacking
    )
