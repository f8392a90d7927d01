"""The prices are of a known form, and docs/deploy.md counts with the same ones."""

from __future__ import annotations

import re
from datetime import date

import pytest

from benchmarks.cost import prices
from tests.running.shipping import ROOT

KNOWN = prices.read()
TEXT = (ROOT / "docs/deploy.md").read_text("utf-8").partition("## What it costs")[2]
ROW = re.compile(r"^\| ([A-Z]\d?) \| (.+?) \| (.+?) \| .* \|$", re.MULTILINE)
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
METERS = {row[1]: row for row in ROW.finditer(TEXT)}
RARE = {"5", "15"}  # minutes between two looks of an alert rule


def numbers(text: str) -> set[float]:
    return {float(found.replace(",", "")) for found in NUMBER.findall(text)}


def of(mark: str) -> list[prices.Price]:
    return [price for price in KNOWN.prices.values() if price.mark == mark]


def rows_with_sums() -> list[tuple[str, str]]:
    """The label of each row, or sentence, and a sum in it that ends in dollars of a meter."""
    lines = [line for line in TEXT.splitlines() if re.search(r"\b(at|At) [A-Z]\d?\b", line)]
    return [(line, span) for line in lines for span in re.findall(r"`([^`]+ = [\d.]+)`", line)]


def test_the_file_says_when_and_where() -> None:
    assert date.fromisoformat(KNOWN.date) <= date.today()  # noqa: DTZ011 - a day is enough
    assert KNOWN.region == "East US"
    assert KNOWN.date in TEXT
    assert KNOWN.region in TEXT


def test_every_price_says_its_unit_and_its_page() -> None:
    text = prices.PATH.read_text("utf-8")
    for name, price in KNOWN.prices.items():
        section = text.partition(f"[prices.{name}]\n")[2].partition("\n[")[0]
        assert section.startswith("# https://azure.microsoft.com/pricing/details/"), name
        assert price.unit
        assert price.usd > 0
        assert price.per >= 1


@pytest.mark.parametrize("mark", sorted(METERS))
def test_a_meter_of_the_docs_has_the_prices_of_the_file(mark: str) -> None:
    told, known = numbers(METERS[mark][3]), of(mark)
    assert known, mark
    wanted = {price.usd for price in known} | {price.free for price in known if price.free}
    assert told - {float(n) for n in RARE if mark == "A"} == wanted
    pages = prices.PATH.read_text("utf-8")
    for url in re.findall(r"https://[^)]+", METERS[mark][0]):
        assert url in pages


@pytest.mark.parametrize("mark", sorted(METERS))
def test_the_amount_that_a_price_is_for_is_that_of_the_docs(mark: str) -> None:
    meter = METERS[mark][2].replace("a million", "1,000,000")
    for price in of(mark):
        assert (price.per == 1) or price.per in numbers(meter)


def test_every_marked_price_has_its_row() -> None:
    assert {price.mark for price in KNOWN.prices.values() if price.mark} == set(METERS)


@pytest.mark.parametrize(("line", "span"), rows_with_sums())
def test_a_sum_of_the_docs_counts_with_the_price_it_names(line: str, span: str) -> None:
    marks = set(re.findall(r"\bat ([A-Z]\d?)\b", line)) | set(
        re.findall(r"\band at ([A-Z]\d?)\b", line)
    )
    assert marks <= set(METERS)
    factors = numbers(span.partition(" = ")[0])
    for mark in marks:
        assert factors & {price.usd for price in of(mark)}, (mark, span)


def test_a_sum_of_the_docs_has_no_price_that_the_file_lacks() -> None:
    known = {price.usd for price in KNOWN.prices.values()}
    small = re.compile(r"(?<![\d.])0\.\d+|(?<![\d.])\d+\.\d+")
    for span in re.findall(r"`([^`]+) = [\d.]+`", TEXT.partition("\n## ")[0]):
        for factor in map(float, small.findall(span)):
            assert factor in known or factor in {0.5, *sums()}, (factor, span)


def sums() -> set[float]:
    """What a sum found before, which another may count with."""
    return {float(found) for found in re.findall(r" = ([\d.]+)`", TEXT)}


def test_the_docs_name_many_prices() -> None:
    assert len(METERS) >= 10
    assert len(rows_with_sums()) >= 10
