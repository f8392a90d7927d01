"""Which facts a route needs, and what that means for the sweep."""

from __future__ import annotations

import pytest

from functions.core.gates.gate import mentioned
from functions.core.routes.definition import ANY, Needs
from tests.routes.files import route, routes

MODEL = frozenset({"name", "version", "run_id", "path", "flavors", "uri"})


def needs(when: str = "", value: str = "") -> Needs:
    """What a route with this gate and this parameter needs."""
    gate = f"when: '{when}'" if when else "children: false"
    return route(
        f"- {{name: a, {gate}, start: {{pipeline: 1, parameters: {{x: '{value}'}}}}}}"
    ).needs


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("run.metrics.accuracy >= 0.9", {"accuracy"}),
        ('run.metrics["val/acc"] > 1 || run.metrics.loss < 1', {"val/acc", "loss"}),
        ('run["metrics"].loss < 1', {"loss"}),
        ("has(run.metrics.auc) && run.metrics.auc > 0.5", {"auc"}),
        ("run.metrics.auc.size() > 1", {"auc"}),
        ("size(run.metrics) > 1", {ANY}),
        ("run.metrics.exists(k, k == run.name)", {ANY}),
        ('"auc" in run.metrics', {ANY, "auc"}),
        ("run.metrics[run.name] > 1", {ANY}),
        ('run.metrics["a\\\\n"] > 1', {ANY}),
        ("run.metrics.x > 1 && size(run.metrics) > 1", {"x", ANY}),
        ("size(run) > 1", {ANY}),
        ('run.name == "run.metrics.auc"', set()),
        ("true // run.metrics.auc", set()),
        ("run.params.lr == run.name", set()),
    ],
)
def test_the_metrics_that_a_gate_reads_are_needed(expression: str, names: set[str]) -> None:
    assert needs(expression).metrics == names


def test_parameters_of_the_run_are_needed_in_the_same_way() -> None:
    assert needs('run.params.lr == "0.1"', "{{ run.params.batch.size }}").params == {
        "lr",
        "batch.size",
    }


def test_a_placeholder_needs_its_metric_dots_included() -> None:
    assert needs(value="at {{ run.metrics.val.acc }}").metrics == {"val.acc"}


def test_the_fields_of_the_model_that_are_named_are_needed() -> None:
    assert needs('model.version != "1"', "{{ model.name }}").model == {"version", "name"}


def test_a_gate_that_hands_the_model_on_needs_all_of_it() -> None:
    assert needs("size(model) > 1").model == MODEL


def test_a_gate_that_hands_the_run_on_needs_all_of_it() -> None:
    everything = frozenset({ANY})

    assert needs("size(run) > 1") == Needs(
        metrics=everything,
        params=everything,
        properties=everything,
        only_event=True,
        children=True,
        best_child=True,
    )


@pytest.mark.parametrize("value", ["", "{{ event.id }}", "{{ run.id }} {{ workspace.name }}"])
def test_a_route_may_need_nothing_but_the_event(value: str) -> None:
    assert needs(value=value) == Needs()


@pytest.mark.parametrize(
    "text",
    [
        "match: {run_type: azureml.PipelineRun}",
        "match: {properties: {a: b}}",
        'when: run.type == "azureml.PipelineRun"',
        'when: run.properties["a"] == "b"',
        "start: {pipeline: 1, correlation: id, parameters: {t: '{{ run.properties.a }}'}}",
    ],
)
def test_a_route_that_only_the_event_can_serve_is_warned_of(text: str) -> None:
    start = "" if text.startswith("start") else "\n  start: {pipeline: 1, correlation: id}"
    found = routes(f"- name: a\n  {text}{start}")

    assert found.routes[0].needs.only_event
    assert found.warnings == (
        (
            "routes.yaml:4: routes[0]: needs the run's type or properties, which only the event "
            "tells: the sweep cannot find runs for it"
        ),
    )


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("run.tags.`a.b` == run.tags['a.b']", (("run", "tags", "a.b"),)),
        ("run.tags[r'a\\b'] == ''", (("run", "tags"),)),
        ('"""run.id""" == run.id', (("run", "id"),)),
        ("{1: 2}.run.id == model . name", (("model", "name"),)),
        ("run", (("run",),)),
        ("run.", (("run",),)),
        ("", ()),
    ],
)
def test_mentions_are_read_as_cel_reads_them(expression: str, paths: tuple[object, ...]) -> None:
    assert mentioned(expression) == paths


def test_a_route_for_what_only_events_tell_is_warned_of() -> None:
    found = routes("- name: a\n  outcome: NotResponding\n  start: {pipeline: 1, correlation: id}")
    (warning,) = found.warnings
    assert warning.endswith("does not respond: the sweep cannot find it")


@pytest.mark.parametrize(
    ("expression", "of_run"),
    [
        ("champion.exists", False),
        ('champion.version == "1"', False),
        ('champion.run.id == "a"', False),
        ("champion.metrics.auc > 0.5", True),
        ('champion.run.tags.a == "b"', True),
        ("size(champion) > 1", True),
        ("size(champion.run) > 1", True),
    ],
)
def test_the_champion_s_run_is_needed_only_for_what_it_alone_tells(
    expression: str, of_run: bool
) -> None:
    found = (
        routes(f"- {{name: a, champion: newest, when: '{expression}', start: {{pipeline: 1}}}}")
        .routes[0]
        .needs
    )
    assert (found.champion, found.champion_run) == (True, of_run)
    assert found.model == {"name", "version"}


def test_no_champion_is_needed_where_none_is_named() -> None:
    assert not needs("run.metrics.auc > 0.5", "{{ model.version }}").champion
