"""The bill adds up, and follows the prices and what was measured."""

from __future__ import annotations

import re

import pytest
import yaml
from msgspec.structs import replace

from benchmarks import report
from benchmarks.cost import bill, prices, usage
from benchmarks.cost.usage import DEV, PROD, Load
from functions.configuration.declared import EVERY_MINUTE
from tests.running.shipping import ROOT

KNOWN = prices.read()
FIGURES = {
    "table_calls_per_start": 4.0,
    "duplicate_ms_table": 3.0,
    "ignored_cpu_ms": 0.3,
    "duration_ms_cloud_table": 280.0,
}
NAMES = ("hosted", "selfhosted", "agentless", "relay", "relay_ready")


def billed(
    load: Load | None = None, known: prices.Prices = KNOWN, **figures: float
) -> dict[str, float]:
    return bill.section(load or Load(), {**FIGURES, **figures}, known).figures


def dearer(name: str) -> prices.Prices:
    price = KNOWN.prices[name]
    return replace(KNOWN, prices={**KNOWN.prices, name: replace(price, usd=price.usd * 10)})


def test_agents_that_wait_are_paid_by_how_many_wait_at_once() -> None:
    found = billed(Load(runs=1000, hours=6))
    assert found["agent_minutes_hosted"] == 1000 * 6 * 60
    assert found["usd_hosted"] == pytest.approx(9 * 40)  # 6,000 hours of a month's 720
    assert found["usd_selfhosted"] == pytest.approx(9 * 15 + 720 * 0.096)


def test_an_idle_month_costs_what_a_sum_by_hand_says() -> None:
    by_hand = {
        "rounds": (43_200 * 1 + 720 * 5) * 0.5 * 0.000026 + 43_920 / 1e6 * 0.40,
        "alerts": 6 * 1.50 + 5 * 0.50,
        "logs": 43_920 * 4 / 1e6 * 2.30,
        "requests": (43_200 * 7 + 720 * (11 + 2)) / 1e4 * 0.00036,
        "host": 43_200 * 4 / 1e4 * 0.05,
        "secret": 30 / 1e4 * 0.03,
    }
    assert billed()["usd_relay_idle"] == pytest.approx(sum(by_hand.values()))


def test_a_thousand_runs_add_what_a_sum_by_hand_says() -> None:
    found = billed(Load(runs=1000, children=4, statuses=7, twice=0))
    by_hand = {
        "work": 6000 * 1 * 0.5 * 0.000026 + 6000 / 1e6 * 0.40,
        "events": (5000 * (1 + 7 + 7) + 1000 + 6000) / 1e6 * 0.60,
        "requests": (1000 * (4 + 1 + 5 + 20 + 26 + 3) + 6000) / 1e4 * 0.00036,
        "kept": 1000 * 400 / 30 * 2 * 2e-6 * 0.045,
        "logs": 6000 * 6 / 1e6 * 2.30,
        "secret": 1000 / 1e4 * 0.03,
    }
    added = found["usd_relay"] - found["usd_relay_idle"]
    assert added == pytest.approx(sum(by_hand.values()))
    assert found["usd_relay_a_run"] == pytest.approx(added / 1000)


def test_a_start_that_takes_longer_than_a_second_is_billed_by_tenths() -> None:
    short, long = billed(Load(twice=0)), billed(Load(twice=0), duration_ms_cloud_table=2340.0)
    assert long["gb_seconds_relay"] - short["gb_seconds_relay"] == pytest.approx(1000 * 1.4 * 0.5)


@pytest.mark.parametrize(
    ("name", "patterns"),
    [
        ("hosted_jobs", {"hosted"}),
        ("selfhosted_jobs", {"selfhosted"}),
        ("vm_hours", {"selfhosted"}),
        ("ready_gb_seconds", {"relay_ready"}),
        ("ready_work_gb_seconds", {"relay_ready"}),
        ("table_gb", {"relay", "relay_ready"}),
        *(
            (name, {"agentless", "relay", "relay_ready"})
            for name in (
                "flex_gb_seconds",
                "flex_executions",
                "table_requests",
                "vault_operations",
                "event_operations",
                "log_gb",
                "blob_writes",
                "alerts_5_minutes",
                "alerts_15_minutes",
            )
        ),
    ],
)
def test_a_price_that_rises_raises_what_depends_on_it(name: str, patterns: set[str]) -> None:
    before, after = billed(), billed(known=dearer(name))
    rose = {n for n in NAMES if after[f"usd_{n}"] > before[f"usd_{n}"]}
    assert rose == patterns
    assert all(after[f"usd_{n}"] == before[f"usd_{n}"] for n in NAMES if n not in patterns)


def test_no_pattern_lacks_a_figure_or_has_a_negative_one() -> None:
    found = billed()
    assert {f"usd_{name}" for name in NAMES} <= found.keys()
    assert all(value > 0 for value in found.values())
    for each in bill.bills(Load(), FIGURES, KNOWN).values():
        assert each.amounts
        assert all(amount >= 0 for amount in each.amounts.values())
        assert each.amounts.keys() <= KNOWN.prices.keys()


def test_what_is_free_is_taken_off_once_and_never_below_nothing() -> None:
    assert KNOWN.usd({"flex_executions": 350_000.0}, free=True) == pytest.approx(0.04)
    assert KNOWN.usd({"flex_executions": 100.0}, free=True) == 0
    found = billed()
    assert found["usd_relay_free"] < found["usd_relay"]


def test_operations_follow_what_a_start_was_measured_to_take() -> None:
    four, six = (billed(table_calls_per_start=n)["table_operations_relay"] for n in (4.0, 6.0))
    assert six - four == pytest.approx(2 * 1000)


def test_it_counts_with_the_figures_that_latency_leaves() -> None:
    kept = report.read()
    if not kept:
        pytest.skip("nothing was measured yet: make bench")
    assert set(bill.FIGURES) <= kept["latency"].figures.keys()
    assert set(bill.FIGURES) == FIGURES.keys()


def test_the_apps_that_are_billed_are_those_that_are_deployed() -> None:
    rules = yaml.safe_load((ROOT / "infra/alerts.yaml").read_text("utf-8"))
    often = sum(rule["every"] == "PT5M" for rule in rules)
    assert PROD.alerts == (often, len(rules) - often)
    assert DEV.alerts == (often, len(rules) - often - 1)  # noEventHours = 0 turns one off
    for app in (DEV, PROD):
        text = (ROOT / app.file).read_text("utf-8")
        assert f"param instanceMemoryMB = {app.memory_mb:g}\n" in text
        assert len(re.findall("instanceCount: 1 }", text)) == app.ready
        assert app.memory_mb in KNOWN.flex.memory_mb
    assert EVERY_MINUTE == "0 * * * * *"
    assert usage.ROUNDS == 43_200


def test_the_table_has_a_row_for_each_pattern_and_the_text_its_assumptions() -> None:
    section = bill.section(Load(), FIGURES, KNOWN)
    first = section.text.partition("\n\n")[0]
    rows = first.splitlines()[2:]
    assert len(rows) == len(NAMES)
    assert all(row.count("|") == len(bill.HEAD) + 1 for row in rows)
    assert "None" not in section.text
    for said in (KNOWN.date, KNOWN.region, "360 minutes", "concurrent-jobs", "Assumed: "):
        assert said in section.text
