"""`bin/relay preview`, as an operator or a CI step meets it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from local.cloud import WORKSPACE
from local.devops import Parameter
from local.serving.faults import Fault
from tests.saying.refusals import says
from tests.stage.azure import ROUTES, as_cloud_event, changed, completed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.relay.conftest import Desk

FULL = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: register
    when: run.metrics.accuracy >= 0.9
    start:
      pipeline: 42
      pipeline_version: 1
      branch: refs/heads/main
      parameters: {run_id: "{{ run.id }}", accuracy: "{{ run.metrics.accuracy }}"}
      variables: {TOKEN: {value: "token-of-{{ run.id }}", secret: true}}
      skip_stages: [test]
"""
PREVIEW = "*/_apis/pipelines/42/preview"
HTML = {"Content-Type": "text/html"}


@pytest.fixture
def full(desk: Desk) -> Desk:
    """An app with one route that uses all a start can have, and a run for it."""
    desk.stage.routes(FULL)
    offer(desk, run_id=None, accuracy=Parameter("number"))
    desk.end("r1", metrics={"accuracy": 0.95})
    return desk


def offer(desk: Desk, **parameters: Any) -> None:
    """Have pipeline 42 declare these parameters."""
    desk.stage.devops.add_pipeline(
        "contoso",
        "mlops",
        42,
        "register-model",
        parameters=parameters,
        settable_variables=["TOKEN"],
        stages=["test", "train"],
    )


def record(folder: Path, name: str, content: object) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return file


def test_the_request_shown_is_the_one_that_is_sent_but_its_secrets(full: Desk) -> None:
    shown = json.loads(full.type("preview", "--run", "r1", "--json").out)
    request = shown["runs"][0]["routes"][0]["request"]
    full.stage.deliver(completed("r1"))
    (posted,) = full.stage.devops.server.received("POST", "/runs")
    query = "api-version=7.1&pipelineVersion=1"
    assert request["url"] == f"{full.stage.devops.url}{posted.path}?{query}"
    assert dict(posted.query) == dict(pair.split("=") for pair in query.split("&"))
    body = json.loads(posted.body)
    assert body["variables"]["TOKEN"]["value"] == "token-of-r1"
    body["variables"]["TOKEN"]["value"] = "***"
    assert request["body"] == body


def test_every_route_is_shown_and_nothing_is_started_or_written(full: Desk) -> None:
    full.stage.routes(FULL + ROUTES.split("routes:")[1].replace("name: register", "name: other"))
    said = full.type("preview", "--run", "r1")
    assert (said.code, said.err) == (0, "")
    assert "register: would start pipeline contoso/mlops/42; its gate saw run.metr" in said.out
    assert "other: would start pipeline contoso/mlops/42" in said.out
    assert "report: not concerned: its filter outcome wants Canceled, Failed" in said.out
    assert '"accuracy": "0.95"' in said.out
    assert "token-of-r1" not in said.out
    assert full.stage.devops.server.requests == []
    assert full.stage.ledger.of_run(WORKSPACE.lower(), "r1") == []


def test_what_was_started_already_is_told_before_what_would_come_anew(full: Desk) -> None:
    full.stage.deliver(completed("r1"))
    run = full.stage.only("r1")
    said = full.type("preview", "--run", "r1")
    assert (said.code, said.err) == (0, "")
    began, anew, *_ = (line for line in said.out.splitlines() if line.startswith("  "))
    assert began == f"  register: was started, pipeline run {run.pipeline_run} {run.url}"
    assert anew.startswith("    anew     would start pipeline contoso/mlops/42")
    (route,) = json.loads(full.type("preview", "--run", "r1", "--json").out)["runs"][0]["routes"]
    assert (route["known"]["state"], route["known"]["pipeline_run"]) == (
        "started",
        run.pipeline_run,
    )


def test_a_limit_that_is_used_up_is_told(full: Desk) -> None:
    full.stage.routes(FULL.replace("- name: register", "- name: register\n    limit: 2/h"))
    full.stage.use_up("register", "%Y-%m-%dT%H", hours=1)
    said = full.type("preview", "--run", "r1")
    assert said.code == 0
    waits = r"would start, but not now; it waits until \S+ \d\d:00:00 UTC, since the route has"
    assert re.search(rf"register: {waits}.* \(1000 of 2 used since \d\d:00 UTC\)\n", said.out)
    assert '"run_id": "r1"' in said.out


def test_check_asks_for_a_preview_and_starts_nothing(full: Desk) -> None:
    said = full.type("preview", "--run", "r1", "--check")
    assert (said.code, said.err) == (0, "")
    assert "accepted: pipeline register-model would run with this" in said.out
    assert said.out.splitlines()[-1].startswith("1 run: 1 accepted, 0 refused")
    (asked,) = full.stage.devops.server.received("POST", "")
    assert asked.path.endswith("/_apis/pipelines/42/preview")
    assert json.loads(asked.body)["previewRun"] is True
    assert json.loads(asked.body)["variables"]["TOKEN"]["value"] == "token-of-r1"
    assert full.stage.devops.runs == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("run_id:", "run_ids:", "Unexpected parameter 'run_ids'"),
        ('run_id: "{{ run.id }}", ', "", "A value for the 'run_id' parameter must be provided."),
        ('"{{ run.metrics.accuracy }}"', "high", "value 'high' is not a valid Number"),
        ("heads/main", "heads/gone", "Unable to resolve the reference 'refs/heads/gone'"),
        ("pipeline_version: 1", "pipeline_version: 7", "has no version 7"),
        ("TOKEN:", "TOKENS:", "You can't set the following variables (TOKENS)"),
        ("skip_stages: [test]", "skip_stages: [tests]", "'tests' is not a valid stage to skip"),
        ("pipeline: 42", "pipeline: 7", "there is no pipeline contoso/mlops/7"),
        ("project: mlops", "project: mlopz", "there is no pipeline contoso/mlopz/42"),
        ("organization: contoso", "organization: fabrikam", "there is no pipeline fabrikam/ml"),
    ],
)
def test_a_mistake_is_refused_in_the_words_of_the_service(
    full: Desk, old: str, new: str, words: str
) -> None:
    full.stage.routes(FULL.replace(old, new))
    said = full.type("preview", "--run", "r1", "--check")
    assert said.code == 1
    assert "  refused: " in said.out
    assert words in said.out
    assert full.stage.devops.runs == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{{ run.metrics.accuracy }}", "{{ run.metrics.acuracy }}", "run.metrics.acuracy is not"),
        ("accuracy >=", "acuracy >=", "run.metrics.acuracy"),
        (">= 0.9", "+ 'x' == ''", "reckons with a number and text"),
        ("{{ run.id }}", "{{ run.tags.long }}", "run_id has more than 32768 characters"),
    ],
)
def test_a_route_that_can_make_no_request_fails_the_check(
    full: Desk, old: str, new: str, words: str
) -> None:
    full.stage.routes(FULL.replace(old, new, 1))
    full.end("r1", metrics={"accuracy": 0.95}, tags={"long": "x" * 40_000})
    said = full.type("preview", "--run", "r1", "--check")
    assert said.code == 1
    assert "  mistaken: " in said.out
    assert words in said.out


def test_what_only_the_gate_holds_is_shown_and_checked_all_the_same(full: Desk) -> None:
    full.end("r1", metrics={"accuracy": 0.1})
    good = full.type("preview", "--run", "r1", "--check")
    assert good.code == 0
    assert "would end as held, since " in good.out
    assert '"accuracy": "0.1"' in good.out
    offer(full, run_id=None)
    bad = full.type("preview", "--run", "r1", "--check")
    assert (bad.code, "Unexpected parameter 'accuracy'" in bad.out) == (1, True)


def test_a_shadow_is_checked_before_it_is_made_active(full: Desk) -> None:
    full.stage.routes(FULL.replace("    start:", "    mode: shadow\n    start:"))
    offer(full, run_id=None)
    said = full.type("preview", "--run", "r1", "--check")
    assert (said.code, "only records what it would have started" in said.out) == (1, True)


def test_recorded_events_are_read_in_both_schemas_and_in_lists(full: Desk, tmp_path: Path) -> None:
    full.end("r2", status="Failed", metrics={"accuracy": 0.95})
    full.stage.routes(FULL.replace("when:", "outcome: [Completed, Failed]\n    when:"))
    folder = tmp_path / "recorded"
    record(folder, "a.json", completed("r1"))
    record(folder, "deep/b.json", [as_cloud_event(changed("r2", "Failed"))])
    record(folder, "readme.txt", "no event")
    said = full.type("preview", "--event", str(folder), "--check")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1].startswith("2 runs: 2 accepted")
    assert f"{folder / 'deep/b.json'}: run r2 of defect-detection" in said.out


def test_an_event_knows_what_its_run_does_not(full: Desk, tmp_path: Path) -> None:
    file = record(tmp_path, "e.json", completed("r1"))
    full.stage.routes(FULL.replace("when:", "match: {run_type: azureml.PipelineRun}\n    when:"))
    assert "would start" in full.type("preview", "--event", str(file)).out
    assert "which only the run's event tells" in full.type("preview", "--run", "r1").out


def test_one_refused_request_among_several_fails_the_check(full: Desk, tmp_path: Path) -> None:
    full.end("r2", metrics={"accuracy": 1e300})
    offer(full, run_id=Parameter("string", values=("r2",)), accuracy=Parameter("number"))
    for run in ("r1", "r2"):
        record(tmp_path, f"{run}.json", completed(run))
    files = [part for run in ("r1", "r2") for part in ("--event", str(tmp_path / f"{run}.json"))]
    said = full.type("preview", *files, "--check", "--json")
    assert said.code == 1
    document = json.loads(said.out)
    assert document["totals"]["refused"] >= 1
    refused = document["runs"][0]["routes"][0]["check"]
    assert refused["verdict"] == "refused"
    assert "'r1' is not an allowed value" in refused["said"]


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_check_that_checked_nothing_is_no_success(full: Desk, words: list[str]) -> None:
    full.end("r1", status="Failed")
    assert full.type("preview", "--run", "r1", *words).code == 0
    said = full.type("preview", "--run", "r1", "--check", *words)
    assert said.code == 1
    assert said.err == "nothing was checked: no route starts a pipeline for this\n"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (says(401, method="*", path=PREVIEW), "the credential is not accepted"),
        (
            Fault("*", PREVIEW, status=203, headers=HTML, body="/_signin", times=9),
            "not accepted",
        ),
        (says(403, method="*", path=PREVIEW, times=9), "answered 403"),
        (Fault("*", PREVIEW, status=429, body="{}", times=9), "answered 429"),
        (Fault("*", PREVIEW, status=500, body="{}", times=9), "answered 500"),
        (Fault("*", PREVIEW, drop="before", times=9), "no answer from Azure DevOps"),
        (Fault("*", PREVIEW, status=200, body='{"id": 7}', times=9), "without a preview"),
        (Fault("*", PREVIEW, status=200, body="null", times=9), "without a preview"),
        (Fault("GET", "*/pipelines/42", status=200, body="{}", times=9), "without a pipeline"),
        (Fault("GET", "*/pipelines/42", status=503, body="{}", times=9), "answered 503"),
    ],
)
def test_a_service_that_does_not_say_is_not_believed(full: Desk, fault: Fault, words: str) -> None:
    full.stage.devops.server.faults.add(fault)
    said = full.type("preview", "--run", "r1", "--check")
    assert said.code == 4
    assert "  unknown: " in said.out
    assert words in said.out
    assert full.stage.cloud.pat not in said.out + said.err


def test_a_secret_that_cannot_be_read_is_said_so(full: Desk) -> None:
    full.stage.routes(FULL.replace("pipeline: 42", "pipeline: 42\n      secret: gone"))
    said = full.type("preview", "--run", "r1", "--check")
    assert (said.code, "  unknown: " in said.out) == (4, True)
    assert "gone" in said.out


def test_a_value_that_would_be_expanded_is_a_mistake_of_the_route(full: Desk) -> None:
    full.stage.routes(FULL.replace('"{{ run.id }}"', '"$({{ run.id }})"'))
    said = full.type("preview", "--run", "r1", "--check")
    assert (said.code, "  mistaken: " in said.out, "holds `$(`" in said.out) == (1, True, True)
    full.stage.routes(FULL.replace("{{ run.id }}", "{{ run.tags.note }}", 1))
    full.end("r1", metrics={"accuracy": 0.95}, tags={"note": "##vso[task.complete]"})
    for words in ([], ["--json"]):
        said = full.type("preview", "--run", "r1", "--check", *words)
        assert (said.code, "##vso[" in said.out, "task.complete" in said.out) == (1, False, False)
    assert full.stage.devops.server.received("POST", "/preview") == []


def test_a_run_that_cannot_be_read_does_not_hide_the_others(full: Desk, tmp_path: Path) -> None:
    record(tmp_path, "e/1.json", completed("gone"))
    record(tmp_path, "e/2.json", completed("r1"))
    said = full.type("preview", "--event", str(tmp_path / "e"), "--check", "--json")
    assert said.code == 3
    assert said.err.startswith(f"{tmp_path / 'e/1.json'}: run gone: answered 404")
    document = json.loads(said.out)
    assert (document["complete"], document["totals"]) == (False, {"accepted": 1})


def test_facts_that_cannot_be_read_are_no_success(full: Desk) -> None:
    full.stage.routes(FULL.replace('"{{ run.id }}"', '"{{ model.name }}"'))
    full.stage.aml.server.faults.add(Fault("*", "*model-versions/search*", status=503, times=9))
    assert full.type("preview", "--run", "r1", "--check").code == 4


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("{", 2, "no JSON"),
        ("\xff", 2, "no JSON"),
        ("[" * 100_000, 2, "no JSON"),
        ("[]", 1, "nothing was checked"),
        ("[1]", 2, "no run event"),
        ({"eventType": "Microsoft.Storage.BlobCreated"}, 2, "no run event"),
        (None, 3, "No such file"),
    ],
)
def test_a_file_that_holds_no_event_is_said_so(
    full: Desk, tmp_path: Path, content: object, code: int, words: str
) -> None:
    file = tmp_path / "event.json"
    if content is not None:
        record(tmp_path, "event.json", content)
    said = full.type("preview", "--event", str(file), "--check")
    assert (said.code, len(said.err.splitlines())) == (code, 1)
    assert words in said.err


def test_an_empty_folder_is_not_found(full: Desk, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    said = full.type("preview", "--event", str(tmp_path / "none"), "--check")
    assert (said.code, "no .json file is in this folder" in said.err) == (3, True)


def test_saying_no_run_is_a_usage_error(full: Desk) -> None:
    said = full.type("preview", "--check")
    assert (said.code, "say which run" in said.err) == (2, True)


def test_a_run_that_nobody_knows_is_not_found(full: Desk) -> None:
    assert full.type("preview", "--run", "r9").code == 3


@pytest.mark.parametrize("ledger", ["", "sqlite:////nowhere/ledger.db"])
def test_no_ledger_is_needed(full: Desk, tmp_path: Path, ledger: str) -> None:
    file = record(tmp_path, "e.json", completed("r1"))
    for words in (["--event", str(file)], ["--run", "r1", "--workspace", WORKSPACE]):
        said = full.type("preview", *words, "--check", LEDGER_URL=ledger)
        assert said.code == 0
        assert said.err == (
            "warning: without the ledger (none is named, or there is none): what was started "
            "already, and what a limit or a group holds back, is not told\n"
        )


def test_a_ledger_that_cannot_be_read_is_gone_without(full: Desk, tmp_path: Path) -> None:
    record(tmp_path, "broken.db", "this is no database, however long the text is" * 100)
    said = full.type("preview", "--run", "r1", LEDGER_URL=f"sqlite:///{tmp_path / 'broken.db'}")
    assert (said.code, "would start pipeline" in said.out) == (0, True)
    (told,) = said.err.splitlines()
    begins = "warning: without the ledger (LEDGER_URL: ledger broken.db: "
    assert told.startswith(begins)


def test_a_route_file_with_mistakes_is_said_so(full: Desk) -> None:
    full.stage.routes("version: 7")
    said = full.type("preview", "--run", "r1")
    assert (said.code, "\n  routes.yaml:1: " in said.err) == (2, True)


def test_an_event_about_a_model_is_checked_without_any_run(desk: Desk, tmp_path: Path) -> None:
    route = (
        FULL.split("    when", maxsplit=1)[0]
        + """    event: ModelRegistered
    start: {pipeline: 42, parameters: {name: "{{ model.name }}"}}
"""
    )
    desk.stage.routes(route)
    offer(desk, name=None)
    event = {
        "topic": WORKSPACE,
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "subject": "models/sklearn_regression_model:3",
        "eventTime": "2026-11-21T18:41:00Z",
        "id": "e-1",
        "data": {"ModelName": "sklearn_regression_model", "ModelVersion": 3, "ModelTags": {}},
    }
    file = record(tmp_path, "model.json", event)
    said = desk.type("preview", "--event", str(file), "--check")
    assert (said.code, said.err) == (0, "")
    assert '"name": "sklearn_regression_model"' in said.out
    assert desk.stage.aml.server.requests == []


def test_values_that_others_chose_do_no_harm(full: Desk) -> None:
    hostile = "\x1b[2J##[error]/tmp\u202e[red]" + "z" * 9_000
    full.stage.routes(FULL.replace("{{ run.id }}", "{{ run.tags.note }}", 1))
    full.end("r1", metrics={"accuracy": 0.95}, tags={"note": hostile})
    for words in ([], ["--json"]):
        said = full.type("preview", "--run", "r1", "--check", *words)
        assert said.code == 0
        assert not {"\x1b", "\u202e"} & set(said.out)
    exact = json.loads(said.out)["runs"][0]["routes"][0]["request"]["body"]["templateParameters"]
    assert exact["run_id"] == hostile
    assert max(map(len, full.type("preview", "--run", "r1").out.splitlines())) < 3000
