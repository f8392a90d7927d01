"""`bin/relay list` and `show`, as an operator meets them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from functions import web
from functions.core.ledger import lists
from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome, State
from functions.web.parts import filters
from local.cloud import WORKSPACE
from relay.continuations import listing
from tests.ledger import samples
from tests.saying.refusals import WRONG, says
from tests.stage.azure import changed, completed

if TYPE_CHECKING:
    from tests.relay.conftest import Desk

SECRET = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: register
    start:
      pipeline: 42
      parameters: {run_id: "{{ run.id }}"}
      variables:
        TOKEN: {value: "token-of-{{ run.id }}", secret: true}
        PLAIN: {value: "{{ run.id }}"}
"""


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """One that was started two hours ago, one that failed an hour ago, one started just now."""
    desk.end("r1")
    desk.end("r2")
    desk.end("r4", status="Failed")
    desk.stage.clock.forward(hours=-2)
    desk.stage.deliver(completed("r1"))
    fault = says(400, WRONG)
    desk.stage.devops.server.faults.add(fault)
    desk.stage.clock.forward(hours=1)
    desk.stage.deliver(completed("r2", experimentName="defect-b"))
    desk.stage.clock.forward(hours=1)
    desk.stage.deliver(changed("r4", "Failed"))
    desk.stage.reconcile()
    return desk


def keys(desk: Desk, *words: str) -> list[str]:
    said = desk.type("list", "--json", *words)
    assert (said.code, said.err) == (0, "")
    whole = [one["key"] for one in json.loads(said.out)["continuations"]]
    assert all("@/subscriptions/" in key for key in whole)
    return [key.partition("@")[0] for key in whole]


def test_the_newest_comes_first(filled: Desk) -> None:
    assert keys(filled) == ["report/r4/Failed", "register/r2/Completed", "register/r1/Completed"]


@pytest.mark.parametrize(
    ("words", "runs"),
    [
        (["--state", "started"], ["r4", "r1"]),
        (["--state", "failed"], ["r2"]),
        (["--state", "failed", "--state", "started"], ["r4", "r2", "r1"]),
        (["--state", "held"], []),
        (["--route", "reg*"], ["r2", "r1"]),
        (["--route", "REPORT"], ["r4"]),
        (["--route", "re"], []),
        (["--route", "[r]eport"], []),
        (["--experiment", "defect-?"], ["r2"]),
        (["--experiment", "defect-*", "--route", "register", "--state", "started"], ["r1"]),
        (["--limit", "1"], ["r4"]),
        (["--since", "90m"], ["r4", "r2"]),
        (["--since", "30m"], ["r4"]),
    ],
)
def test_filters_narrow_the_list(filled: Desk, words: list[str], runs: list[str]) -> None:
    said = filled.type("list", "--json", *words)
    found = json.loads(said.out)["continuations"]
    assert [one["run"] for one in found] == runs


def test_the_table_has_a_line_for_each_also_where_it_is_piped(filled: Desk) -> None:
    said = filled.type("list")
    lines = said.out.splitlines()
    (started,) = (line for line in lines if "register/r1/Completed@ml-prod" in line)
    assert "started" in started
    assert "defect-detection" in started
    assert str(filled.stage.only("r1").pipeline_run) in started
    assert lines[-1] == "3 continuations"


def test_a_long_key_stays_in_one_line(desk: Desk) -> None:
    desk.stage.ledger.claim(samples.opened("r" * 200))
    assert f"register/{'r' * 200}/Completed@defects" in desk.type("list").out


def test_what_was_started_a_moment_ago_is_not_listed_as_open(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    assert keys(desk, "--state", "open") == []
    assert keys(desk, "--state", "started") == ["register/r1/Completed"]


def test_workspaces_of_one_name_are_told_apart(desk: Desk) -> None:
    ids = [WORKSPACE.lower(), WORKSPACE.lower().replace("rg-ml", "rg-x")]
    for id_ in ids:
        key = Key(id_, "r1", Outcome.COMPLETED, "register")
        desk.stage.ledger.claim(msgspec.structs.replace(samples.opened("r1"), key=key))
    said = desk.type("list").out
    assert [f"register/r1/Completed@{id_}" in said for id_ in ids] == [True, True]


def test_an_empty_list_is_no_error(desk: Desk) -> None:
    said = desk.type("list")
    assert said == (0, "0 continuations\n", "")


def test_what_does_not_fit_is_said_so(filled: Desk) -> None:
    said = filled.type("list", "--limit", "2")
    assert said.err == "only the newest 2 are shown: --limit\n"
    document = json.loads(filled.type("list", "--limit", "2", "--json").out)
    assert (document["complete"], len(document["continuations"])) == (False, 2)


def test_of_more_than_a_list_has_room_for_it_is_said_that_there_are_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever counts those of an outage must not believe that there are 5,000."""
    for module in (lists, listing, filters):
        monkeypatch.setattr(module, "MOST_SORTED", 3)

    def is_whole() -> list[bool]:
        of_list, of_page = json.loads(desk.type("list", "--json").out), desk.asked()
        page = desk.seen()
        said = [desk.type("list", "--state", "open").err == "", "knows all that is open" in page]
        return [of_list["complete"], of_page.get("complete", True), *said, "3+" not in page]

    for run in ("r1", "r2"):
        desk.stage.ledger.claim(samples.opened(run))
    assert is_whole() == [True] * 5
    for run in ("r3", "r4"):
        desk.stage.ledger.claim(samples.opened(run))
    assert is_whole() == [False] * 5
    assert desk.type("list").err.endswith("only 3 of what is open were looked at\n")


def test_of_what_waits_for_a_pause_no_more_is_told_than_was_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = desk.stage
    stage.deploy(PAUSED="1")
    for run in ("r1", "r2"):
        stage.aml.add_run(run, experiment="defect-detection")
        stage.deliver(completed(run))
    assert "  2 continuations wait for that.\n" in desk.type("list").err
    monkeypatch.setattr(lists, "MOST_SORTED", 2)
    (stop,) = (one for one in desk.asked()["stops"] if one["kind"] == "paused")
    assert stop["says"].endswith("At least 2 continuations wait for that.")
    assert (stop["waits"], stop["waits_is_at_least"]) == (2, True)
    assert "  At least 2 continuations wait for that.\n" in desk.type("list").err


def test_what_waits_is_listed_however_old_it_is(desk: Desk) -> None:
    old = desk.stage.clock.now() - timedelta(days=90)
    desk.stage.ledger.claim(samples.opened("r-old", at=old))
    assert keys(desk, "--since", "1h") == ["register/r-old/Completed"]


@pytest.mark.parametrize(
    "words",
    [
        ["--state", "parked"],
        ["--since", "yesterday"],
        ["--since", "0h"],
        ["--since", "999999d"],
        ["--limit", "0"],
        ["extra"],
    ],
)
def test_what_is_not_understood_is_a_usage_error(desk: Desk, words: list[str]) -> None:
    assert desk.type("list", *words).code == 2


def test_a_ledger_that_does_not_answer_is_one_line(desk: Desk, tmp_path: Any) -> None:
    (tmp_path / "broken.db").write_text("this is no database, however long the text is" * 100)
    for words in (["list"], ["show", "register/r1/Completed"]):
        said = desk.type(*words, LEDGER_URL=f"sqlite:///{tmp_path / 'broken.db'}")
        assert (said.code, said.out, len(said.err.splitlines())) == (4, "", 1)
        assert said.err.startswith("the ledger: ")


def test_names_that_others_chose_do_no_harm(desk: Desk) -> None:
    hostile = "\x1b]0;x\x07[red]##vso[task.complete result=Failed]\u202e" + "y" * 10_000
    made = completed("r1", experimentName=hostile, runTags={hostile[:100]: hostile[:4000]})
    desk.stage.routes(SECRET)
    desk.end("r1")
    desk.stage.deliver(made)
    for words in (["list"], ["list", "--json"], ["show", "register/r1/Completed"]):
        said = desk.type(*words)
        assert said.code == 0
        assert "[red]" in said.out
        assert not {"\x1b", "\x07", "\u202e"} & set(said.out)
        assert "##vso[" not in said.out
    assert max(map(len, desk.type("show", "register/r1/Completed").out.splitlines())) < 1000


def sent(desk: Desk) -> None:
    desk.stage.devops.add_pipeline(
        "contoso",
        "mlops",
        42,
        "next",
        parameters={"run_id": None},
        settable_variables=["TOKEN", "PLAIN"],
    )
    desk.stage.routes(SECRET)
    desk.end("r1")
    desk.stage.deliver(completed("r1", runTags={"Stage": "prod"}))
    assert desk.stage.only("r1").state is State.STARTED


def test_one_is_shown_whole_and_its_secrets_are_not(desk: Desk) -> None:
    sent(desk)
    said = desk.type("show", "register/r1/completed")
    assert (said.code, said.err) == (0, "")
    (posted,) = desk.stage.devops.server.received("POST", "/runs")
    assert f"POST {desk.stage.devops.url}{posted.path}?api-version=7.1" in said.out
    assert "token-of-r1" in posted.body
    assert "token-of-r1" not in said.out
    for part in (
        "register/r1/Completed@ml-prod",
        "started\n  means    the pipeline run exists",
        "run.tags.Stage",
        "event-r1-completed",
        "azureml.PipelineRun",
        '"run_id": "r1"',
        "claimed",
        "with the credential azure-devops-pat",
        "https://ml.azure.com/runs/r1?wsid=",
    ):
        assert part in said.out


def test_programs_get_the_exact_request_but_its_secrets(desk: Desk) -> None:
    sent(desk)
    shown = json.loads(desk.type("show", "register/r1/Completed", "--json").out)
    (posted,) = desk.stage.devops.server.received("POST", "/runs")
    body = json.loads(posted.body)
    assert body["variables"]["TOKEN"]["value"] == "token-of-r1"
    body["variables"]["TOKEN"]["value"] = "***"
    assert shown["request"]["body"] == body
    assert shown["event"]["tags"] == {"Stage": "prod"}
    assert shown["workspace"] == WORKSPACE.lower()


def test_the_page_the_list_and_show_tell_a_program_the_same(desk: Desk) -> None:
    sent(desk)
    stage = desk.stage
    overview = stage.app.overview
    asked = web.answer(lambda: overview, {}, "application/json")
    (paged,) = json.loads(asked.body)["continuations"]
    (listed,) = json.loads(desk.type("list", "--json").out)["continuations"]
    opened = json.loads(web.answer(lambda: overview, {"key": paged["key"]}, asked.kind).body)
    shown = json.loads(desk.type("show", paged["key"], "--json").out)
    assert paged == listed == {name: opened[name] for name in paged}
    assert paged == {name: shown[name] for name in paged}
    assert paged["key"] == f"register/r1/Completed@{WORKSPACE.lower()}"
    assert paged["url"] == stage.only("r1").url
    assert paged["latency_seconds"] > 0


def test_a_stored_request_that_is_none_is_shown_as_nothing(desk: Desk) -> None:
    for run, body in (("r1", "no json"), ("r2", "[]"), ("r3", '{"variables": 1}')):
        desk.stage.ledger.claim(samples.opened(run, request=samples.request(body)))
        said = desk.type("show", f"register/{run}/Completed", "--json")
        assert json.loads(said.out)["request"]["body"] is None


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("register", 2, "register is no KEY"),
        ("plum_1", 2, "for a run: bin/relay why plum_1"),
        ("register/r9/Completed", 3, "register/r9/Completed is not in the ledger"),
        ("register/run-1/Completed@Other", 3, "is not in the ledger"),
    ],
)
def test_a_key_that_names_nothing_is_said_so(desk: Desk, text: str, code: int, said: str) -> None:
    desk.stage.ledger.claim(samples.opened())
    answer = desk.type("show", text)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err


def test_a_key_in_several_workspaces_wants_one_named(desk: Desk) -> None:
    first = samples.opened()
    other = Key(WORKSPACE.lower(), "run-1", Outcome.COMPLETED, "register")
    made = completed("run-1")
    desk.stage.ledger.claim(first)
    desk.end("run-1")
    desk.stage.deliver(made)
    assert desk.stage.ledger.read(other)
    said = desk.type("show", "register/run-1/Completed")
    assert said.code == 2
    assert sorted(said.err.splitlines()[1:]) == [
        "  register/run-1/Completed@Defects",
        "  register/run-1/Completed@ml-prod",
    ]
    assert desk.type("show", "register/run-1/Completed@ml-prod").code == 0


def test_who_waits_to_be_called_is_told_so_and_not_a_time_that_means_nothing(desk: Desk) -> None:
    desk.stage.deploy(PAUSED="1")
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    assert "in its turn" in desk.type("list").out
    said = desk.type("show", "register/r1/Completed").out
    assert "when the app goes on, those claimed first before the others" in said
