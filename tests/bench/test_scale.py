"""docs/scale.md counts right, with what was measured and what the code does."""

from __future__ import annotations

import ast
import importlib
import re

import pytest

from benchmarks import report
from benchmarks.cost import usage
from tests.infra.deploying.test_costs import evaluated
from tests.infra.predicted import properties
from tests.running.shipping import ROOT

TEXT = (ROOT / "docs/scale.md").read_text("utf-8")
SPAN = re.compile(r"`([\d.*/+() ]+) = ([\d.]+)`")
SIZES = (10, 1000, 100000, 1000000)
BY_INSTANCE = "Key Vault"  # what is asked for there does not grow with the runs
LIMIT = re.compile(r"([≤≥]) (\d+)")
QUARTER = 0.25
ROUNDED = 0.1  # requests: what processes ask once in a while is shared by all starts


def table(after: str) -> list[list[str]]:
    """The cells of the rows of the first table after these words."""
    lines = TEXT.partition(after)[2].splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


FIGURES = {row[2].strip("| `"): row[1] for row in table("Measured, by")}
LIMITS = table("## The limits")


@pytest.mark.parametrize("span", [found[0] for found in SPAN.finditer(TEXT)])
def test_a_sum_is_right(span: str) -> None:
    left, right = span.strip("`").split(" = ")
    digits = len(right.partition(".")[2])
    found = evaluated(ast.parse(left, mode="eval").body)
    assert f"{found:.{digits}f}" == right


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_what_was_measured(name: str) -> None:
    if not report.read():
        pytest.skip("nothing was measured yet: make bench")
    part, _, figure = name.partition(".")
    found, told = report.read()[part].figures[figure], float(FIGURES[name])
    if "_ms" in figure:
        assert told == pytest.approx(found, rel=QUARTER)
    else:
        assert told == pytest.approx(found, abs=ROUNDED)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("latency.table_calls_per_start", "| Table storage: requests a second to [an account]"),
        ("latency.mlflow_calls_per_job", "| MLflow: reads"),
        ("latency.arm_calls_per_job", "| ARM: reads"),
        ("latency.duration_ms_cloud_job", "| Functions: instances"),
        ("latency.cpu_ms_cloud_job", "**Functions.**"),
        ("latency.ignored_cpu_ms", "**Functions.**"),
        ("latency.duplicate_cpu_ms_table", "**All at once.**"),
    ],
)
def test_a_figure_is_counted_with(name: str, where: str) -> None:
    part = TEXT.partition(where)[2]
    sums = SPAN.findall(part[: part.index("\n" if where.startswith("|") else "\n\n")])
    assert any(FIGURES[name] in re.findall(r"[\d.]+", left) for left, _ in sums)


@pytest.mark.parametrize("row", table("Set by the code"), ids=lambda row: str(row[2]))
def test_a_value_is_that_of_the_code(row: list[str]) -> None:
    where = re.findall(r"`([^`]+)`", row[2])
    if where[0].endswith(".bicep"):
        app = properties("existing", "Web/sites")["functionAppConfig"]
        found = app["scaleAndConcurrency"][where[1]]
    else:
        module, _, name = where[0].rpartition(".")
        found = getattr(importlib.import_module(module), name)
    assert float(row[1]) == found


def test_the_load_is_that_of_the_bill() -> None:
    load = usage.Load()
    assert (load.children, load.statuses) == (4, 7)
    assert "four child runs" in TEXT
    assert "changes its status seven times" in TEXT


@pytest.mark.parametrize("row", LIMITS, ids=lambda row: str(row[0])[:40])
def test_a_limit_has_its_source_and_a_sum_for_each_size(row: list[str]) -> None:
    what, limit, *cells = row
    assert "](https://learn.microsoft.com/" in what
    assert limit == "none is published" or LIMIT.match(limit)
    assert len(cells) == len(SIZES)
    sums = [SPAN.search(cell) for cell in cells]
    assert all(sums)
    lefts = [re.findall(r"\d+", found[1]) for found in sums if found]
    if not what.startswith(BY_INSTANCE):
        assert all(str(size) in left for size, left in zip(SIZES, lefts, strict=True))


@pytest.mark.parametrize("row", LIMITS, ids=lambda row: str(row[0])[:40])
def test_what_is_over_its_limit_is_bold_and_nothing_else(row: list[str]) -> None:
    limit = LIMIT.match(row[1])
    for cell in row[2:]:
        found = SPAN.search(cell)
        assert found
        value = float(found[2])
        over = limit and (value > float(limit[2]) if limit[1] == "≤" else value < float(limit[2]))
        assert cell.startswith("**`") is bool(over), cell


def test_every_limit_is_said_how_it_shows() -> None:
    signs = " ".join(row[0] for row in table("## How a limit shows"))
    for what in ("parallel jobs", "TSTU", "MLflow", "ARM", "instances", "Table", "Vault", "sweep"):
        assert what in signs
