from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from functions.core.routes.definition import Limit, Match, Start, Variable
from functions.core.routes.file.document import parse
from functions.core.routes.file.interpreting import decode
from functions.core.terms.errors import RoutesUnreadable
from functions.core.terms.words import Outcome
from tests.routes.files import FULL, route, routes

ROOT = Path(__file__).resolve().parents[2]


def test_every_key_of_a_route_arrives() -> None:
    found = decode(FULL).named("register-model")

    assert found is not None
    assert found.outcomes == {Outcome.COMPLETED}
    assert found.match == Match(workspace="*", experiment="defect-*", tags={"stage": "production"})
    assert (found.when, found.step) == ("run.metrics.accuracy >= 0.9", "train")
    assert (found.wait_for_facts, found.limit) == (timedelta(minutes=10), Limit(20, "h"))
    assert not found.shadow
    assert found.start == Start(
        organization="contoso",
        project="mlops",
        secret="azure-devops-pat",
        pipeline=42,
        pipeline_version=3,
        branch="refs/heads/main",
        parameters={
            "model_name": "{{ model.name }}",
            "model_version": "{{ model.version }}",
            "run_id": "{{ run.id }}",
        },
        correlation="relay_id",
    )


def test_a_file_without_doubt_has_no_warnings() -> None:
    assert decode(FULL).warnings == ()


def test_the_routes_of_this_repository_decode_without_a_warning() -> None:
    found = decode((ROOT / "routes.yaml").read_text(encoding="utf-8"))

    assert [r.name for r in found.routes] == ["register-model", "report-failure"]
    assert found.warnings == ()


def test_an_outcome_may_be_a_list() -> None:
    found = decode(FULL).named("report-failure")

    assert found is not None
    assert found.outcomes == {Outcome.FAILED, Outcome.CANCELED}


def test_what_a_route_leaves_out_has_its_default() -> None:
    found = route("- {name: a, start: {pipeline: 1}}")

    assert found.outcomes == {Outcome.COMPLETED}
    assert found.match == Match()
    assert (found.when, found.step, found.limit) == (None, None, None)
    assert found.wait_for_facts == timedelta(minutes=10)
    assert found.start == Start(organization="contoso", project="mlops", pipeline=1)


def test_a_route_may_say_otherwise_than_the_defaults() -> None:
    found = route("- {name: a, start: {pipeline: 1, organization: fabrikam, project: My Project}}")

    assert found.start == Start(organization="fabrikam", project="My Project", pipeline=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", timedelta()),
        ("30s", timedelta(seconds=30)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
    ],
)
def test_durations_have_a_unit(text: str, expected: timedelta) -> None:
    found = route(f"- {{name: a, wait_for_facts: {text}, start: {{pipeline: 1}}}}")

    assert found.wait_for_facts == expected


def test_a_limit_may_be_per_day() -> None:
    assert route("- {name: a, limit: 5/d, start: {pipeline: 1}}").limit == Limit(5, "d")


def test_a_shadow_route_says_so() -> None:
    assert route("- {name: a, mode: shadow, start: {pipeline: 1}}").shadow


def test_a_variable_is_a_value_or_says_that_it_is_secret() -> None:
    found = route(
        "- {name: a, start: {pipeline: 1, variables: {n: 3, k: {value: x, secret: true}}}}"
    )

    assert found.start is not None
    assert found.start.variables == {"n": Variable(3), "k": Variable("x", secret=True)}


def test_a_date_stays_the_text_that_was_written() -> None:
    found = route("- {name: a, start: {pipeline: 1, parameters: {since: 2026-01-31}}}")

    assert found.start is not None
    assert found.start.parameters == {"since": "2026-01-31"}


def test_an_anchor_may_be_used_again() -> None:
    found = routes("""\
        - {name: a, match: &production {tags: {stage: production}}, start: {pipeline: 1}}
        - {name: b, match: *production, start: {pipeline: 2}}
        """)

    assert [r.match.tags for r in found.routes] == [{"stage": "production"}] * 2


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert decode("\ufeff" + FULL) == decode(FULL)


def test_a_route_is_found_by_its_exact_name() -> None:
    found = decode(FULL)

    assert found.named("report-failure") is found.routes[1]
    assert found.named("Report-failure") is None


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
def test_the_python_loader_reads_what_the_c_loader_reads(loader: type) -> None:
    assert parse(FULL, "f", loader).data == yaml.safe_load(FULL)


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
@pytest.mark.parametrize("text", ["[" * 5000, "- " * 5000, "{a: " * 5000, "a: &a [*a]"])
def test_a_text_that_goes_too_deep_is_refused_by_either_loader(text: str, loader: type) -> None:
    with pytest.raises(RoutesUnreadable, match="is nested more than 30 deep"):
        parse(text, "f", loader)


def test_both_model_events_and_waiting_tasks_decode() -> None:
    found = routes("""\
        - name: on-model
          event: ModelRegistered
          start: {pipeline: 1, correlation: id}
        - name: finish
          complete: true
        """)

    assert [(r.outcomes, r.complete, r.is_about_runs) for r in found.routes] == [
        (frozenset({Outcome.MODEL_REGISTERED}), False, False),
        (frozenset({Outcome.COMPLETED}), True, True),
    ]
    assert found.warnings == ()


def test_a_model_that_is_named_and_asked_nothing_is_warned_of() -> None:
    start = "{organization: o, project: p, pipeline: 1, correlation: c}"
    text = "version: 1\nroutes:\n- name: a\n  model: defects\n  start: "
    (warning,) = decode(text + start).warnings
    assert warning.startswith("routes.yaml:4: routes[0].model: is asked of nothing")


@pytest.mark.parametrize(
    ("asks", "warned"),
    [
        ("when: run.tags.stage == 'prod' && run.name != 'x'", True),
        ("when: run.metrics.auc > 0.9", False),
        ("when: has(model.name)", False),
        ("champion: newest\n  when: champion.exists", False),
        ("when: size(run.params) > 0", False),
    ],
)
def test_a_step_of_which_nothing_is_asked_is_warned_of(asks: str, warned: bool) -> None:
    start = "{organization: o, project: p, pipeline: 1, correlation: c}"
    text = f"version: 1\nroutes:\n- name: a\n  step: train\n  {asks}\n  start: {start}"
    told = [
        line
        for line in decode(text).warnings
        if line.startswith("routes.yaml:4: routes[0].step: is asked of nothing")
    ]
    assert bool(told) is warned


@pytest.mark.parametrize(
    ("says", "warned"),
    [
        ("when: run.parent_id == 'p'", True),
        ("when: run.name == 'x' || run.parent_id != 'p'", True),
        ("when: '!has(run.parent_id)'", False),
        ("children: true\n  when: run.parent_id == 'p'", False),
        ("match: {experiment: e}", False),
    ],
)
def test_a_root_run_is_not_asked_for_its_parent(says: str, warned: bool) -> None:
    head = f"version: 1\nroutes:\n- name: a\n  {says}\n  start: "
    start = "{organization: o, project: p, pipeline: 1, correlation: c"
    told = " ".join(decode(f"{head}{start}}}").warnings)
    assert ("run.parent_id, which no root run has" in told) is warned
    sent = decode(f"{head}{start}, parameters: {{up: '{{{{ run.parent_id }}}}'}}}}").warnings
    is_for_children = "children: true" in says
    assert ("run.parent_id, which no root run has" in " ".join(sent)) is not is_for_children


@pytest.mark.parametrize("empty", ["", "null", "~"])
def test_a_parameter_without_a_value_is_warned_of(empty: str) -> None:
    start = f"start: {{pipeline: 1, correlation: id, parameters: {{note: {empty}}}}}"
    said = "gives `note` no value, which is sent as the text null"
    do = 'write "" for an empty one, or leave it out'
    found = routes(f"- {{name: a, {start}}}")
    assert found.warnings == (f"routes.yaml:4: routes[0].start: {said}: {do}",)


def test_one_with_an_empty_text_or_a_null_within_is_meant() -> None:
    start = "start: {pipeline: 1, correlation: id, parameters: {note: '', more: {a: null}}}"
    assert routes(f"- {{name: a, {start}}}").warnings == ()
