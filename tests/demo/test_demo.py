"""`make demo` and `make up`, as somebody who types them sees them. Everything is real here."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.deployment import Broken, Ports
from tests.demo.typed import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.demo.typed import Typed

    Type = Callable[..., Typed]

pytestmark = [
    pytest.mark.real,  # its app gets a plain environment, and with it the machine's clock
    pytest.mark.skipif(
        not Path("/proc/self/environ").exists(), reason="needs /proc to see what processes are left"
    ),
]


def test_the_demo_tells_from_the_training_to_the_pipeline_and_leaves_nothing(typed: Type) -> None:
    demo = typed("local.demo")
    assert demo.ended() == 0, demo.output
    run = demo.wait_for(r"run \w{32} FINISHED, accuracy 0\.9\d+, model defect-classifier version 1")
    demo.wait_for(r"\+\d+ ms event +RunCompleted")
    demo.wait_for(r"\+\d+ ms Event Grid +delivers to run-completed: 202")
    demo.wait_for(r"read +run\.metrics\.accuracy = 0\.9\d+, model\.name = defect-classifier")
    demo.wait_for(r"decision +register-model: when run\.metrics\.accuracy >= [\d.]+: started")
    demo.wait_for(r"pipeline +contoso/mlops/42 \(register-model\), run 1001")
    demo.wait_for(rf"  run_id: {run.split()[1]}")
    demo.wait_for("ok +three deliveries of one outcome: one request to Azure DevOps, one pipeline")
    demo.wait_for("ok +the gate held it, and no pipeline started")
    demo.wait_for(r"pipeline +contoso/mlops/43 \(report-failure\), run 1002")
    demo.wait_for(r"^All 15 checks are so, in [\d.]+ s\.$")
    assert demo.none_left(), demo.processes()
    assert not list(demo.directory.glob("run-relay-*"))


def longer(*story: str) -> Any:
    """A story that `make proofs` plays."""
    return pytest.param(*story, marks=pytest.mark.proof)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("sync", "a pipeline run|pipeline +contoso/mlops/43"),
        ("async", "ok +who submitted it has ended, and the run goes on"),
        ("thread", "pipeline +contoso/mlops/43"),
        ("wait", "ok +the job has succeeded, and its log says why"),
        ("component", "ok +the step looked for it, and did not ask again"),
        longer("concurrency", "ok +two pipeline runs, and none for the second"),
        ("notify", "ok +a card, a message and a signed event have come"),
        longer("then", "ok +three pipelines, one request each"),
        longer("join", "ok +it got the ids of those three runs"),
        ("expect", "ok +people know of it, once each: overdue, came"),
        longer("promotion", r"ok +deployed so far, each once: (\d+), \d+, \1"),
        ("github", "ok +it was found by its name, and not asked for again"),
        ("follow", r"ended=canceled .*detail=\"canceled while it was queued\""),
    ],
)
def test_each_pattern_is_shown_and_leaves_nothing(
    typed: Type, beside: tuple[str, ...], pattern: str, said: str
) -> None:
    demo = typed("local.demo", "--pattern", pattern, *beside)
    assert demo.ended() == 0, demo.output
    demo.wait_for(said)
    demo.wait_for(r"^All \d+ checks are so, in [\d.]+ s\.$")
    assert demo.none_left(), demo.processes()


def test_a_broken_demo_fails_and_says_what_was_not_so_and_where_to_look(
    typed: Type, beside: tuple[str, ...]
) -> None:
    demo = typed("local.demo", "--refuse-pat", *beside)
    assert demo.ended() == 1, demo.output
    demo.wait_for("^Not so: register-model started its pipeline once")
    demo.wait_for("Seen: +pipeline runs .*credential_refused")
    log = demo.wait_for("(?<=Look at: ).*host.log$")
    assert "credential_refused" in Path(log).read_text("utf-8")
    assert "Traceback" not in demo.output
    assert demo.none_left(), demo.processes()


@pytest.mark.parametrize(
    ("number", "code", "moment", "running"),
    [
        (
            signal.SIGINT,
            130,
            "Starting a real MLflow server",
            {"local.real.tracking", "local.host"},
        ),
        (signal.SIGTERM, 143, "Training: ", {"local.real.tracking", "local.host", "train.py"}),
    ],
)
def test_an_interrupted_demo_leaves_no_process(
    typed: Type, number: signal.Signals, code: int, moment: str, running: set[str]
) -> None:
    demo = typed("local.demo")
    demo.wait_for(moment)
    assert demo.runs(*running), demo.processes()
    demo.interrupt(number)
    assert demo.ended() == code, demo.output
    assert demo.none_left(), demo.processes()


def test_the_commands_that_up_prints_start_a_pipeline(
    typed: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes, ask = _agentless()
    monkeypatch.setenv("WAITS", "1")
    monkeypatch.setenv("ROUTES_FILE", str(tmp_path / "waits.yaml"))
    _pasted(routes.partition(" > ")[0] + f" > {tmp_path}/waits.yaml")
    up = typed("local.up", "--port-base", str(_free_base()), "--directory", str(tmp_path / "up"))
    guide = up.wait_for(r"(?s)\A.*^From the app's log")
    env = _command(guide, r"\. .*/env")
    train = _command(guide, "RUN=.*")
    publish = _command(guide, r'curl .*"\$TOPIC\?[\s\S]*?\nEVENT')
    deliver = _command(guide, r'curl .*"\$HOST_URL/runtime[\s\S]*?\nEVENT')
    assert _pasted(env, train, publish, deliver).split() == ["200", "202"]
    started = up.wait_for(r"continuation=started route=register-model run=\S+")
    up.wait_for("continuation=skipped route=report-failure .*outcome_changed")
    assert (
        _pasted(env, "RUN=no-such-run", publish.replace('"defect-detection"', '"churn"')) == "200\n"
    )
    up.wait_for('event=by-hand-.* ignored="no route matches: register-model wants experiment')
    assert "resumed=0 looked_at=0" not in up.output
    (job,) = json.loads(_pasted(env, f"RUN={started.rpartition('=')[2]}", ask).partition("\n")[2])
    assert job["answer"]["status"] == 202
    settings = _command(guide, r"\. .*/settings")
    run = f"RUN={started.rpartition('=')[2]}"
    why = _pasted(env, settings, run, _command(guide, r"bin/relay why \$RUN"))
    assert "register-model (Completed): started" in why
    assert _pasted(settings, _command(guide, "bin/relay list")).startswith("AGE")
    assert _pasted(env, _command(guide, "curl .*-X DELETE")) == "[]200\n"  # a fault is taken back
    assert _pasted(settings, 'echo "$RECONCILE_SCHEDULE"') == "*/5 * * * * *\n"
    listed = json.loads(_pasted(env, _command(guide, "curl .*_apis/pipelines.*")))
    assert [run["pipeline"]["name"] for run in listed["value"]] == ["register-model"]
    page = _shown(guide, r"Operations +(\S+)")
    assert 'class="badge started"' in _pasted(f"curl -sS '{page}'")
    assert _pasted(f"curl -sS '{page}x'") == ""
    up.interrupt()
    assert up.ended() == 130, up.output
    assert up.none_left(), up.processes()


def test_up_names_the_port_that_is_taken(typed: Type) -> None:
    base = _free_base()
    with socket.create_server(("127.0.0.1", base + 2)):
        up = typed("local.up", "--port-base", str(base))
        assert up.ended() == 1, up.output
    up.wait_for(f"port {base + 2} .* is taken: .*make up PORT_BASE=N")


def _agentless() -> tuple[str, str]:
    """What local/README.md says to type for an agentless task: its route, and the task."""
    text = (ROOT / "local" / "README.md").read_text("utf-8").partition("A task is answered")[2]
    before, ask = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return before.partition("\n")[0], ask


def _free_base() -> int:
    """Below all ports that other tests may take before these are listened on (`free_port`)."""
    for base in range(11_000, 19_000, 10):
        with suppress(Broken):
            Ports.from_base(base)
            return base
    pytest.fail("no seven free ports in a row")


def _command(guide: str, pattern: str) -> str:
    return _shown(guide, f"  ({pattern})")


def _shown(guide: str, pattern: str) -> str:
    found = re.search(rf"^{pattern}$", guide, re.MULTILINE)
    assert found, f"{pattern} is not in:\n{guide}"
    return found[1]


def _pasted(*commands: str) -> str:
    """What a shell writes to stdout when the commands are pasted into it, in order."""
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", "\n".join(commands)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
