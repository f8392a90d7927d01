"""Every filter of `match:`, wherever it counts: a new one that is forgotten somewhere fails here.

docs/extending.md has the steps.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import fields, replace

from functions.core.events.parsing import parse
from functions.core.ledger.fitting import LONGEST_TEXT, bounded_event
from functions.core.memory import first_seen, missed
from functions.core.routes import near_misses
from functions.core.routes.definition import Match, Route
from functions.core.routes.file.schema import schema
from functions.core.routes.filters import FILTERS, Filter, misfit
from functions.core.terms.deadline import Deadline
from functions.core.terms.runs import Run, RunEvent
from functions.core.terms.words import Outcome
from functions.core.waits.judging import Judge, Unfit
from relay.forecasts import telling
from relay.forecasts.forecast import News
from tests.flow.asking import EXPERIMENT
from tests.routes.files import problems_in, route, routes
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

FITS: dict[str, object] = {
    "workspace": "ml-*",
    "experiment": "defect-*",
    "run_type": "azureml.*",
    "properties": {"purpose": "nightly"},
    "tags": {"stage": "prod*"},
}
NOT: dict[str, object] = {
    "workspace": "other",
    "experiment": "other",
    "run_type": "other",
    "properties": {"purpose": "other"},
    "tags": {"stage": "other"},
}
TAGS = {"stage": "production"}
EVERYTHING = {"runTags": TAGS, "runProperties": {"purpose": "nightly"}}  # what no event need tell
EVENT = parse(completed("r1", **EVERYTHING))
ENDED = Run(
    id="r1",
    name="r1",
    experiment_id="1",
    status="FINISHED",
    outcome=Outcome.COMPLETED,
    end_time=datetime(2026, 11, 21, tzinfo=UTC),
    tags=TAGS,
)
SWEPT = missed.news(EVENT.workspace, ENDED, EXPERIMENT)  # all that is known without an event
START = "start: {pipeline: 42, parameters: {run_id: '{{ run.id }}'}}"

each = pytest.mark.parametrize("one", FILTERS, ids=lambda one: one.name)


def written(name: str, wanted: object, more: str = START) -> str:
    return f"- {{name: a, match: {json.dumps({name: wanted})}, {more}}}"


def fitting(one: Filter) -> Route:
    return route(written(one.name, FITS[one.name]))


def unlike(one: Filter) -> Route:
    return route(written(one.name, NOT[one.name]))


def test_the_table_of_filters_is_what_a_route_file_may_say() -> None:
    names = {one.name for one in FILTERS}
    in_file = schema()["properties"]["routes"]["items"]["properties"]["match"]["properties"]
    assert names == {field.name for field in fields(Match)} == set(in_file)
    assert names == set(FITS) == set(NOT)


@each
def test_what_a_route_file_says_reaches_the_route(one: Filter) -> None:
    assert one.wanted(fitting(one).match) == FITS[one.name]


@each
def test_an_event_is_compared_with_it(one: Filter) -> None:
    assert misfit(EVENT, fitting(one)) is None
    odd = misfit(EVENT, unlike(one))
    assert odd is not None
    assert odd.by is one


def test_what_is_asked_again_of_the_run_has_who_asks() -> None:
    # deciding.screen and screen_job; tests/flow/reading/test_retold.py has both through the app
    assert [one.name for one in FILTERS if one.asked_again] == ["properties", "tags"]


def test_one_that_nothing_asks_again_is_decided_by_what_the_event_tells() -> None:
    once = Filter("tags", lambda event, _: event.tags)
    event = replace(EVENT, tags={"stage": "2026-11-21T00:00:00Z"})
    assert once.misfit(event, NOT["tags"]) is not None
    assert once.misfit(event, {"stage": "2026-*"}) is None


@each
def test_the_sweep_knows_what_it_needs_or_leaves_such_routes_alone(one: Filter) -> None:
    assert near_misses.is_swept(fitting(one)) is not one.only_event
    assert (misfit(SWEPT, fitting(one)) is None) is not one.only_event


@each
def test_check_warns_where_only_an_event_tells_it(one: Filter) -> None:
    warned = " ".join(routes(written(one.name, FITS[one.name])).warnings)
    assert ("the sweep cannot find runs" in warned) is one.only_event


@each
def test_a_person_is_told_where_only_an_event_tells_it(one: Filter) -> None:
    odd = misfit(SWEPT, unlike(one))
    assert odd is not None
    assert telling.only_event_tells(odd, News(SWEPT, ENDED, told=False)) is one.only_event
    assert not telling.only_event_tells(odd, News(EVENT, ENDED, told=True))


@each
def test_a_run_that_only_it_keeps_out_leaves_a_trace_where_it_may_change(one: Filter) -> None:
    assert bool(near_misses.missed_by(EVENT, unlike(one))) is one.may_change


@each
def test_a_route_is_another_one_to_the_sweep_once_it_says_something_else(one: Filter) -> None:
    digests = {first_seen.digest(r) for r in (Route(name="a"), fitting(one), unlike(one))}
    assert len(digests) == 3


@each
def test_a_route_about_no_run_names_it_only_if_such_news_tells_it(one: Filter) -> None:
    registered = "event: ModelRegistered, start: {pipeline: 42, correlation: id}"
    text = written(one.name, FITS[one.name], registered)
    if one.of_runs:
        (line,) = problems_in(text)
        assert "is about runs, and ModelRegistered is about none" in line
    else:
        assert routes(text).mistakes == ()


@each
def test_only_what_such_news_tells_is_said_to_be_told_by_it(one: Filter) -> None:
    of_model = {"modelName": "m", "modelVersion": "1", "modelTags": TAGS, "modelProperties": TAGS}
    told = completed("r1", **EVERYTHING, **of_model)
    told["eventType"] = "Microsoft.MachineLearningServices.ModelRegistered"
    assert bool(one.told(parse(told), None)) is not one.of_runs


@each
def test_a_task_that_waits_is_judged_by_it(one: Filter, stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT, tags=TAGS)
    judge = Judge(stage.ports, stage.read.policy)

    def admit(wanted: object) -> None:
        stage.routes("version: 1\nroutes:\n" + written(one.name, wanted, "complete: true"))
        judge.admit(EVENT.workspace, ["r1"], Deadline(stage.clock, 20))

    with pytest.raises(Unfit, match=f"wants {one.name}"):
        admit(NOT[one.name])
    if one.only_event:
        with pytest.raises(Unfit, match=f"wants {one.name}"):
            admit(FITS[one.name])
    else:
        admit(FITS[one.name])


def test_what_another_version_kept_of_an_event_fits_as_if_it_had_not_said() -> None:
    assert misfit(replace(EVENT, tags=None), route(written("tags", NOT["tags"]))) is None


@pytest.mark.parametrize("field", [f.name for f in fields(RunEvent) if f.type is str])
def test_a_row_can_hold_every_text_that_an_event_tells(field: str) -> None:
    long = replace(EVENT, **{field: "x" * 200_000})
    bound = {"run": "by the pattern of ids", "trace": "when it is read"}  # before it comes here
    assert (len(getattr(bounded_event(long), field)) <= LONGEST_TEXT) is (field not in bound)
