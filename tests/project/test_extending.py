"""docs/extending.md: the recipes that have no tests of their own."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any, Protocol, get_type_hints

import pytest
from msgspec.structs import fields, replace

from functions.configuration import settings
from functions.core.facts import building
from functions.core.ports import services
from functions.core.ports.ledger import Rows
from functions.core.ports.services import Ports
from functions.core.routes.definition import Route, Start, Variable
from functions.core.routes.file.schema import schema
from functions.core.routes.requests import making
from functions.core.terms.errors import InDoubt, Permanent, Retryable
from functions.core.terms.pipelines import PipelineEnd, PipelineRun, RunsSeen
from functions.core.terms.policy import MOST_SENDS, Policy
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Ending, State
from tests.flow.asking import EXPERIMENT
from tests.ledger.samples import NOON, key
from tests.project.test_architecture import FILE
from tests.running.shipping import ROOT
from tests.saying.mistaken import NUMBERS, WRONG
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.core.terms.pipelines import PipelineRequest
    from tests.stage.azure import Stage

PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
RECIPES = {
    title: text for title, _, text in (part.partition("\n") for part in PAGE.split("\n## ")[1:])
}


def test_every_recipe_names_files_that_are_there_and_the_tests_that_hold_it() -> None:
    assert [name for name in FILE.findall(PAGE) if not (ROOT / name).is_file()] == []
    for title, text in RECIPES.items():
        assert re.findall(r"^(\d+)\. ", text, re.MULTILINE)[:3] == ["1", "2", "3"], title
        assert "`tests/" in text.partition("\nHeld by: ")[2], title


def test_every_constant_that_it_names_is_in_that_file() -> None:
    named = re.findall(r"`([\w/]+\.py)`[^`.]{0,30}\(`(\w+)`\)", PAGE)
    named += [(file, name) for name, file in re.findall(r"`(\w+)` (?:of|in) `([\w/]+\.py)`", PAGE)]
    assert len(named) > 12
    gone = [(f, n) for f, n in named if not re.search(rf"\b{n}\b", (ROOT / f).read_text("utf-8"))]
    assert gone == []


# a setting


@pytest.mark.parametrize(
    "name", [name for name, wrong in WRONG.items() if set(NUMBERS) <= {*wrong}]
)
def test_the_readme_tells_the_default_that_stands_in_for_a_number(name: str) -> None:
    (told,) = re.findall(rf"^\| `{name}` \|.*\| `(.+?)` \|$", README, re.MULTILINE)
    (complaint,) = settings.read({name: "soon"}).complaints
    assert complaint.endswith(f"; {told} is used")


# an answer of Azure DevOps


def reasons(*files: str) -> set[str]:
    return {name for file in files for name in re.findall(r"\bReason\.(\w+)", open_text(file))}


def test_every_reason_that_the_adapter_gives_is_among_the_answers_that_are_tried() -> None:
    recipe = RECIPES["An answer of Azure DevOps"]
    adapter = [file for file in FILE.findall(recipe) if file.startswith("functions/adapters/")]
    tried = FILE.findall(recipe.partition("The proof")[2].partition("Held by")[0])
    assert len(reasons(*adapter)) > 6
    assert reasons(*adapter) - reasons(*tried) == set()


# a store


def stores() -> dict[str, str]:
    """The ledgers among the adapters, by the name of their class."""
    found = {}
    for file in (ROOT / "functions" / "adapters").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and "RowLedger" in map(ast.unparse, node.bases):
                found[node.name] = str(file)
    return found


def test_each_store_can_be_chosen_and_is_held_to_the_promises_of_the_ledger() -> None:
    wiring = (ROOT / "functions" / "connections.py").read_text("utf-8")
    opened = re.findall(
        r"def ledger\(self\) -> (\w+): *\n", (ROOT / "tests/ledger/stores.py").read_text("utf-8")
    )
    (tried,) = re.findall(
        r"params=\[(.*?)\]", (ROOT / "tests/ledger/conftest.py").read_text("utf-8")
    )
    assert len(stores()) > 1
    assert stores().keys() == {*opened}
    assert len(tried.split(",")) == len(stores())
    assert [name for name in stores() if f"return {name}(" not in wiring] == []


def test_a_store_has_the_methods_that_are_told_and_no_other() -> None:
    needed = {name for name in vars(Rows) if not name.startswith("_")}
    (told,) = re.findall(r"`Rows` in `[\w/.]+`: (.*?)\.", PAGE, re.DOTALL)
    assert {*re.findall(r"`(\w+)`", told)} == needed
    for file in stores().values():
        (own,) = re.findall(r"class _Rows.*?(?=\nclass |\Z)", open_text(file), re.DOTALL)
        assert {*re.findall(r"^    def ([a-z]\w*)", own, re.MULTILINE)} == needed


def open_text(file: str) -> str:
    return (ROOT / file).read_text("utf-8")


# a target


class Elsewhere:
    """A target that is no Azure DevOps, with what the port asks for and nothing else."""

    def __init__(self, *answers: Exception | None) -> None:
        self.sent: list[dict[str, Any]] = []
        self.there: list[PipelineRun] = []
        self.over: set[int] = set()
        self._answers = list(answers)

    def start(self, request: PipelineRequest, *_: object) -> PipelineRun:
        self.sent.append(json.loads(request.body))
        if self._answers and (error := self._answers.pop(0)):
            raise error
        self.there.append(PipelineRun(id=len(self.there) + 1))
        return self.there[-1]

    def find(self, *_: object) -> Iterator[PipelineRun]:
        yield from self.there

    def ends(self, _: object, runs: Mapping[int, int], *__: object) -> RunsSeen:
        end = PipelineEnd(how=Ending.FAILED, at=NOON)
        return RunsSeen(runs={run: end if run in self.over else None for run in runs})

    def tag(self, *_: object) -> None:
        raise AssertionError("nobody asked for links")


def delivered(stage: Stage, target: Elsewhere) -> tuple[State, Reason]:
    stage.build(pipelines=target)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    return stood(stage)


def stood(stage: Stage) -> tuple[State, Reason]:
    assert stage.posts() == 0  # Azure DevOps was not asked
    c = stage.only("r1")
    return c.state, c.reason


def test_another_target_is_started_once_with_what_the_route_says(stage: Stage) -> None:
    target = Elsewhere()
    assert delivered(stage, target) == (State.STARTED, Reason.ANSWERED)
    stage.deliver(completed("r1"))
    assert [body["templateParameters"] for body in target.sent] == [{"run_id": "r1"}]


def test_what_another_target_started_is_followed_to_its_end(stage: Stage) -> None:
    target = Elsewhere()
    delivered(stage, target)
    stage.reconcile(seconds=121)
    target.over = {run.id for run in target.there}
    stage.reconcile(minutes=2)
    end = stage.only("r1").ended
    assert end is not None
    assert (stood(stage)[0], end.how) == (State.STARTED, Ending.FAILED)


def test_what_another_target_did_not_queue_is_sent_again(stage: Stage) -> None:
    target = Elsewhere(Retryable(Reason.NOT_SENT, "no connection"))
    assert delivered(stage, target) == (State.OPEN, Reason.NOT_SENT)
    stage.reconcile(minutes=2)
    assert (stood(stage)[0], len(target.sent)) == (State.STARTED, 2)


def test_what_another_target_never_takes_is_failed(stage: Stage) -> None:
    target = Elsewhere(Permanent(Reason.REJECTED, "no such parameter"))
    assert delivered(stage, target) == (State.FAILED, Reason.REJECTED)


def test_a_lost_answer_of_another_target_is_looked_for(stage: Stage) -> None:
    target = Elsewhere(InDoubt(Reason.IN_DOUBT, "cut"))
    assert delivered(stage, target) == (State.OPEN, Reason.IN_DOUBT)
    target.there.append(PipelineRun(id=7))
    stage.reconcile(minutes=1)
    assert stood(stage) == (State.STARTED, Reason.FOUND)
    assert (stage.only("r1").pipeline_run, len(target.sent)) == (7, 1)


def test_what_another_target_never_shows_is_asked_for_no_more_than_is_told(stage: Stage) -> None:
    target = Elsewhere(*[InDoubt(Reason.IN_DOUBT, "cut") for _ in range(9)])
    delivered(stage, target)
    for _ in range(12):
        stage.reconcile(minutes=12)
    assert stood(stage) == (State.HELD, Reason.IN_DOUBT)
    assert len(target.sent) == MOST_SENDS


SAID: dict[str, Any] = {
    "organization": "fabrikam",
    "project": "other",
    "pipeline": 7,
    "secret": "another",
    "pipeline_version": 3,
    "branch": "refs/heads/other",
    "parameters": {"run_id": "{{ run.id }}"},
    "correlation": "relay_id",
    "variables": {"a": Variable("b")},
    "skip_stages": ("test",),
}


def test_whatever_a_start_says_is_in_the_schema_of_the_route_file() -> None:
    route = schema()["properties"]["routes"]["items"]["properties"]
    names = {field.name for field in fields(Start)}
    assert names == {*route["start"]["else"]["properties"]} == {*SAID}


@pytest.mark.parametrize("name", SAID)
def test_whatever_a_start_says_reaches_the_request(name: str) -> None:
    plain = Start(organization="contoso", project="mlops", pipeline=42)
    known: dict[str, Any] = {"run": {"id": "r1"}, building.UNREAD: {}}

    def made(start: Start) -> PipelineRequest:
        return making.request(Route(name="a", start=start), start, key(), known, Policy())

    assert made(replace(plain, **{name: SAID[name]})) != made(plain)


def test_every_port_has_an_adapter_with_all_its_methods(stage: Stage) -> None:
    kinds = get_type_hints(Ports, vars(services) | typed())
    for name, kind in kinds.items():
        assert issubclass(kind, Protocol)
        needed = {n for n in vars(kind) if not n.startswith("_")}
        assert [n for n in needed if not hasattr(getattr(stage.ports, name), n)] == []


def typed() -> dict[str, Any]:
    """What the ports are annotated with and import for the type checker only."""
    from functions.core.ports.ledger import Ledger  # noqa: PLC0415 - as said
    from functions.core.ports.notices import Messenger  # noqa: PLC0415 - the same
    from functions.core.terms.deadline import Clock  # noqa: PLC0415 - the same

    return {"Ledger": Ledger, "Clock": Clock, "Messenger": Messenger}


def test_every_port_to_a_remote_service_is_observed() -> None:
    from functions.adapters.telling.telemetry import SERVICES  # noqa: PLC0415 - it loads a lot

    at_home = {"routes", "journal", "clock", "outcomes"}  # not remote, or observed in other ways
    assert {*SERVICES} | at_home == {*Ports._fields}
