"""`what-if`: what became of the runs of the last days, beside what another route file would do."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.events import parsing
from functions.core.terms.reasons import Reason
from local.cloud import WORKSPACE
from relay.whatif.asking_again import AskingAgain
from relay.whatif.past import Past
from tests.saying.refusals import says
from tests.stage.azure import MovableClock, changed, completed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.relay.conftest import Desk, Said

GATED = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: register
    match: {experiment: "defect-*"}
    when: run.metrics.accuracy >= 0.9
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""
OTHER = """
  - name: report
    match: {experiment: "defect-*"}
    outcome: Failed
    start: {pipeline: 43, parameters: {run_id: "{{ run.id }}"}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A route file that is not the app's."""
    return tmp_path / "changed.yaml"


def ended(desk: Desk, run: str, accuracy: float | None = 0.95, **facts: Any) -> None:
    """A run that ended and whose event was delivered."""
    metrics = {} if accuracy is None else {"accuracy": accuracy}
    desk.end(run, metrics=metrics, **facts)
    status = facts.get("status", "Completed")
    tags = {"runTags": facts.get("tags", {})}
    desk.stage.deliver(
        completed(run, **tags) if status == "Completed" else changed(run, status, **tags)
    )


def asked(desk: Desk, file: Path, text: str, *words: str) -> Said:
    file.write_text(text, encoding="utf-8")
    return desk.type("what-if", "--routes", str(file), *words)


def told(desk: Desk, file: Path, text: str, *words: str) -> dict[str, Any]:
    return dict(json.loads(asked(desk, file, text, "--json", *words).out))


def changes(document: dict[str, Any]) -> dict[str, str]:
    """What changes, by ROUTE/RUN."""
    return {
        f"{route['route']}/{run['run']}": route["change"]
        for run in document["runs"]
        for route in run["routes"]
    }


def test_the_same_routes_change_nothing(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "good")
    ended(desk, "bad", 0.5)
    ended(desk, "bare", None)
    said = asked(desk, file, GATED)
    assert said.code == 0
    assert said.out.splitlines()[-1].endswith(": 3 of 3 ends as they were")
    assert "1  held (gate)" in said.out


def test_a_sharper_gate_is_told_with_what_it_saw_and_fails(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "good", 0.95)
    ended(desk, "best", 0.99)
    posts = desk.stage.posts()
    said = asked(desk, file, GATED.replace("0.9\n", "0.98\n"))
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0] == "would not start: 1"
    assert "register/good/Completed" in lines[1]
    assert "was started: pipeline run" in lines[2]
    assert "would end as held" in lines[3]
    assert "0.95" in lines[3]
    assert desk.stage.posts() == posts
    assert desk.stage.only("good").state == "started"


def test_it_reads_and_neither_asks_azure_devops_nor_writes(desk: Desk, file: Path) -> None:
    """Also where much would be started, what is open waits for a limit, and a champion is asked."""
    limited = GATED.replace("    start:", "    limit: 1/d\n    start:")
    desk.stage.mid_day()
    desk.stage.routes(limited)
    for run in ("first", "second"):
        ended(desk, run)
    desk.end("unheard", metrics={"accuracy": 0.95}, status="Failed")
    asks = "model: defects\n    champion: newest\n    when: '!champion.exists && "
    text = limited.replace("when: run", asks + "run").replace("0.9\n", "0.1'\n")
    before = (_rows(desk), desk.stage.outgoing())
    said = asked(desk, file, text + OTHER)
    assert "would start" in said.out
    added = list((Counter(desk.stage.outgoing()) - Counter(before[1])).elements())
    reads = {"/runs/search", "/experiments/search"}
    odd = [one for one in added if not (one.startswith("GET ") or one.endswith(tuple(reads)))]
    assert added
    assert (odd, _rows(desk)) == ([], before[0])
    assert [one for one in added if "/_apis/" in one or "/secrets/" in one] == []


def _rows(desk: Desk) -> list[Any]:
    """Everything in the ledger."""
    path = desk.stage.environ["LEDGER_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as ledger:
        names = [name for (name,) in ledger.execute("SELECT name FROM sqlite_master")]
        return [(name, sorted(map(str, ledger.execute(f"SELECT * FROM {name}")))) for name in names  # noqa: S608 - our own names
                if not name.startswith("sqlite_")]  # fmt: skip


def test_a_laxer_gate_starts_more_and_is_no_failure(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "bad", 0.5)
    said = asked(desk, file, GATED.replace("0.9\n", "0.4\n"))
    assert said.code == 0
    assert said.out.startswith("would start: 1\n")


def test_a_run_that_no_route_wanted_is_read_from_aml(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "wrong", status="Failed")
    assert desk.stage.of_run("wrong") == {}
    document = told(desk, file, GATED + OTHER)
    assert changes(document) == {"report/wrong": "would start"}
    (route,) = document["runs"][0]["routes"]
    assert route["was"] is None
    assert route["would"]["request"]["body"]["templateParameters"] == {"run_id": "wrong"}


def test_what_only_an_event_tells_is_known_of_the_ledgers_runs_alone(
    desk: Desk, file: Path
) -> None:
    of_scripts = GATED.replace('"defect-*"', '"defect-*", run_type: azureml.scriptrun')
    desk.stage.routes(GATED)
    desk.end("heard", metrics={"accuracy": 0.95})
    desk.stage.deliver(completed("heard", runType="azureml.scriptrun"))
    desk.end("unheard", metrics={"accuracy": 0.95})
    document = told(desk, file, of_scripts)
    assert changes(document) == {"register/heard": "as it was"}


def test_other_parameters_are_told_by_name(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "good")
    new = 'parameters: {run_id: "{{ run.name }}-{{ run.id }}", stage: prod}'
    text = GATED.replace('parameters: {run_id: "{{ run.id }}"}', new)
    said = asked(desk, file, text)
    assert said.code == 0
    assert said.out.startswith("would start otherwise: 1\n")
    assert "    parameters.stage: none -> prod" in said.out
    assert "    parameters.run_id: good -> " in said.out


def test_the_value_of_a_secret_variable_is_not_told(desk: Desk, file: Path) -> None:
    secret = 'variables: {token: {value: "hush-{{ run.id }}", secret: true}}'
    text = GATED.replace('parameters: {run_id: "{{ run.id }}"}', secret).replace("42", "44")
    desk.stage.devops.add_pipeline("contoso", "mlops", 44, "next", settable_variables=["token"])
    desk.stage.routes(text)
    ended(desk, "good")
    changed_text = text.replace("hush-", "quiet-")
    said = asked(desk, file, changed_text)
    assert "variables.token: *** -> ***" in said.out
    document = asked(desk, file, changed_text, "--json").out
    assert [word for word in ("hush", "quiet") if word in said.out + document] == []


def test_a_route_of_another_name_loses_nothing(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "good")
    said = asked(desk, file, GATED.replace("name: register", "name: promote"))
    assert said.code == 0
    assert said.out.startswith("would start by another route: 2\n")
    assert "parameters." not in said.out


def test_what_a_route_of_another_name_would_ask_otherwise_is_told(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "good")
    renamed = GATED.replace("name: register", "name: promote")
    said = asked(desk, file, renamed.replace("{{ run.id }}", "of-{{ run.id }}"))
    assert said.out.startswith("would start by another route: 2\n")
    assert "    parameters.run_id: good -> " in said.out


def test_a_route_that_is_gone_fails(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED + OTHER)
    ended(desk, "good")
    said = asked(desk, file, "version: 1\ndefaults: {organization: c, project: p}\nroutes:" + OTHER)
    assert said.code == 1
    assert "no route has this name any more" in said.out


def test_a_route_in_shadow_starts_nothing(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "good")
    said = asked(desk, file, GATED.replace("    when:", "    mode: shadow\n    when:"))
    assert (said.code, said.out.splitlines()[0]) == (1, "would not start: 1")


def test_whether_azure_devops_takes_what_it_refused_cannot_be_told(desk: Desk, file: Path) -> None:
    wrong = GATED.replace("{run_id:", "{run_uid:")
    desk.stage.routes(wrong)
    ended(desk, "good")
    assert desk.stage.only("good").reason == "rejected"
    said = asked(desk, file, wrong)
    assert (said.code, said.out.splitlines()[0]) == (0, "cannot be told: 1")
    assert "if Azure DevOps takes it: `preview --check` asks" in said.out


def test_what_waits_for_others_is_nobodys_change(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    desk.stage.devops.server.faults.add(says(401, times=2))
    ended(desk, "good")
    assert desk.stage.only("good").is_open
    document = told(desk, file, GATED.replace("0.9\n", "0.98\n"))
    assert changes(document) == {"register/good": "as it was"}


def test_what_an_operator_started_past_its_gate_is_no_change(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "bad", 0.5)
    assert desk.type("replay", "register/bad/Completed", "--ignore-gate").code == 0
    desk.stage.reconcile()
    assert desk.stage.only("bad").state == "started"
    assert changes(told(desk, file, GATED)) == {"register/bad": "as it was"}


def test_what_an_operator_started_without_its_facts_is_no_change(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "bare", None)
    desk.stage.reconcile(minutes=30)
    assert desk.type("replay", "register/bare/Completed", "--ignore-gate").code == 0
    desk.stage.reconcile(minutes=1)
    assert desk.stage.only("bare").state == "started"
    assert changes(told(desk, file, GATED)) == {"register/bare": "as it was"}
    shadowed = GATED.replace("    when:", "    mode: shadow\n    when:")
    said = asked(desk, file, shadowed)
    assert (said.code, said.out.splitlines()[0]) == (1, "would not start: 1")


def test_two_starts_that_would_be_one_fail(desk: Desk, file: Path) -> None:
    twice = GATED + GATED[GATED.index("  - name") :].replace("register", "second")
    desk.stage.routes(twice.replace("{{ run.id }}", "1-{{ run.id }}", 1))
    ended(desk, "good")
    assert desk.stage.posts() == 2
    said = asked(desk, file, GATED.replace("name: register", "name: third"))
    assert said.code == 1
    assert said.out.startswith("would not start: 2\n")


def test_a_fact_that_cannot_be_read_is_told_and_is_no_all_clear(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "good")
    fault = says(503, path="*/model-versions/search*", method="GET", times=20)
    desk.stage.aml.server.faults.add(fault)
    said = asked(desk, file, GATED.replace("{{ run.id }}", "{{ model.version }}"))
    assert (said.code, said.out.splitlines()[0]) == (4, "cannot be told: 1")
    assert said.err.startswith("lacking: ml-prod: register/good: ")


def test_a_route_that_only_answers_tasks_is_no_change(desk: Desk, file: Path) -> None:
    answers = GATED[: GATED.index("    start:")] + "    complete: true\n"
    desk.stage.routes(answers)
    ended(desk, "bare", None)
    document = told(desk, file, answers)
    assert set(changes(document).values()) <= {"as it was"}


def test_a_run_that_did_not_respond_and_ended_later_is_two_news(desk: Desk, file: Path) -> None:
    silent = OTHER.replace("Failed", "[NotResponding]")
    desk.stage.routes(GATED + silent)
    desk.end("r1", metrics={"accuracy": 0.95}, status="Running")
    desk.stage.deliver(changed("r1", "NotResponding"))
    desk.end("r1", metrics={"accuracy": 0.95})
    desk.stage.deliver(completed("r1"))
    document = told(desk, file, GATED + silent)
    assert changes(document) == {"register/r1": "as it was", "report/r1": "as it was"}


def test_an_end_that_was_told_wrongly_is_not_judged_anew(desk: Desk, file: Path) -> None:
    """Its event said Completed and the run reads Failed: no route file makes that untrue."""
    desk.stage.routes(GATED + OTHER)
    ended(desk, "r1")
    desk.end("r2", metrics={"accuracy": 0.95}, status="Failed")
    desk.stage.deliver(completed("r2"))
    assert desk.stage.of_run("r2")["register"].reason is Reason.OUTCOME_CHANGED
    more = GATED + OTHER + OTHER.replace("report", "archive").replace("Failed", "Completed")
    for text in (GATED + OTHER, more):
        document = told(desk, file, text)
        found = changes(document)
        assert (found["register/r2"], found["report/r2"]) == ("as it was", "as it was")
        assert "archive/r2" not in found
        ends = {(one["was"], one["would"]) for one in document["ends"]}
        assert ("skipped (outcome_changed)", "skipped (outcome_changed)") in ends
        totals = document["totals"]
        assert (totals["runs"], totals["ends"]) == (2, len(found))
    said = asked(desk, file, GATED + OTHER).out
    assert "  ends  was" in said
    assert said.splitlines()[-1].startswith("2 runs since ")
    assert said.splitlines()[-1].endswith(": 3 of 3 ends as they were")


def test_a_run_that_cannot_be_read_is_told_and_is_not_counted(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "good")
    ended(desk, "old", ago=40 * 86_400)
    desk.stage.aml.server.faults.add(says(404, path="*/runs/get", method="GET", times=5))
    said = asked(desk, file, GATED)
    assert said.code == 3
    assert said.err.startswith("lacking: ml-prod: old: ")
    assert said.out.splitlines()[-1].startswith("1 run since ")


def test_a_run_that_was_deleted_since_is_none_the_worse(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "good")
    desk.stage.aml.delete_run("good")
    assert changes(told(desk, file, GATED)) == {"register/good": "as it was"}


def test_a_workspace_that_does_not_answer_leaves_the_ledgers_runs(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "good")
    other = WORKSPACE.replace("ml-prod", "ml-gone")
    assert other != WORKSPACE
    said = asked(desk, file, GATED, "--workspace", WORKSPACE, "--workspace", other)
    assert said.code in {3, 4}
    assert "1 run since " in said.out


def test_more_than_the_limit_is_told(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    for n in range(3):
        ended(desk, f"r{n}")
    said = asked(desk, file, GATED, "--limit", "2")
    assert said.code == 5
    assert "lacking: only the newest 2 of 3 were looked at: --limit" in said.err
    document = told(desk, file, GATED, "--limit", "2")
    assert (document["complete"], document["totals"]["runs"]) == (False, 2)


def test_a_route_file_that_is_none_is_usage(desk: Desk, file: Path) -> None:
    said = asked(desk, file, "version: 1\nroutes: [{nome: x}]")
    assert said.code == 2
    assert "nome" in said.err


def test_a_gate_that_check_refuses_fails_also_where_no_run_has_met_it(
    desk: Desk, file: Path
) -> None:
    desk.stage.routes(GATED)
    ended(desk, "good")
    text = GATED + OTHER.replace("Failed\n", "Failed\n    when: run.params.lr > 5\n")
    said = asked(desk, file, text)
    assert said.code == 1
    assert "1 of 1 ends as they were" in said.out
    assert said.err.startswith("changed.yaml:13: routes[1].when: `run.params.lr > 5` compares text")
    (mistake,) = told(desk, file, text)["mistakes"]
    assert mistake in said.err
    assert told(desk, file, GATED)["mistakes"] == []


def test_no_run_at_all_is_no_all_clear_in_words(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    said = asked(desk, file, GATED)
    assert said.out.splitlines()[-1].endswith(" UTC: nothing was compared")


def test_it_reads_each_run_no_further_than_its_workspace_is_read(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    for n in range(20):
        ended(desk, f"r{n}")
    before = len(desk.stage.aml.server.requests)
    told(desk, file, GATED)
    asked_paths = [request.path for request in desk.stage.aml.server.requests[before:]]
    assert len(asked_paths) <= 4, asked_paths


class Hurried(MovableClock):
    """A clock by which three seconds pass whenever it is looked at."""

    def monotonic(self) -> float:
        self.forward(seconds=3)
        return super().monotonic()


def test_how_far_it_is_is_told_while_it_takes_long(desk: Desk) -> None:
    desk.stage.routes(GATED)
    for n in range(3):
        ended(desk, f"r{n}")
    ports = desk.stage.ports._replace(clock=Hurried())
    past = Past(ports, desk.stage.clock.now() - timedelta(days=1))
    happened = past.gather([parsing.workspace(WORKSPACE)], 10, ports.routes.routes())
    said: list[str] = []
    found = AskingAgain(ports, desk.stage.read.policy, ports.routes.routes(), said.append).of(
        happened
    )
    assert len(found) == 3
    assert said == ["1 of 3 looked at", "2 of 3 looked at", "3 of 3 looked at"]


def test_what_the_time_does_not_suffice_for_is_left_out(desk: Desk) -> None:
    desk.stage.routes(GATED)
    for n in range(3):
        ended(desk, f"r{n}")
    clock = Hurried()
    ports = desk.stage.ports._replace(clock=clock)
    past = Past(ports, desk.stage.clock.now() - timedelta(days=1))
    happened = past.gather([parsing.workspace(WORKSPACE)], 10, ports.routes.routes())
    clock.forward(seconds=1)

    def say(_: str) -> None:
        clock.forward(hours=1)

    found = AskingAgain(ports, desk.stage.read.policy, ports.routes.routes(), say).of(
        happened * 100
    )
    assert 0 < len(found) < 300


def test_what_the_ledger_has_forgotten_is_told_to_be_lacking(desk: Desk, file: Path) -> None:
    desk.stage.routes(GATED)
    ended(desk, "good")
    file.write_text(GATED, encoding="utf-8")
    words = ("what-if", "--routes", str(file), "--since", "30d")
    said = desk.type(*words, LEDGER_RETENTION_DAYS="20")
    assert said.code == 5
    assert "lacking: the ledger keeps what has ended for 20 d: --since" in said.err
    assert desk.type(*words, LEDGER_RETENTION_DAYS="30").code == 0
