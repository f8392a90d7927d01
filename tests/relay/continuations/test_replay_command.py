"""`bin/relay replay`, as an operator types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest
import requests
from typer.testing import CliRunner, Result

from functions.core.events import parsing
from functions.core.operators import replaying
from functions.core.operators.replaying import Found, wanted
from functions.core.starts import steps
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from local.eventgrid.envelopes import CLOUD, EVENT_GRID, Schema
from local.serving.faults import Fault
from relay.__main__ import app
from relay.continuations import wishes
from tests.running.shipping import ROOT
from tests.saying.refusals import WRONG, says
from tests.stage.azure import ROUTES, Stage, as_cloud_event, changed, completed, in_bytes
from tests.stage.dead_letters import SIGNATURE, Blobs, given_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from local.cloud import Cloud

    Relay = Callable[..., Result]

RUNS = "*/_apis/pipelines/42/runs"
DEPLOYED_SINCE = ROUTES.replace("outcome: [Failed, Canceled]", "outcome: [Completed]")


@pytest.fixture
def relay(stage: Stage) -> Relay:
    """Runs the command line on the stage's app."""

    def run(*arguments: str, **environ: str) -> Result:
        return CliRunner().invoke(app, ["replay", *arguments], env={**stage.environ, **environ})

    return run


def rejected(stage: Stage, run: str = "r1") -> None:
    stage.devops.server.faults.add(says(400, WRONG))
    stage.aml.add_run(run, experiment="defect-detection")
    stage.deliver(completed(run))
    assert stage.only(run).state is State.FAILED


def test_a_failed_one_is_replayed_by_its_key(stage: Stage, relay: Relay) -> None:
    rejected(stage)
    result = relay("register/r1/completed", "--as", "ada")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "register/r1/Completed@ml-prod: replayed; the reconciler takes it up\n"
    )
    assert stage.only("r1").history[-1].detail == "by ada"
    stage.reconcile()
    assert stage.started() == [(42, "r1")]
    again = relay("register/r1/Completed@ML-prod")
    run = stage.only("r1")
    assert again.exit_code == 0
    assert f": started, pipeline run {run.pipeline_run} {run.url}\n" in again.stdout


def test_whoever_asks_without_a_name_is_user_and_host(stage: Stage, relay: Relay) -> None:
    rejected(stage)
    relay("register/r1/Completed")
    assert re.fullmatch(r"by \S+@\S+", stage.only("r1").history[-1].detail)


def test_all_that_failed_or_was_held_lately_is_replayed_at_once(stage: Stage, relay: Relay) -> None:
    for run in ("r1", "r2"):
        rejected(stage, run)
    result = relay("--failed", "--held", "--since", "1h")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "register/r1/Completed@ml-prod: replayed; the reconciler takes it up",
        "register/r2/Completed@ml-prod: replayed; the reconciler takes it up",
        "2 continuations, none of them left as it was",
    ]
    stage.reconcile()
    assert sorted(stage.started()) == [(42, "r1"), (42, "r2")]
    assert relay("--held").stdout == "no continuation fits: bin/relay list shows what there is\n"


def test_what_is_held_by_its_gate_starts_with_the_gate_ignored(stage: Stage, relay: Relay) -> None:
    text = stage.routes_file.read_text("utf-8")
    stage.routes(text.replace("- name: register", "- name: register\n    when: run.id == 'x'"))
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.GATE
    assert relay("--held", "--ignore-gate", "--since", "24h").exit_code == 0
    stage.reconcile()
    assert stage.started() == [(42, "r1")]


def in_doubt(stage: Stage) -> None:
    stage.devops.add_pipeline("contoso", "mlops", 42, "next")
    start = "{organization: contoso, project: mlops, pipeline: 42}"
    stage.routes(f"version: 1\nroutes: [{{name: register, start: {start}}}]")
    stage.devops.server.faults.add(Fault(method="POST", path=RUNS, drop="after"))
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.IN_DOUBT


def test_what_is_in_doubt_wants_a_decision(stage: Stage, relay: Relay) -> None:
    in_doubt(stage)
    for arguments in (["register/r1/Completed"], ["--held"]):
        refused = relay(*arguments)
        assert refused.exit_code == 1
        assert "say --as-started BUILD_ID, or --again" in refused.stdout
    (queued,) = stage.devops.runs
    result = relay("register/r1/Completed", "--as-started", str(queued.id))
    assert result.exit_code == 0
    row = stage.only("r1")
    assert row.pipeline_run == queued.id
    assert row.url == f"{stage.devops.url}/contoso/mlops/_build/results?buildId={queued.id}"
    assert result.stdout.endswith(f": started, pipeline run {queued.id} {row.url}\n")


def test_a_build_that_is_not_there_is_no_start(stage: Stage, relay: Relay) -> None:
    in_doubt(stage)
    before = stage.only("r1")
    refused = relay("register/r1/Completed", "--as-started", "999999")
    assert refused.exit_code == 1
    assert ": not changed; there is no build 999999, or the token may not see it" in refused.stdout
    assert stage.only("r1") == before
    unchecked = relay("register/r1/Completed", "--as-started", "999999", "--unchecked")
    assert unchecked.exit_code == 0
    (queued,) = stage.devops.runs
    mended = relay("register/r1/Completed", "--as-started", str(queued.id), "--as", "ada")
    assert mended.exit_code == 0
    row = stage.only("r1")
    assert (row.pipeline_run, row.url.rpartition("=")[2]) == (queued.id, str(queued.id))
    assert row.history[-1].detail == (
        f"as started, by ada, instead of 999999: pipeline run {queued.id}"
    )


def test_a_build_may_be_older_than_its_request_by_a_clock_that_was_ahead(
    stage: Stage, relay: Relay
) -> None:
    stage.clock.forward(minutes=50)
    in_doubt(stage)
    (queued,) = stage.devops.runs
    assert relay("register/r1/Completed", "--as-started", str(queued.id)).exit_code == 0
    assert stage.only("r1").pipeline_run == queued.id


def test_a_build_of_another_pipeline_is_told_as_what_it_is(stage: Stage, relay: Relay) -> None:
    in_doubt(stage)
    stage.devops.add_pipeline("contoso", "mlops", 44, "nightly")
    url = f"{stage.devops.url}/contoso/mlops/_apis/pipelines/44/runs?api-version=7.1"
    other = requests.post(url, json={}, auth=("", stage.cloud.pat), timeout=60).json()["id"]
    refused = relay("register/r1/Completed", "--as-started", str(other))
    assert refused.exit_code == 1
    assert f"build {other} of contoso/mlops is a run of pipeline 44 (nightly)" in refused.stdout
    assert stage.only("r1").state is State.HELD


def doubted(stage: Stage, run: str) -> None:
    stage.devops.server.faults.add(Fault(method="POST", path=RUNS, drop="after"))
    stage.aml.add_run(run, experiment="defect-detection")
    stage.deliver(completed(run))
    assert stage.only(run).reason is Reason.IN_DOUBT


def test_a_build_with_other_values_is_not_its(stage: Stage, relay: Relay) -> None:
    doubted(stage, "r1")
    doubted(stage, "r2")
    first, second = (run.id for run in stage.devops.runs)
    refused = relay("register/r1/Completed", "--as-started", str(second))
    assert refused.exit_code == 1
    assert "other values: run_id is r2, and r1 was asked" in refused.stdout
    assert relay("register/r1/Completed", "--as-started", str(first)).exit_code == 0
    assert stage.only("r1").pipeline_run == first


def test_where_azure_devops_cannot_be_asked_nothing_is_believed(stage: Stage, relay: Relay) -> None:
    in_doubt(stage)
    (queued,) = stage.devops.runs
    stage.devops.server.faults.add(Fault("GET", "*/_apis/build/builds/*", status=503, times=9))
    refused = relay("register/r1/Completed", "--as-started", str(queued.id))
    assert refused.exit_code == 4
    assert refused.stderr.endswith("--unchecked leaves the question out\n")
    assert stage.only("r1").state is State.HELD


def test_what_waits_is_tried_at_once(stage: Stage, relay: Relay) -> None:
    stage.devops.server.faults.add(says(403))
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    result = relay("register/r1/Completed")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "register/r1/Completed@ml-prod: tried again at once; the reconciler takes it up\n"
    )
    stage.reconcile()
    assert stage.started() == [(42, "r1")]


def waiting(stage: Stage, *runs: str) -> None:
    for run in runs:
        stage.devops.server.faults.add(says(403))
        stage.aml.add_run(run, experiment="defect-detection")
        stage.deliver(completed(run))


def test_all_that_waits_for_one_reason_is_tried_at_once(stage: Stage, relay: Relay) -> None:
    waiting(stage, "r1", "r2")
    rejected(stage, "r3")
    asked = ("--open", "--failed", "--route", "reg*", "--reason", "refused")
    dry = relay(*asked, "--dry-run")
    assert dry.exit_code == 0
    assert dry.stdout.splitlines() == [
        "register/r1/Completed@ml-prod: would be tried again at once; the reconciler takes it up",
        "register/r2/Completed@ml-prod: would be tried again at once; the reconciler takes it up",
        "2 continuations, none of them left as it was; nothing was written",
    ]
    assert [stage.only(run).history[-1].what for run in ("r1", "r2")] == ["parked", "parked"]
    told = json.loads(relay(*asked, "--json").stdout)
    assert (told["dry_run"], told["totals"]) == (False, {"found": 2, "left": 0})
    assert [(one["run"], one["done"]) for one in told["continuations"]] == [
        ("r1", True),
        ("r2", True),
    ]
    stage.reconcile()
    assert sorted(stage.started()) == [(42, "r1"), (42, "r2")]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--route", "report"], 0),
        (["--experiment", "defect-*"], 1),
        (["--experiment", "x*"], 0),
        (["--reason", "rejected"], 1),
        (["--reason", "gate", "--reason", "rejected"], 1),
        (["--reason", "gate"], 0),
    ],
)
def test_only_what_fits_is_replayed(
    stage: Stage, relay: Relay, filters: list[str], found: int
) -> None:
    rejected(stage)
    told = json.loads(relay("--failed", *filters, "--dry-run", "--json").stdout)
    assert told["totals"] == {"found": found, "left": 0}


def test_since_is_when_it_failed_and_not_when_it_was_claimed(stage: Stage, relay: Relay) -> None:
    stage.clock.forward(hours=-80)
    stage.devops.server.faults.add(says(403, times=99))
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    stage.reconcile(hours=79)
    assert stage.only("r1").state is State.FAILED
    assert json.loads(relay("--failed", "--since", "2h", "--dry-run", "--json").stdout)[
        "totals"
    ] == {
        "found": 1,
        "left": 0,
    }


def test_what_is_in_doubt_is_asked_for_again_on_request(stage: Stage, relay: Relay) -> None:
    in_doubt(stage)
    assert relay("register/r1/Completed", "--again").exit_code == 0
    stage.reconcile()
    assert stage.posts() == 2
    assert stage.only("r1").state is State.STARTED


def test_who_is_not_looked_at_is_not_passed_over_in_silence(
    stage: Stage, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run in ("r1", "r2"):
        rejected(stage, run)
    stage.reconcile(minutes=5)
    assert relay("--failed", "--dry-run").stderr == ""
    monkeypatch.setattr(replaying, "MOST_LOOKED_AT", 1)
    result = relay("--failed")
    assert result.stderr.startswith("warning: only 5,000 of what is open, and the newest ")
    assert result.stdout.count(": replayed; ") == 1


def test_what_its_gate_has_held_since_it_was_found_does_not_start_without_its_gate(
    stage: Stage, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of hundreds the last is written minutes after it was found, and rounds go on meanwhile."""
    text = stage.routes_file.read_text("utf-8")
    gate = "- name: register\n    when: run.metrics.accuracy > 0.9"
    stage.routes(text.replace("- name: register", gate))
    for run in ("r1", "r2"):
        stage.aml.add_run(run, experiment="defect-detection")
        stage.deliver(completed(run))

    def found(*asked: Any) -> Found:
        those = wanted(*asked)
        stage.aml.add_run("r2", experiment="defect-detection", metrics={"accuracy": 0.5})
        stage.reconcile(minutes=1)
        assert stage.only("r2").reason is Reason.GATE
        return those

    monkeypatch.setattr(wishes, "wanted", found)
    asked = relay("--open", "--reason", "facts_missing", "--ignore-gate")
    first, second, total = asked.stdout.splitlines()
    assert first.endswith(" and leaves the gate out")
    assert "; it has come to this since it was looked for" in second
    assert (asked.exit_code, total) == (1, "2 continuations, 1 of them left as it was")
    stage.reconcile()
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a/b/Completed", "--reason", "gate"], "--route, --experiment and --reason go with"),
        (["--open", "--since", "1h"], "--since goes with"),
        (["a/b/Completed", "--unchecked"], "--unchecked goes with --as-started"),
        (["--failed", "--reason", "gait"], "'gait' is not one of"),
        ([], "say what"),
        (["a/b/Completed", "--failed"], "say what"),
        (["--failed", "--dead-letters", "x"], "say what"),
        (["a/b/Completed", "--since", "1h"], "--since goes with"),
        (["--failed", "--since", "yesterday"], "no length of time"),
        (["a/b/Completed", "--as-started", "1", "--again"], "neither --again nor"),
        (["a/b/Completed", "c/d/Completed", "--again"], "exactly one KEY"),
        (["--held", "--as-started", "1"], "exactly one KEY"),
        (["a/b/Completed", "--as-started", "0"], "as-started"),
        (["--dead-letters", "x", "--ignore-gate"], "does not go with"),
    ],
)
def test_what_contradicts_itself_is_refused(relay: Relay, arguments: list[str], said: str) -> None:
    result = relay(*arguments, COLUMNS="300")
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("register", 2, "register is no KEY: ROUTE/RUN_ID/OUTCOME"),
        ("register/r1/Ended", 2, "one of Completed, Failed, Canceled, NotResponding"),
        ("register/r1/Completed@/subscriptions/x", 2, "no AML workspace id"),
        ("register/r2/Completed", 3, "register/r2/Completed is not in the ledger"),
        ("register/r1/Completed@ml-test", 3, "is not in the ledger"),
    ],
)
def test_a_key_that_names_nothing_is_said_so(
    stage: Stage, relay: Relay, text: str, code: int, said: str
) -> None:
    rejected(stage)
    result = relay("register/r1/Completed", text)
    assert result.exit_code == code
    assert said in result.stderr
    assert stage.only("r1").state is State.FAILED  # the good KEY beside it was not touched


def also_in(stage: Stage, workspace: str) -> None:
    """The same run id failed in another workspace, too."""
    mine = stage.only("r1")
    made = completed("r1")
    made["topic"] = workspace
    event = parsing.parse(made)
    key = Key(event.workspace.id.lower(), event.run, event.outcome, mine.key.route)
    row = steps.opened(key, event, mine.created_at, timedelta(0))
    stage.ledger.write(stage.ledger.claim(row).entry, failed(row))


def failed(row: Continuation) -> Continuation:
    return steps.ended(row, row.created_at, State.FAILED, Reason.REJECTED)


@pytest.mark.parametrize(
    ("other", "names"),
    [
        (WORKSPACE.replace("ml-prod", "ml-test"), ["ml-prod", "ml-test"]),
        (
            WORKSPACE.replace("rg-ml", "rg-x"),
            [WORKSPACE.lower(), WORKSPACE.replace("rg-ml", "rg-x").lower()],
        ),
    ],
)
def test_a_key_in_two_workspaces_wants_the_workspace(
    stage: Stage, relay: Relay, other: str, names: list[str]
) -> None:
    rejected(stage)
    also_in(stage, other)
    result = relay("register/r1/Completed")
    assert result.exit_code == 2
    listed = result.stderr.splitlines()[1:]
    assert [line.strip() for line in listed] == [f"register/r1/Completed@{name}" for name in names]
    assert relay(listed[0].strip()).exit_code == 0
    assert stage.only("r1").is_open


def test_a_ledger_that_is_not_there_is_not_made(relay: Relay, tmp_path: Path) -> None:
    path = tmp_path / "typo.db"
    result = relay("--failed", LEDGER_URL=f"sqlite:///{path}")
    assert (result.exit_code, path.exists()) == (3, False)
    assert str(path) in result.stderr


def test_no_ledger_at_all_is_a_missing_setting(relay: Relay) -> None:
    result = relay("--failed", LEDGER_URL="")
    assert result.exit_code == 2
    assert "AzureWebJobsStorage" in result.stderr


def test_a_ledger_that_does_not_answer_ends_with_a_line(relay: Relay, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database, however long it may be" * 100)
    result = relay("--failed", LEDGER_URL=f"sqlite:///{broken}")
    assert result.exit_code == 4
    assert result.stderr.startswith("the ledger: ")
    assert result.stderr.count("\n") == 1


def test_it_can_be_called_as_the_readme_says(stage: Stage) -> None:
    rejected(stage)
    ran = subprocess.run(
        [sys.executable, "-m", "relay", "replay", "register/r1/Completed"],
        cwd=ROOT,
        env={**os.environ, **stage.environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    stage.reconcile()
    assert stage.started() == [(42, "r1")]


def recent(event: dict[str, Any], **ago: float) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(**ago)
    return {**event, "eventTime": at.isoformat()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "letters"
    made.mkdir()
    return made


@pytest.mark.parametrize("schema", get_args(Schema))
def test_dead_letters_of_either_schema_are_taken_up(
    stage: Stage, relay: Relay, folder: Path, schema: Schema
) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.aml.add_run("r2", experiment="defect-detection", status="FAILED")
    stage.ledger.letters(1)
    given_up(folder, schema, recent(completed("r1")), recent(changed("r2", "Failed")))
    result = relay("--dead-letters", str(folder))
    assert result.exit_code == 0, result.output
    *lines, total = result.stdout.splitlines()
    assert sorted(line.partition(".json: ")[2] for line in lines) == [
        "r1 Completed, kept (the reconciler takes it up)",
        "r2 Failed, kept (the reconciler takes it up)",
    ]
    assert all(line.startswith("RELAY/") for line in lines)
    assert total == "2 kept, 0 known before, 0 skipped, 0 refused"
    stage.reconcile()
    assert sorted(stage.started()) == [(42, "r1"), (43, "r2")]


@pytest.mark.parametrize(
    "spell", [in_bytes, lambda event: {**event, "data": json.dumps(event["data"])}]
)
def test_a_dead_letter_whose_data_is_bytes_or_text_is_taken_up(
    stage: Stage, relay: Relay, folder: Path, spell: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.ledger.letters(1)
    given_up(folder, CLOUD, spell(recent(changed("r1", "Completed"))))
    result = relay("--dead-letters", str(folder))
    assert result.stdout.splitlines()[-1] == "1 kept, 0 known before, 0 skipped, 0 refused"
    stage.reconcile()
    assert stage.started() == [(42, "r1")]


def test_a_dead_letter_that_cannot_be_read_is_refused_with_why(
    stage: Stage, relay: Relay, folder: Path
) -> None:
    stage.ledger.letters(1)
    given_up(folder, CLOUD, {**in_bytes(recent(completed("r1"))), "data_base64": "e30"})
    result = relay("--dead-letters", str(folder))
    assert result.exit_code == 1
    assert "event-r1-completed-cloud, refused (its data is no base64: Inc" in result.stdout


def test_a_dead_letter_of_what_was_started_says_so_and_starts_nothing(
    stage: Stage, relay: Relay, folder: Path
) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    run = stage.only("r1").pipeline_run
    given_up(folder, EVENT_GRID, recent(completed("r1")))
    result = relay("--dead-letters", str(folder))
    assert result.exit_code == 0
    assert f", known before (register is started, pipeline run {run} " in result.stdout
    assert result.stdout.endswith("0 kept, 1 known before, 0 skipped, 0 refused\n")
    stage.reconcile()
    assert stage.posts() == 1
    assert list(stage.ledger.letters(10)) == []


HOSTILE = "\x9b31m\u202e##vso[task.setvariable variable=x]y"


def is_harmless(text: str) -> bool:
    """Whether neither a terminal nor an agent of Azure Pipelines takes it for a command."""
    return "##vso[" not in text and text.replace("\n", "").isprintable()


@pytest.mark.parametrize("part", ["run", "topic", "file"])
def test_what_a_dead_letter_names_does_no_harm(
    stage: Stage, relay: Relay, folder: Path, part: str
) -> None:
    stage.ledger.letters(1)
    told = recent(completed(HOSTILE if part == "run" else "r1"))
    if part == "topic":
        told["topic"] = HOSTILE
    file = folder / f"{HOSTILE if part == 'file' else 'r1'}.json"
    file.write_text(json.dumps([told]), "utf-8")
    said = relay("--dead-letters", str(folder)).output
    assert "# #vso[task.setvariable variable=x]y" in said
    assert is_harmless(said)


@pytest.mark.parametrize("text", [f"register/{HOSTILE}/Completed", HOSTILE])
def test_a_key_that_names_nothing_does_no_harm(stage: Stage, relay: Relay, text: str) -> None:
    stage.ledger.letters(1)
    said = relay(text).stderr
    assert "# #vso[task.setvariable variable=x]y" in said
    assert is_harmless(said)


def test_what_is_no_end_of_a_root_run_is_skipped(stage: Stage, relay: Relay, folder: Path) -> None:
    stage.ledger.letters(1)
    registered = completed("r3")
    registered["eventType"] = "Microsoft.Storage.BlobCreated"
    events = [
        recent(changed("r1", "Running")),
        recent(completed("r2", runType="azureml.StepRun")),
        as_cloud_event(recent(registered)),
        "no event",
    ]
    (folder / "several.json").write_text(json.dumps(events), "utf-8")
    (folder / "readme.txt").write_text("no letter", "utf-8")
    result = relay("--dead-letters", str(folder))
    assert result.exit_code == 0
    *lines, total = result.stdout.splitlines()
    assert [re.split("[:)]", line.partition(", skipped (")[2])[0] for line in lines] == [
        "the run goes on",
        "a child run",
        "not a run event Microsoft.Storage.BlobCreated",
        "not a run event",
    ]
    assert total == "0 kept, 0 known before, 4 skipped, 0 refused"


def test_what_the_ledger_may_have_forgotten_is_refused(
    stage: Stage, relay: Relay, folder: Path
) -> None:
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.ledger.letters(1)
    timeless = completed("r2")
    del timeless["eventTime"]
    events = [recent(completed("r1"), days=29.5), recent(completed("r1"), days=28), timeless]
    for number, event in enumerate(events):
        (folder / f"{number}.json").write_text(json.dumps([event]), "utf-8")
    (folder / "broken.json").write_text("[{", "utf-8")
    result = relay("--dead-letters", str(folder), "--since", "60d", LEDGER_RETENTION_DAYS="30")
    assert result.exit_code == 1
    old, known, undated, broken, total = result.stdout.splitlines()
    assert old.startswith("0.json: r1 Completed, refused (of ")
    assert "the ledger remembers 30 days" in old
    assert known == "1.json: r1 Completed, kept (the reconciler takes it up)"
    assert undated == "2.json: r2 Completed, refused (it does not say when it happened)"
    assert broken == "broken.json: the file, refused (it is no JSON)"
    assert total == "1 kept, 0 known before, 0 skipped, 3 refused"
    assert [letter.event.run for letter in stage.ledger.letters(10)] == ["r1"]


def test_what_was_given_up_long_ago_is_left_to_the_routes_of_then(
    stage: Stage, relay: Relay, folder: Path
) -> None:
    """The container keeps for a year what was taken up in its time, by the routes of then."""
    for run in ("r1", "r2"):
        stage.aml.add_run(run, experiment="defect-detection")
    stage.deliver(completed("r1"))
    stage.routes(DEPLOYED_SINCE)
    stage.deploy()
    events = recent(completed("r1"), days=40), recent(completed("r2"), days=2)
    given_up(folder, EVENT_GRID, *events)
    result = relay("--dead-letters", str(folder))
    assert result.exit_code == 0
    assert result.stderr.startswith("left is what is older than --since")
    line, total = result.stdout.splitlines()
    assert line.endswith("r2 Completed, kept (the reconciler takes it up)")
    assert total == "1 kept, 0 known before, 0 skipped, 0 refused, 1 left"
    stage.reconcile()
    assert sorted(stage.started()) == [(42, "r1"), (42, "r2"), (43, "r2")]
    result = relay("--dead-letters", str(folder), "--since", "50d", "--json")
    assert json.loads(result.stdout)["totals"] == {
        "kept": 0,
        "known before": 2,
        "skipped": 0,
        "refused": 0,
        "left": 0,
    }
    stage.reconcile()
    assert sorted(stage.started()) == [(42, "r1"), (42, "r2"), (43, "r1"), (43, "r2")]


def test_a_folder_that_is_not_there_is_said_so(stage: Stage, relay: Relay, folder: Path) -> None:
    stage.ledger.letters(1)
    result = relay("--dead-letters", str(folder / "typo"))
    assert (result.exit_code, result.stderr) == (3, f"there is no folder {folder / 'typo'}\n")


@pytest.fixture
def blobs(cloud: Cloud, stage: Stage, folder: Path) -> Iterator[Blobs]:
    for run in ("r1", "r2", "r3"):
        stage.aml.add_run(run, experiment="defect-detection")
    stage.ledger.letters(1)
    given_up(folder, CLOUD, *(recent(completed(run)) for run in ("r1", "r2", "r3")))
    files = {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*.json")}
    with Blobs(cloud.identity.accepts, {**files, "RELAY/notes.txt": b"no letter"}) as running:
        yield running


@pytest.mark.parametrize("sas", [f"?sv=2022-11-02&sp=rl&sig={SIGNATURE}", ""])
def test_dead_letters_are_read_from_a_container_with_a_sas_or_as_who_is_signed_in(
    stage: Stage, relay: Relay, blobs: Blobs, sas: str
) -> None:
    encoded = sas.replace("+", "%2B").replace("/", "%2F")
    result = relay("--dead-letters", blobs.container + encoded)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "3 kept, 0 known before, 0 skipped, 0 refused"
    stage.reconcile()
    assert sorted(stage.started()) == [(42, "r1"), (42, "r2"), (42, "r3")]


def test_a_container_that_refuses_ends_with_a_line_without_the_sas(
    relay: Relay, blobs: Blobs
) -> None:
    result = relay("--dead-letters", f"{blobs.container}?sig=wrong-but-secret")
    assert result.exit_code == 4
    assert result.stderr == f"{blobs.container} answered 403 AuthorizationFailure\n"


def test_a_container_that_is_not_there_is_said_so(relay: Relay, blobs: Blobs) -> None:
    result = relay("--dead-letters", f"{blobs.url}/typo")
    assert (result.exit_code, result.stderr) == (3, f"there is no container {blobs.url}/typo\n")


def test_a_container_that_redirects_is_not_followed(relay: Relay, blobs: Blobs) -> None:
    elsewhere = {"Location": f"{blobs.url}/letters?restype=container&comp=list"}
    blobs.faults.add(Fault(path="/letters", status=302, headers=elsewhere))
    assert relay("--dead-letters", blobs.container).exit_code == 4
    assert len(blobs.requests) <= 1


def test_a_container_that_cannot_be_reached_ends_with_a_line(relay: Relay, blobs: Blobs) -> None:
    blobs.stop()
    result = relay("--dead-letters", f"{blobs.container}?sig=wrong-but-secret")
    assert result.exit_code == 4
    assert result.stderr == f"{blobs.container}: ConnectionError\n"


@pytest.mark.parametrize(
    "url",
    [
        "http://account.blob.core.windows.net/letters?sig=x",
        "https://account.blob.core.windows.net/",
        "https://blobs.example/letters",
        "https://account.blob.core.windows.net.example/letters",
    ],
)
def test_no_token_leaves_for_an_address_that_is_no_storage_account(
    stage: Stage, relay: Relay, url: str
) -> None:
    stage.ledger.letters(1)
    before = len(stage.cloud.identity.server.requests)
    result = relay("--dead-letters", url, COLUMNS="300")
    assert result.exit_code == 2
    assert "sig=x" not in result.output
    assert len(stage.cloud.identity.server.requests) == before


def test_whoever_is_not_signed_in_is_told_what_to_do(
    stage: Stage, relay: Relay, blobs: Blobs
) -> None:
    stage.cloud.identity.server.faults.add(Fault(path="/msi/token", status=400, times=9))
    result = relay("--dead-letters", blobs.container)
    assert result.exit_code == 4
    assert result.stderr.endswith(": sign in (az login), or give a URL with a SAS\n")
    assert len(result.stderr.splitlines()) == 1
