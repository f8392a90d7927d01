"""The parameter files give main.bicep what it takes. Their own grammar is a handful of lines.

https://learn.microsoft.com/azure/azure-resource-manager/bicep/parameter-files
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.infra.bicep import INFRA, declared, one, takes_default

if TYPE_CHECKING:
    from pathlib import Path

PARAMETER_FILES = sorted(INFRA.glob("*.bicepparam"))


def named(path: Path) -> str:
    return path.name


def given_by(path: Path) -> dict[str, str]:
    """The parameters that a parameter file gives, as they are written."""
    text = path.read_text("utf-8")
    assert text.startswith("using './main.bicep'\n")
    return dict(
        re.findall(r"^param (\w+) = (.+?)(?=^param |^var |^//|\Z)", text, re.MULTILINE | re.DOTALL)
    )


@pytest.mark.parametrize("path", PARAMETER_FILES, ids=named)
def test_a_parameter_file_gives_what_must_be_given_and_nothing_unknown(path: Path) -> None:
    parameters = {p.name: p for p in declared(INFRA / "main.bicep", "parameter")}
    given = given_by(path)
    assert set(given) - set(parameters) == set()
    assert {name for name, p in parameters.items() if not takes_default(p)} - set(given) == set()


@pytest.mark.parametrize("path", PARAMETER_FILES, ids=named)
def test_what_a_parameter_file_gives_is_allowed(path: Path) -> None:
    for name, text in given_by(path).items():
        parameter = one("main.bicep", "parameter", name)
        # the last word of readEnvironmentVariable('NAME', 'default') is what is taken without NAME
        written = re.search(r"'([^']*)'\)?$|^(\d+)$", text.strip())
        if written and (allowed := parameter.decorated("allowed")):
            words = {f"'{written[1]}'", written[2]}
            assert words & set(re.findall(r"'[^']*'|\d+", allowed)), (name, text)
        if written and written[2]:
            lowest, most = (parameter.decorated(n) for n in ("minValue", "maxValue"))
            assert int(lowest or 0) <= int(written[2]) <= int(most or 10**9), name


def test_both_parameter_files_are_there() -> None:
    assert [p.name for p in PARAMETER_FILES] == ["dev.bicepparam", "prod.bicepparam"]


def read_by(path: Path) -> set[str]:
    """The environment variables that a parameter file reads."""
    return set(re.findall(r"readEnvironmentVariable\('(\w+)'", path.read_text("utf-8")))


@pytest.mark.parametrize("path", PARAMETER_FILES, ids=named)
def test_every_parameter_file_reads_what_the_readme_tells_and_nothing_else(path: Path) -> None:
    readme = (INFRA / "README.md").read_text("utf-8")
    table = readme.partition("## Variables of the parameter files\n")[2].partition("\n## ")[0]
    named_first = "".join(re.findall(r"^\| (.+?) \|", table, re.MULTILINE))
    assert read_by(path) == set(re.findall(r"`(\w+)`", named_first))


@pytest.mark.parametrize("path", PARAMETER_FILES, ids=named)
@pytest.mark.parametrize("name", ["AML_WORKSPACE_IDS", "RELAY_ALERT_EMAILS"])
def test_a_list_may_have_blanks_and_a_comma_at_its_end(path: Path, name: str) -> None:
    text = path.read_text("utf-8")
    (read,) = (line for line in text.splitlines() if f"readEnvironmentVariable('{name}'" in line)
    trimmed = r"map\(split\(.+?, ','\), (\w+) => trim\(\2\)\)"
    items = re.fullmatch(rf"var (\w+) = filter\({trimmed}, (\w+) => !empty\(\3\)\)", read)
    assert items
    assert re.search(rf"^param \w+ = (map\({items[1]}, |{items[1]}$)", text, re.MULTILINE)
