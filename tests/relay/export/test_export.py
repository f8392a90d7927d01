"""`bin/relay export`, as an auditor meets it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.kept.history import LONGEST_HISTORY
from functions.core.memory import visits
from functions.core.operators.replaying import Replaying
from functions.core.starts import steps
from functions.core.terms.pipelines import PipelineRun
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from functions.core.texts.bounds import HIDDEN
from tests.ledger import samples
from tests.relay.continuations.test_listing import sent
from tests.relay.continuations.test_other_versions import becomes
from tests.saying.refusals import WRONG, says
from tests.stage.azure import completed

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from tests.relay.conftest import Desk, Said

LEASE = timedelta(minutes=2)
SECOND = timedelta(seconds=1)


def ago(desk: Desk, **ago: float) -> datetime:
    """A time before the one that a command takes for now."""
    return desk.stage.clock.now().replace(microsecond=0) - timedelta(**ago)


def lines(said: Said) -> list[dict[str, Any]]:
    """What was written; each line is one whole object."""
    assert said.out == "" or said.out.endswith("\n")
    return [json.loads(line) for line in said.out.split("\n")[:-1]]


def exported(desk: Desk, *words: str) -> list[dict[str, Any]]:
    said = desk.type("export", *words)
    assert said.code == 0, said.err
    return lines(said)


def claim(desk: Desk, run: str, at: datetime) -> Continuation:
    """One that was claimed then."""
    return desk.stage.ledger.claim(samples.opened(run, at=at)).entry.continuation


def write(desk: Desk, c: Continuation, at: datetime, detail: str = "") -> Continuation:
    """As if another process had parked it then."""
    entry = desk.stage.ledger.read(c.key)
    assert entry
    parked = steps.parked(entry.continuation, at, Reason.LIMIT, detail, at + LEASE)
    return desk.stage.ledger.write(entry, parked).continuation


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """Twelve steps of four continuations, between each other, of the last five hours."""
    runs = [claim(desk, f"r{n}", ago(desk, hours=5 - n)) for n in range(4)]
    for n, c in enumerate(runs * 2):
        write(desk, c, ago(desk, minutes=50 - n))
    return desk


def test_a_start_is_told_from_its_event_to_its_pipeline_run(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.clock.forward(hours=-2)
    desk.stage.deliver(completed("r1"))
    claimed, asked, started = exported(desk)
    number = desk.stage.only("r1").pipeline_run
    event = completed("r1")["id"]
    assert (claimed["what"], claimed["by"]) == ("claimed", "event")
    assert claimed["who"] == f"Microsoft.MachineLearningServices.RunCompleted {event}"
    assert (asked["what"], asked["by"], asked["request"]["pipeline"]) == ("asked", "app", 42)
    assert (started["what"], started["reason"]) == ("started", "answered")
    assert (started["pipeline_run"], started["why"]) == (number, f"pipeline run {number}")
    for line in (claimed, asked, started):
        assert line["key"].startswith("register/r1/Completed@/subscriptions/")
        assert (line["route"], line["run"]) == ("register", "r1")
    assert claimed["at"] < asked["at"] < started["at"]
    assert started["at"].endswith("Z")


def test_the_values_of_secret_variables_are_hidden(desk: Desk) -> None:
    desk.stage.clock.forward(hours=-2)
    sent(desk)
    said = desk.type("export")
    (request,) = (line["request"] for line in lines(said) if line["request"])
    assert request["body"]["variables"]["TOKEN"] == {"isSecret": True, "value": HIDDEN}
    assert request["body"]["variables"]["PLAIN"]["value"] == "r1"
    assert request["secret"] == desk.stage.read.policy.secret
    assert "token-of-r1" not in said.out


def test_what_an_operator_did_is_told_with_their_name(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.devops.server.faults.add(says(400, WRONG))
    desk.stage.clock.forward(hours=-2)
    desk.stage.deliver(completed("r1"))
    key = desk.stage.only("r1").key
    replaying = Replaying(desk.stage.ledger, desk.stage.clock, "Ada L., of audit")
    assert replaying.replay(key, ignore_gate=True).done
    failed, replayed = exported(desk)[-2:]
    assert (failed["what"], failed["by"], failed["reason"]) == ("failed", "app", "rejected")
    assert (replayed["what"], replayed["by"]) == ("replayed", "operator")
    assert replayed["who"] == "Ada L., of audit"
    assert replayed["why"] == "by Ada L., of audit, ignoring the gate"


def test_a_pipeline_run_that_an_operator_named_is_told(desk: Desk) -> None:
    at = ago(desk, hours=3)
    asked = steps.asked(samples.opened("r1", at=at), at, samples.request(), LEASE, "")
    parked = steps.parked(asked, at, Reason.LOOK_FAILED, "", at)
    entry = desk.stage.ledger.claim(samples.opened("r1", at=at)).entry
    desk.stage.ledger.write(entry, parked)
    desk.stage.clock.forward(hours=-2)
    replaying = Replaying(desk.stage.ledger, desk.stage.clock, "ada: pipeline run 3")
    assert replaying.name(parked.key, PipelineRun(id=1042)).done
    named = [line for line in exported(desk) if line["pipeline_run"]]
    assert [(n["what"], n["who"]) for n in named] == [
        ("replayed", "ada: pipeline run 3"),
        ("started", ""),
    ]
    assert {n["pipeline_run"] for n in named} == {1042}


def test_steps_stand_in_the_order_of_their_times_whoever_made_them(busy: Desk) -> None:
    told = exported(busy)
    assert [line["run"] for line in told] == ["r0", "r1", "r2", "r3"] * 3
    assert [line["what"] for line in told] == ["claimed"] * 4 + ["parked"] * 8
    assert [line["at"] for line in told] == sorted(line["at"] for line in told)
    assert len({line["cursor"] for line in told}) == 12


def test_whoever_goes_on_after_any_line_gets_exactly_those_after_it(busy: Desk) -> None:
    told = exported(busy)
    for n, line in enumerate(told):
        assert exported(busy, "--after", line["cursor"]) == told[n + 1 :]


def test_the_error_output_says_how_to_go_on(busy: Desk) -> None:
    said = busy.type("export")
    last = lines(said)[-1]["cursor"]
    assert said.err.startswith("12 lines from ")
    assert said.err.endswith(f"next: --after {last}\n")


def test_what_another_process_writes_between_two_exports_is_told_once(busy: Desk) -> None:
    until = f"{ago(busy, minutes=46):%Y-%m-%dT%H:%M:%SZ}"
    first = exported(busy, "--until", until)
    entry = busy.stage.ledger.read(samples.key("r0"))
    assert entry
    write(busy, entry.continuation, ago(busy, minutes=30))
    claim(busy, "r9", ago(busy, minutes=45))
    second = exported(busy, "--after", first[-1]["cursor"])
    assert first + second == exported(busy)
    assert [line["run"] for line in second[-2:]] == ["r3", "r0"]
    assert "r9" in {line["run"] for line in second}


def test_one_that_died_while_it_wrote_is_gone_on_after_its_last_whole_line(busy: Desk) -> None:
    whole = busy.type("export").out
    torn = whole[: len(whole) // 2]
    kept = torn.split("\n")[:-1]
    rest = busy.type("export", "--after", json.loads(kept[-1])["cursor"]).out
    assert "\n".join([*kept, rest]) == whole


def test_two_steps_of_one_time_are_two_lines(desk: Desk) -> None:
    at = ago(desk, hours=1)
    c = claim(desk, "r1", at)
    for detail in ("first", "second"):
        c = write(desk, c, at, detail)
    told = exported(desk)
    assert [line["why"] for line in told[1:]] == ["limit first", "limit second"]
    assert exported(desk, "--after", told[1]["cursor"]) == told[2:]


def test_what_is_younger_than_a_quarter_of_an_hour_is_left_to_the_next(desk: Desk) -> None:
    claim(desk, "r-young", ago(desk, minutes=14))
    claim(desk, "r-old", ago(desk, minutes=16))
    assert [line["run"] for line in exported(desk)] == ["r-old"]
    said = desk.type("export", "--until", "1m")
    assert [line["run"] for line in lines(said)] == ["r-old"]
    assert "later ones may still change" in said.err


def test_since_and_until_are_times_or_so_long_ago(busy: Desk) -> None:
    claims = {line["run"]: line["at"] for line in exported(busy) if line["what"] == "claimed"}
    told = exported(busy, "--since", claims["r1"], "--until", claims["r3"])
    assert [line["run"] for line in told] == ["r1", "r2"]  # the first is in it, the last is not
    spans = exported(busy, "--since", "270m", "--until", "90m")
    assert [line["run"] for line in spans] == ["r1", "r2", "r3"]


def test_one_that_was_claimed_long_ago_is_told_with_what_was_done_of_late(desk: Desk) -> None:
    c = claim(desk, "r1", ago(desk, days=90))
    held = desk.stage.ledger.read(c.key)
    assert held
    ended = steps.ended(c, ago(desk, days=89), State.HELD, Reason.GATE, "auc = 0.4")
    desk.stage.ledger.write(held, ended)
    desk.stage.ledger.retire(c.key)
    desk.stage.clock.forward(hours=-1)
    Replaying(desk.stage.ledger, desk.stage.clock, "ada").replay(c.key, ignore_gate=False)
    (only,) = exported(desk, "--since", "24h")
    assert (only["what"], only["who"]) == ("replayed", "ada")


def test_hostile_texts_are_json_in_a_line_each(desk: Desk) -> None:
    for n, hostile in enumerate(samples.HOSTILE):
        c = samples.opened(f"{n} {hostile}", route=hostile, at=ago(desk, hours=2))
        desk.stage.ledger.claim(c)
    command = samples.opened("##vso[task.setvariable variable=a]b", at=ago(desk, hours=1))
    desk.stage.ledger.claim(command)
    said = desk.type("export")
    assert len(lines(said)) == len(samples.HOSTILE) + 1
    assert {line["run"] for line in lines(said)[:-1]} == {
        f"{n} {hostile}" for n, hostile in enumerate(samples.HOSTILE)
    }
    assert lines(said)[-1]["run"] == command.key.run
    assert "##vso[" not in said.out
    assert said.out.replace("\n", "").isascii()
    assert said.out.replace("\n", "").isprintable()


def test_an_empty_ledger_is_no_error_and_said_so(desk: Desk) -> None:
    said = desk.type("export")
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("0 lines: the ledger knows of no decision from ")


def test_what_was_removed_is_said_to_be_missing(busy: Desk) -> None:
    ledger = busy.stage.ledger
    visits.forgets(ledger, visits.recall(ledger), ago(busy, days=20))
    said = busy.type("export", "--since", "30d")
    assert said.err.startswith("warning: what ended before ")
    assert "LEDGER_RETENTION_DAYS" in said.err
    assert "warning" not in busy.type("export", "--since", "7d").err


def test_steps_that_a_history_has_no_room_for_are_said_to_be_missing(desk: Desk) -> None:
    c = claim(desk, "r1", ago(desk, hours=5))
    for n in range(LONGEST_HISTORY):
        c = write(desk, c, ago(desk, hours=4) + n * SECOND)
    said = desk.type("export")
    assert len(lines(said)) == LONGEST_HISTORY
    assert "warning: 1 continuation with so many steps that some were not kept\n" in said.err


def test_rows_of_another_version_are_named_and_their_steps_told(busy: Desk) -> None:
    becomes(busy.stage, "approving")
    assert len(exported(busy)) == 12


def test_a_row_that_cannot_be_read_is_named_and_ends_it_with_1(busy: Desk) -> None:
    becomes(busy.stage, "NO STATE")
    said = busy.type("export")
    assert (said.code, said.out) == (1, "")
    assert said.err.count("not told: row register/r") == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "yesterday"], "neither a length of time"),
        (["--since", "5m"], "nothing to tell"),
        (["--since", "1d", "--until", "2d"], "nothing to tell"),
        (["--until", "soon"], "neither a length of time"),
        (["--after", ""], "cursor"),
        (["--after", "register/r1/Completed"], "cursor"),
        (["--after", "2026-99-01T00:00:00.000000Z/0123456789ab/0"], "cursor"),
        (["--format", "csv"], "jsonl"),
    ],
)
def test_what_cannot_be_meant_is_refused(desk: Desk, words: list[str], said: str) -> None:
    answer = desk.type("export", *words)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_a_ledger_that_is_not_there_or_not_named_or_broken(desk: Desk, tmp_path: Path) -> None:
    missing, broken = tmp_path / "typo.db", tmp_path / "broken.db"
    broken.write_bytes(b"this is no database, however long it may be" * 100)
    urls = ("", f"sqlite:///{missing}", f"sqlite:///{broken}")
    answers = [desk.type("export", LEDGER_URL=url) for url in urls]
    assert [(a.code, a.out, a.err.count("\n")) for a in answers] == [
        (2, "", 1),
        (3, "", 1),
        (4, "", 1),
    ]
    assert not missing.exists()


def test_its_help_has_examples_and_says_what_it_ends_with(desk: Desk) -> None:
    said = desk.type("export", "--help").out
    assert "bin/relay export --since 30d" in said
    assert "Exits with" in said
    assert "15 minutes" in said
