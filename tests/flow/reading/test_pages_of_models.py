"""The registry lists models in pages: what is on none that was read is not taken for not there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from functions.adapters.aml.models.registered import MOST_PAGES
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, asked, parked, route, starts_once_cured
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

VERSIONS, MODELS = "*/model-versions/search", "*/registered-models/search"
NOT_YET = "when: '!has(model.version)'"  # starts what registers a model that nobody has


def version(name: str, run: str = "r1") -> dict[str, Any]:
    return {"name": name, "version": "1", "run_id": run, "creation_timestamp": 1}


def model(name: str, run: str = "r1") -> dict[str, Any]:
    return {"name": name, "latest_versions": [version(name, run)]}


def answers(stage: Stage, path: str, *pages: dict[str, Any], status: int = 200) -> None:
    """The next requests are answered with these pages."""
    for page in pages:
        fault = Fault(path=path, status=status, body=json.dumps(page))
        stage.aml.server.faults.add(fault)


def delivered(stage: Stage) -> tuple[State, Reason, int]:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    return row.state, row.reason, stage.posts()


def test_a_version_on_the_next_page_is_one_of_the_run_s(stage: Stage) -> None:
    route(stage, name="{{ model.name }}")
    first = {"model_versions": [version("defects")], "next_page_token": "more"}
    answers(stage, VERSIONS, first, {"model_versions": [version("scalers")]})
    assert delivered(stage) == (State.HELD, Reason.AMBIGUOUS, 0)


def test_a_page_without_any_may_stand_before_the_others(stage: Stage) -> None:
    route(stage, name="{{ model.name }}")
    last = {"model_versions": [version("defects")]}
    answers(stage, VERSIONS, {"next_page_token": "more"}, last)
    assert delivered(stage)[0] is State.STARTED
    assert asked(stage) == {"name": "defects"}


@pytest.mark.parametrize("status", [400, 404, 501])
@pytest.mark.parametrize("lines", [(), ("model: defects",)], ids=["latest", "by name"])
def test_a_list_that_breaks_off_is_none(stage: Stage, lines: tuple[str, ...], status: int) -> None:
    route(stage, NOT_YET, *lines)
    path = VERSIONS if lines else MODELS
    first: dict[str, Any] = {"next_page_token": "more"}
    answers(stage, path, {**first, "registered_models": [], "model_versions": []})
    answers(stage, path, *[{"error_code": "INVALID_PARAMETER_VALUE"}] * 9, status=status)
    assert parked(stage) is Reason.RUN_UNREADABLE
    assert starts_once_cured(stage, stage.aml.server)


def endless(stage: Stage, path: str) -> None:
    pages = ({"next_page_token": f"{n}"} for n in range(99))
    answers(stage, path, *pages)


@pytest.mark.parametrize("lines", [(), ("model: defects",)], ids=["latest", "by name"])
def test_more_than_is_read_is_not_taken_for_none(stage: Stage, lines: tuple[str, ...]) -> None:
    route(stage, NOT_YET, *lines)
    endless(stage, VERSIONS if lines else MODELS)
    assert delivered(stage) == (State.OPEN, Reason.FACTS_MISSING, 0)
    assert f"more than {MOST_PAGES} pages" in stage.only("r1").detail


def test_what_is_found_before_that_is_believed(stage: Stage) -> None:
    route(stage, name="{{ model.name }}")
    answers(stage, MODELS, {"registered_models": [model("defects")], "next_page_token": "a"})
    endless(stage, MODELS)
    assert delivered(stage)[0] is State.STARTED
    assert asked(stage) == {"name": "defects"}


@pytest.mark.parametrize("there", [True, False])
def test_a_list_that_repeats_itself_shows_what_it_shows(stage: Stage, *, there: bool) -> None:
    gate = [] if there else [NOT_YET]
    route(stage, *gate, **({"name": "{{ model.name }}"} if there else {}))
    page = {"registered_models": [model("defects")] if there else [], "next_page_token": "again"}
    answers(stage, MODELS, *[page] * 9)
    state, reason, posts = delivered(stage)
    if there:
        assert (state, asked(stage)) == (State.STARTED, {"name": "defects"})
    else:
        assert (state, reason, posts) == (State.OPEN, Reason.FACTS_MISSING, 0)
        assert "repeats a page" in stage.only("r1").detail
