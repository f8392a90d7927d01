"""docs/architecture.md shows the packages that there are, in the order that import-linter holds.

And what it says of words and of the PAT is so.
"""

from __future__ import annotations

import ast
import re
import tomllib
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
DRAWN = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
DESCRIBED = re.compile(r"^\*\*`([\w/]+)`\*\* (.*?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`([\w./]+\.(?:py|md|toml|yaml|json))`")
GLOSSARY = PAGE.partition("## Words")[2]
CODE = ("functions", "relay", "local", "component", "benchmarks")
MOST_FILES = 9
MOST_LINES = 220
PYTHONS_OWN = {"__init__.py", "__main__.py"}  # their names are given by Python


def contracts() -> list[dict[str, Any]]:
    read = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found: list[dict[str, Any]] = read["tool"]["importlinter"]["contracts"]
    return found


def layers(package: str) -> list[list[str]]:
    """The stack of a package as the linter holds it, from the top: the names of each layer."""
    (one,) = (c for c in contracts() if c["type"] == "layers" and c["containers"] == [package])
    split = (re.split(r"\s*[|:]\s*", layer) for layer in one["layers"])
    return [sorted(names) for names in split]


def drawn(text: str) -> list[list[str]]:
    """The names in a drawing, line by line; what explains them is not among them."""
    rows = [re.findall(r"\b([a-z_]+)(?:\.py|/)(?=\s|$)", line) for line in text.splitlines()]
    return [row for row in rows if row]


def floors() -> list[list[str]]:
    """The rows of the picture of the app, without the titles of its two larger boxes."""
    rows = [[n for n in row if n not in {"adapters", "core"}] for row in drawn(DRAWN[0])]
    return [row for row in rows if row]


def merged(rows: list[list[str]], stack: list[list[str]]) -> list[list[str]]:
    """The drawn rows put together where one layer takes several lines of the drawing."""
    left = iter(chain(*rows))
    return [sorted(next(left, "") for _ in layer) for layer in stack]


def modules(package: str) -> set[str]:
    """The files and packages directly in a package."""
    folder = ROOT / package
    packages = {p.parent.name for p in folder.glob("*/__init__.py")}
    return packages | {p.stem for p in folder.glob("*.py") if p.name != "__init__.py"}


def test_the_picture_of_the_app_is_the_stack_that_the_linter_holds() -> None:
    app = [layer for layer in layers("functions") if layer not in (["adapters"], ["core"])]
    stack = [*app, *layers("functions.adapters"), *layers("functions.core")]
    assert merged(floors(), stack) == stack
    assert sum(map(len, floors())) == sum(map(len, stack))


@pytest.mark.parametrize(("number", "package"), [(1, "relay"), (2, "local")])
def test_what_lies_beside_the_app_is_drawn_as_the_linter_holds_it(
    number: int, package: str
) -> None:
    found = [sorted(row) for row in drawn(DRAWN[number])]
    assert found == layers(package)


@pytest.mark.parametrize(
    "package", ["functions", "functions.adapters", "functions.core", "relay", "local"]
)
def test_every_file_and_package_has_its_layer(package: str) -> None:
    assert set(chain(*layers(package))) == modules(package.replace(".", "/"))


def packages() -> Iterator[str]:
    for root in CODE:
        for init in sorted((ROOT / root).rglob("__init__.py")):
            yield str(init.parent.relative_to(ROOT))


def test_every_package_is_described_once_and_no_other() -> None:
    assert sorted(name for name, _ in DESCRIBED.findall(PAGE)) == sorted(packages())


def test_every_folder_of_tests_is_named() -> None:
    folders = {f"tests/{init.parent.name}" for init in (ROOT / "tests").glob("*/__init__.py")}
    named = PAGE.partition("### `tests/`")[2].partition("## Words")[0]
    assert folders <= set(re.findall(r"`(tests/[a-z]+)`", named))


def test_every_file_that_is_named_is_there() -> None:
    named = set(FILE.findall(DESCRIBED.sub("", PAGE))) - PYTHONS_OWN
    gone = {name for name in named if not (ROOT / name).is_file()}
    for package, text in DESCRIBED.findall(PAGE):
        near = (ROOT / package, ROOT)
        gone |= {n for n in FILE.findall(text) if not any((at / n).is_file() for at in near)}
    assert gone == set()


def test_every_word_of_the_glossary_is_used_in_the_app() -> None:
    text = "\n".join(f.read_text("utf-8") for f in files("functions")).lower()
    words = re.findall(r"^\| ([a-z ]+) \| ", GLOSSARY, re.MULTILINE)[1:]
    assert words == sorted(words)
    odd = {"hold": "held", "pass over": "passed over"}
    assert [word for word in words if odd.get(word, word).replace(" ", "_") not in text] == []


def defined(file: Path) -> set[str]:
    """What a file defines: functions, classes and constants, and `Class.member` for each member."""
    found = set()
    for node in ast.parse(file.read_text("utf-8")).body:
        for name in names(node):
            inner = node.body if isinstance(node, ast.ClassDef) else ()
            found |= {name} | {f"{name}.{member}" for n in inner for member in names(n)}
    return found


def names(node: ast.AST) -> Iterator[str]:
    """What one statement gives a name to."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        yield node.name
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def test_what_the_glossary_says_to_be_in_a_file_is_there() -> None:
    told = re.findall(r"`([A-Za-z]\w*(?:\.\w+)?)` (?:in |\()`([\w/]+\.py)`", GLOSSARY)
    assert len(told) > 25  # else they are told in other words, which nobody compares
    assert [(name, file) for name, file in told if name not in defined(ROOT / file)] == []


def test_every_class_that_the_glossary_names_is_there() -> None:
    everything = set().union(*map(defined, files("functions")))
    told = {*re.findall(r"`([A-Z]\w*[a-z]\w*(?:\.\w+)?)`", GLOSSARY)}
    assert told - everything == set()


def files(*roots: str) -> Iterator[Path]:
    for root in roots:
        yield from (ROOT / root).rglob("*.py")


def paragraphs(title: str) -> list[set[str]]:
    """The files of the app that each point of a section names."""
    section = (
        PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0].partition("\nIt is never")[0]
    )
    points = section.split("\n* ")[1:]
    return [{*FILE.findall(point)} for point in points]


HANDED_ON = r"import (?:\([^)]*|.*)\bCredential\b|\b_?credentials\.read\(|\bCredential\("
WHATEVER = r"\bdeadline\.begun\b|\bself\.begun: dict\b|\bclass _Traced\b"  # that a call returns


def test_the_files_that_a_pat_passes_through_are_those_that_are_told() -> None:
    text, header, handed_on, whatever, beside = paragraphs("Where the PAT goes")

    def those_with(pattern: str, *roots: str) -> set[str]:
        found = files(*roots or ("functions",))
        named = {str(file.relative_to(ROOT)): file.read_text("utf-8") for file in found}
        return {name for name, code in named.items() if re.search(pattern, code)}

    assert those_with(r"\.get_secret\(|\"Basic \"") == text
    assert those_with(r"\bauthorization\b(?!=aad)") == text | header
    assert those_with(HANDED_ON) - text - header == handed_on
    assert those_with(WHATEVER) == whatever
    read = rf"{HANDED_ON}|\.get_secret\(|\bcredential\.authorization\b|devops\.credential\("
    assert those_with(read, "relay", "component") == beside


def test_no_folder_of_code_has_more_than_nine_files() -> None:
    count: dict[str, int] = {}
    for file in files(*CODE):
        folder = str(file.parent.relative_to(ROOT))
        count[folder] = count.get(folder, 0) + (file.name not in PYTHONS_OWN)
    assert {folder: n for folder, n in count.items() if n > MOST_FILES} == {}


def test_no_file_is_too_long() -> None:
    lines = {str(f.relative_to(ROOT)): len(f.read_text("utf-8").splitlines()) for f in files(*CODE)}
    assert {name: n for name, n in lines.items() if n > MOST_LINES} == {}
