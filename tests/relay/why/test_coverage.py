"""`bin/relay coverage`, as an operator meets it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from functions.core.events import parsing
from functions.core.kept.letter import Letter
from functions.core.memory.known_since import ROUTES as ROUTE_ROW
from functions.core.memory.known_since import WORKSPACES
from functions.core.ports import shared
from local.aml.memory import MemoryAML
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from relay.__main__ import app
from tests.stage.azure import ROUTES, Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

GONE = WORKSPACE.replace("ml-prod", "ml-gone")
ONE_OF_EACH = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: register
    match: {experiment: "defect-*"}
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
  - name: gated
    match: {experiment: gated}
    when: run.metrics.accuracy > 0.9
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
  - name: shadow
    match: {experiment: shadow}
    mode: shadow
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
  - name: wrong
    match: {experiment: wrong}
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}", unknown: x}}
  - name: waiting
    match: {experiment: waiting}
    start: {pipeline: 42, parameters: {run_id: "{{ model.name }}"}}
"""


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    """An app whose reconciler has been there before the runs ended."""
    stage = Stage(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    stage.reconcile()
    return stage


def end(stage: Stage, run: str, ago: float = -1.0, **facts: Any) -> None:
    """Have a run that ended so many seconds ago; by default after all that happened before."""
    at = int((stage.clock.now() - timedelta(seconds=ago)).timestamp() * 1000)
    times = {"start_time": at - 60_000, "end_time": at}
    stage.aml.add_run(run, **{"experiment": "defect-detection", **times, **facts})


def coverage(stage: Stage, *words: str, **given: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    done = CliRunner().invoke(app, ["coverage", *words], env={**stage.environ, **given})
    assert "Traceback" not in done.output
    return done.exit_code, done.stdout, done.stderr


def read(stage: Stage, *words: str) -> Any:
    return json.loads(coverage(stage, "--json", *words)[1])


def total(stage: Stage) -> str:
    return coverage(stage)[1].splitlines()[-1]


def test_without_runs_nothing_is_missing(stage: Stage) -> None:
    assert coverage(stage) == (
        0,
        "0 runs\n",
        "",
    )


def test_each_run_is_counted_once_by_what_became_of_it(cloud: Cloud, tmp_path: Path) -> None:
    stage = Stage(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    stage.routes(ONE_OF_EACH)
    stage.reconcile()
    for experiment in ("defect-1", "gated", "shadow", "wrong", "waiting", "churn"):
        end(stage, experiment, experiment=experiment, metrics={"accuracy": 0.5})
        stage.deliver(completed(experiment, experimentName=experiment))
    end(stage, "lost")
    code, out, _ = coverage(stage)
    assert code == 1
    assert out.splitlines()[-1] == (
        "7 runs: 1 started, 1 held, 1 skipped, 1 failed, 1 open, 1 no route, 1 missing"
    )


def test_the_table_tells_run_route_and_why(stage: Stage) -> None:
    end(stage, "r1")
    stage.deliver(completed("r1"))
    end(stage, "r2")
    rows = [line for line in coverage(stage)[1].splitlines() if "defect-detection" in line]
    missing, started = rows
    assert [w in missing for w in ("r2", "register", "missing", "never came")] == [True] * 4
    assert [w in started for w in ("r1", "register", "started", "pipeline run 1001")] == [True] * 4


def test_what_is_missing_is_counted_with_what_comes_next_and_what_to_do(stage: Stage) -> None:
    end(stage, "r1")
    end(stage, "r2", status="Failed")
    code, out, err = coverage(stage)
    assert code == 1
    assert out.splitlines()[-1] == "2 runs: 2 missing"
    told = err.splitlines()
    assert told[0] == "missing: 2 continuations of 2 runs, whose events never came"
    for typed in ("bin/relay why r", "bin/relay replay --dead-letters", "bin/relay doctor"):
        assert sum(typed in line for line in told) == 1, typed
    assert "the sweep takes up what it may with its next round" in err


def test_json_tells_the_same_to_programs(stage: Stage) -> None:
    end(stage, "r1")
    stage.deliver(completed("r1"))
    end(stage, "r2")
    told = read(stage)
    assert told["complete"] is True
    assert (told["totals"]["runs"], told["totals"]["missing"]) == (2, 1)
    became = {run["run"]: (run["became"], run["routes"][0]["route"]) for run in told["runs"]}
    assert became == {"r1": ("started", "register"), "r2": ("missing", "register")}
    assert {run["workspace"] for run in told["runs"]} == {WORKSPACE}


def test_what_lies_in_the_inbox_is_not_told_as_if_its_event_never_came(stage: Stage) -> None:
    """Dead letters are taken out by the next rounds, a hundred each."""
    end(stage, "r1")
    end(stage, "r2")
    kept = Letter.of(parsing.parse(completed("r1")), stage.clock.now())
    stage.ledger.keep(kept)
    code, out, err = coverage(stage)
    assert (code, out.splitlines()[-1]) == (1, "2 runs: 1 open, 1 missing")
    assert "its event lies in the inbox: the reconciler takes it up" in out
    assert err.startswith("missing: 1 continuation of 1 run, ")
    stage.reconcile()
    assert coverage(stage)[1].splitlines()[-1] == "2 runs: 1 started, 1 missing"


@pytest.mark.parametrize(("days", "since"), [(2, ""), (9, " --since 10d")])
def test_dead_letters_are_named_by_a_command_that_takes_them_up(
    cloud: Cloud, tmp_path: Path, days: int, since: str
) -> None:
    stage = Stage(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    end(stage, "r1", ago=days * 86_400)
    stage.ledger.discard("none")  # the ledger's file is there, and empty
    told = coverage(stage, "--since", "30d")[2]
    assert f": bin/relay replay --dead-letters CONTAINER_URL{since}\n" in told


def test_it_writes_and_starts_nothing(stage: Stage) -> None:
    end(stage, "r1")
    assert coverage(stage)[0] == 1
    assert stage.ledger.of_run(WORKSPACE.lower(), "r1") == []
    assert stage.posts() == 0


def test_after_a_sweep_nothing_is_missing(stage: Stage) -> None:
    end(stage, "r1")
    stage.clock.forward(seconds=2)
    stage.app.sweep.sweep()
    code, out, _ = coverage(stage)
    assert (code, "1 run: 1 started" in out) == (0, True)


def test_a_route_that_starts_nothing_misses_nothing(stage: Stage) -> None:
    stage.routes("version: 1\nroutes: [{name: wait, complete: true}]")
    stage.reconcile()
    end(stage, "r1")
    code, out, _ = coverage(stage)
    assert code == 0
    assert out.splitlines()[-1] == "1 run: 1 no route"


def test_child_runs_and_runs_that_go_on_are_not_counted(stage: Stage) -> None:
    end(stage, "step", parent="r0")
    end(stage, "going", status="Running")
    assert total(stage).startswith("0 runs")


def test_a_route_that_came_after_the_run_is_not_missing(stage: Stage) -> None:
    end(stage, "r1", ago=3600)
    code, out, _ = coverage(stage)
    assert code == 0
    assert "the route came later" in out
    assert "1 no route" in out


def test_before_any_reconciler_has_run_every_run_is_missing(cloud: Cloud, tmp_path: Path) -> None:
    stage = Stage(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    end(stage, "r1", ago=60)
    stage.ledger.discard("none")  # the ledger's file is there, and empty
    assert coverage(stage)[0] == 1


def test_only_the_time_asked_for_is_looked_at(stage: Stage) -> None:
    end(stage, "r1", ago=7000)
    assert read(stage, "--since", "1h")["totals"]["runs"] == 0
    assert read(stage, "--since", "2h")["totals"]["runs"] == 1


def test_a_workspace_may_be_named(stage: Stage) -> None:
    end(stage, "r1")
    code, out, _ = coverage(stage, "--workspace", WORKSPACE.upper(), SWEEP_WORKSPACES="")
    assert (code, "1 missing" in out) == (1, True)


def test_without_any_workspace_it_says_how_to_name_one(stage: Stage) -> None:
    code, out, told = coverage(stage, SWEEP_WORKSPACES="")
    assert (code, out) == (3, "")
    assert told == "no workspace was seen yet: name one with --workspace or SWEEP_WORKSPACES\n"


def test_a_workspace_that_is_not_there_does_not_hide_the_others(stage: Stage) -> None:
    end(stage, "r1")
    stage.deliver(completed("r1"))
    code, out, told = coverage(stage, "--workspace", GONE, "--workspace", WORKSPACE)
    assert code == 3
    assert "1 run: 1 started" in out
    assert told.startswith("ml-gone: workspace ml-gone: answered 404")
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("status", [403, 503])
def test_a_service_that_refuses_is_one_line_and_its_own_exit_code(
    stage: Stage, status: int
) -> None:
    stage.aml.server.faults.add(Fault("POST", "*/experiments/search", status=status, times=9))
    code, _, told = coverage(stage)
    assert code == 4
    assert told == f"ml-prod: experiments of ml-prod: answered {status}:\n"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--since", "yesterday"], "is no length of time"),
        (["--workspace", "ml-prod"], "--workspace is no AML workspace id: ml-prod"),
    ],
)
def test_what_is_not_understood_is_a_usage_error(stage: Stage, words: list[str], what: str) -> None:
    code, _, told = coverage(stage, *words, COLUMNS="200")
    assert (code, what in told) == (2, True)


def test_a_route_file_that_cannot_be_read_is_said_so(stage: Stage) -> None:
    end(stage, "r1")
    stage.routes("version: 7")
    stage.deliver(completed("r1"))
    stage.app.reconciler.reconcile()
    code, _, told = coverage(stage)
    lines = told.splitlines()
    assert lines[0].startswith("stopped: The app's route file cannot be read")
    assert lines[1].startswith("  1 event waits in the inbox since ")
    at = next(n for n, line in enumerate(lines) if line.startswith("the routes cannot be read"))
    assert [line[:17] for line in lines[at + 1 : -1]] == ["  routes.yaml:1: "] * 2
    assert lines[-1] == "  to do: mend them, bin/relay check says all that is wrong"
    assert code == 2
    previewed = CliRunner().invoke(app, ["preview", "--run", "r1"], env=stage.environ)
    assert (previewed.exit_code, previewed.stderr.splitlines()) == (2, lines[at:])
    stage.routes(ROUTES)
    assert coverage(stage, ROUTES_FILE="/nowhere/routes.yaml")[0] == 3


def test_a_ledger_that_is_not_there_is_said_so(stage: Stage) -> None:
    code, _, told = coverage(stage, LEDGER_URL="sqlite:////nowhere/ledger.db")
    assert code == 3
    assert "/nowhere/ledger.db" in told


def test_a_workspace_that_was_never_heard_of_misses_what_ended(stage: Stage) -> None:
    """Which is how a subscription shows that was never made."""
    stage.deploy(SWEEP_WORKSPACES="")
    ended = WORKSPACE.replace("ml-prod", "ml-second")
    with MemoryAML(ended, stage.cloud.identity.accepts, stage.cloud.tls) as second:
        stage.cloud.arm.add_workspace(ended, second.tracking_uri)
        at = int((stage.clock.now() + timedelta(seconds=1)).timestamp() * 1000)
        second.add_run("r1", experiment="defect-detection", start_time=at - 9, end_time=at)
        code, out, _ = coverage(stage, "--workspace", ended)
    assert code == 1
    assert "no event of this workspace ever came" in out


def test_a_workspace_that_came_after_the_run_is_not_missing(cloud: Cloud, tmp_path: Path) -> None:
    stage = Stage(cloud, tmp_path)
    stage.reconcile()
    end(stage, "r1")
    stage.clock.forward(seconds=5)
    stage.deploy(SWEEP_WORKSPACES=WORKSPACE)
    stage.reconcile()
    code, out, _ = coverage(stage)
    assert (code, "the workspace came later" in out) == (0, True)


def test_a_run_that_was_passed_over_is_told_with_its_reason(stage: Stage) -> None:
    stage.routes(ROUTES.replace('"defect-*"}', '"defect-*", tags: {stage: production}}'))
    stage.reconcile()
    end(stage, "r1")
    stage.deliver(completed("r1", runTags={"stage": "test"}))
    stage.aml._runs["r1"].tags["stage"] = "production"  # noqa: SLF001
    code, out, _ = coverage(stage)
    assert (code, "missing" in out) == (0, False)
    assert "not_matched its filter tags.stage wants production, and the run has test" in out


def test_what_could_not_be_read_is_said_and_has_its_own_exit_code(stage: Stage) -> None:
    end(stage, "r1")
    odd = json.dumps({"runs": [5]})
    stage.aml.server.faults.add(Fault("POST", "*/runs/search", status=200, body=odd, times=1))
    code, _, told = coverage(stage)
    assert code == 5
    assert told.splitlines()[1] == "  lacking: ml-prod: 1 odd runs"


def test_what_the_last_version_knew_is_missing_before_this_one_has_written_anything(
    cloud: Cloud, tmp_path: Path
) -> None:
    stage = Stage(cloud, tmp_path)
    born = (stage.clock.now() - timedelta(days=9)).isoformat()
    today = stage.clock.now().date().isoformat()
    known = {"born": born, "routes": {"register": born, "report": born}}
    shared.change(stage.ledger, ROUTE_ROW, lambda _: known)
    shared.change(stage.ledger, WORKSPACES, lambda _: {WORKSPACE: today})
    end(stage, "r1")
    code, out, _ = coverage(stage)
    assert (code, "its event never came" in out) == (1, True)


def test_what_ended_while_the_sweep_was_off_is_missing_and_says_so(stage: Stage) -> None:
    end(stage, "r1")
    stage.deploy(SWEEP="off")
    stage.clock.forward(seconds=2)
    stage.app.sweep.sweep()
    code, out, _ = coverage(stage, SWEEP="start")
    assert code == 1
    assert "the sweep was off, and nothing is owed" in out
    assert out.splitlines()[-1].endswith(" 1 missing")
