"""The sums of docs/deploy.md are right, and about what is deployed."""

from __future__ import annotations

import ast
import operator
import re

import pytest
import yaml

from benchmarks.cost import prices
from benchmarks.cost.usage import DEV, PROD, idle
from functions.configuration import settings
from functions.configuration.declared import EVERY_HOUR, EVERY_MINUTE
from functions.core.ledger import fitting
from tests.infra.predicted import properties
from tests.infra.sets import INFRA
from tests.running.shipping import ROOT

TEXT = (ROOT / "docs/deploy.md").read_text("utf-8")
SUM = re.compile(r"([\d.*/+() ]+) = ([\d.]+)")
OPERATORS = {
    ast.Add: operator.add,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def evaluated(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.BinOp(left, kind, right):
            value: float = OPERATORS[type(kind)](evaluated(left), evaluated(right))
            return value
    raise AssertionError(ast.dump(node))


@pytest.mark.parametrize("span", [m[0] for m in re.finditer(rf"(?<=`){SUM.pattern}(?=`)", TEXT)])
def test_a_sum_is_right(span: str) -> None:
    left, right = span.split(" = ")
    assert evaluated(ast.parse(left, mode="eval").body) == pytest.approx(float(right))


def totals() -> list[list[float]]:
    """What each column of the table of costs when idle adds up to, in dollars."""
    table = TEXT.partition("**Idle**")[2].partition("**a month")[0]
    dollars = ("F1", "F2", "F3", " A:", " L,", " T", " B", " K")
    columns: list[list[float]] = [[], []]
    for row in table.splitlines()[4:]:
        cells = [cell.strip() for cell in row.split("|")[1:-1]]
        if cells and any(f"at{d}" in cells[0] or f"at {d}" in cells[0] for d in dollars):
            mine, other = cells[1:]
            for column, cell in zip(
                columns, (mine, mine if "same" in other else other), strict=True
            ):
                column += [float(found[1]) for found in SUM.findall(cell)]
    return columns


def test_the_totals_are_those_of_their_columns() -> None:
    told = re.findall(r"\*\*about (\d+) dollars\*\*", TEXT)
    assert [round(sum(column)) for column in totals()] == [int(total) for total in told]


def test_the_bill_of_an_idle_month_is_the_same_sum() -> None:
    known = prices.read()
    bills = [known.usd(idle(app, known)) for app in (DEV, PROD)]
    assert [sum(column) for column in totals()] == pytest.approx(bills)


def given(file: str, name: str) -> str:
    text = (INFRA / file).read_text("utf-8")
    found = re.search(
        rf"^param {name} = (.*?)$(?=\n\n|\nparam|\n//|\Z)", text, re.MULTILINE | re.DOTALL
    )
    assert found, (file, name)
    return found[1]


def test_the_sums_are_about_what_is_deployed() -> None:
    ready = given("prod.bicepparam", "alwaysReady").count("instanceCount: 1")
    assert f"`{ready} * 2 * 2592000 * " in TEXT
    assert given("dev.bicepparam", "alwaysReady") == "[]"
    memory = [given(f"{name}.bicepparam", "instanceMemoryMB") for name in ("dev", "prod")]
    assert memory == ["512", "2048"]
    assert (EVERY_MINUTE, EVERY_HOUR) == ("0 * * * * *", "0 0 * * * *")
    rules = yaml.safe_load((INFRA / "alerts.yaml").read_text("utf-8"))
    often = sum(rule["every"] == "PT5M" for rule in rules)
    for rest in (len(rules) - often, len(rules) - often - 1):  # noEventHours = 0 turns one off
        assert f"`{often} * 1.50 + {rest} * 0.50 = " in TEXT


def test_how_long_things_are_kept_is_what_is_deployed() -> None:
    assert properties("private", "KeyVault/vaults")["softDeleteRetentionInDays"] == 90
    (rule,) = properties("private", "Storage/storageAccounts/managementPolicies")["policy"]["rules"]
    letters = rule["definition"]["actions"]["baseBlob"]["delete"]
    assert letters == {"daysAfterModificationGreaterThan": 400}
    assert properties("private", "OperationalInsights/workspaces")["retentionInDays"] == 90
    assert given("dev.bicepparam", "softDeleteDays") == "7"
    assert [given(f"{f}.bicepparam", "logDays") for f in ("dev", "prod")] == ["30", "365"]
    assert fitting.LONGEST_TAGS == 12_000
    assert settings.read({}).sweep.kept_for.days == 400


def test_prices_say_where_and_when_they_are_from() -> None:
    cost = TEXT.partition("## What it costs")[2].partition("\n## ")[0]
    for words in ("**examples**", "US dollars", "East US"):
        assert words in cost
