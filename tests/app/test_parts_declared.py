"""The queue of the parts is declared where it is wanted, and nowhere else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from functions.configuration import settings
from functions.configuration.declared import EVERY_MINUTE, Environment
from local.host.indexing import index, load

ROOT = Path(__file__).resolve().parents[2]
QUEUE = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
TABLES = ["continuations", "Relay1", "a" * 63, "A1b", "my-table", "", "täble", "tables"]


def functions(monkeypatch: pytest.MonkeyPatch, **given: str) -> dict[str, str]:
    """What is declared, by name, with the trigger's type."""
    for name in ("RECONCILE_PARTS", "LEDGER_URL", "LEDGER_TABLE", "WAITS", "RECONCILE_SCHEDULE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return {name: f.kind for name, f in index(load(ROOT)).items()}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"RECONCILE_PARTS": "1"},
        {"RECONCILE_PARTS": ""},
        {"RECONCILE_PARTS": "many"},
        {"RECONCILE_PARTS": "8", "LEDGER_URL": "sqlite:////tmp/ledger.db"},
    ],
)
def test_by_itself_there_is_no_queue(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    found = functions(monkeypatch, **given)
    assert "queueTrigger" not in found.values()
    assert "divide" not in found
    assert found["reconcile"] == "timerTrigger"
    assert settings.read(given).policy.parts == 1


def test_parts_have_a_timer_that_puts_messages_and_a_function_that_takes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = functions(monkeypatch)
    found = functions(monkeypatch, RECONCILE_PARTS="8", LEDGER_TABLE="Relay1")
    assert found == usual | {"divide": "timerTrigger", "reconcile_part": "queueTrigger"}
    declared = index(load(ROOT))
    (put,) = declared["divide"].outputs.values()
    taken = declared["reconcile_part"].binding
    for binding in (put, taken):
        told = binding["queueName"], binding["connection"]
        assert told == ("parts-relay1", "AzureWebJobsStorage")
    assert declared["divide"].binding["schedule"] == EVERY_MINUTE
    assert settings.read({"RECONCILE_PARTS": "8"}).policy.parts == 8


@pytest.mark.parametrize("value", ["0", "65", "-1", "1.5", "many", "²", "1" * 5000, "0x4"])
def test_a_number_that_cannot_be_meant_is_told_and_leaves_one_part(value: str) -> None:
    read = settings.read({"RECONCILE_PARTS": value})
    (told,) = read.complaints
    assert told.startswith("RECONCILE_PARTS=")
    assert told.endswith("is no whole number from 1 to 64; 1 is used")
    assert read.policy.parts == 1


def test_a_ledger_in_a_file_has_one_part(tmp_path: Path) -> None:
    given = {"RECONCILE_PARTS": "8", "LEDGER_URL": f"sqlite:///{tmp_path}/ledger.db"}
    (told,) = settings.read(given).complaints
    assert "LEDGER_URL names a file" in told


@pytest.mark.parametrize("table", TABLES)
def test_the_queue_of_any_table_has_a_name_that_azure_takes(table: str) -> None:
    assert QUEUE.fullmatch(Environment({"LEDGER_TABLE": table}).parts_queue())


def test_two_ledgers_in_one_account_have_two_queues() -> None:
    names = {Environment({"LEDGER_TABLE": t}).parts_queue() for t in ("one", "two", "three")}
    assert len(names) == 3


def test_an_instance_takes_one_part_at_a_time_so_that_there_is_one_for_each() -> None:
    """https://learn.microsoft.com/azure/azure-functions/functions-target-based-scaling"""
    queues = json.loads((ROOT / "host.json").read_text("utf-8"))["extensions"]["queues"]
    assert (queues["batchSize"], queues["newBatchThreshold"]) == (1, 0)
    assert queues["maxDequeueCount"] > 1  # who died with a message does not make it poison
