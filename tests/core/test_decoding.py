"""What threads decode is described before a second one can ask for it."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from functions.core.ledger import decoding
from functions.core.routes.definition import Route
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DECODES = {"convert", "decode", "Decoder"}
ALLOWED = {"functions/core/ledger/decoding.py"}
# The types that a new process has described once the module is there: a description is what
# a type refers to.
TELL = """
import gc, msgspec
from functions.core.ledger import decoding

def beside(kind):
    return any(type(of).__name__ == "StructInfo" for of in gc.get_referents(kind))

def every(kind):
    return [kind, *(one for below in kind.__subclasses__() for one in every(below))]

for kind in every(msgspec.Struct):
    print(kind.__name__, beside(kind))
"""
PARTS = {"Continuation", "Key", "RunEvent", "Workspace", "PipelineRequest", "Step"}
OTHERS = {"Letter", "Summary", "Wait", "Task"}


def calls(file: Path) -> Iterator[str]:
    """The names of msgspec's that a file calls or imports to decode; not by no type at all."""
    every = [*ast.walk(ast.parse(file.read_text("utf-8")))]
    untyped = [node.func for node in every if isinstance(node, ast.Call) and _names_no_type(node)]
    for node in every:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("msgspec"):
            yield from (name.name for name in node.names if name.name in {*DECODES, "json"})
        if isinstance(node, ast.Attribute) and node.attr in DECODES and node not in untyped:
            of = node.value
            inner = of.value if isinstance(of, ast.Attribute) else of
            if isinstance(inner, ast.Name) and inner.id == "msgspec":
                yield node.attr


def _names_no_type(call: ast.Call) -> bool:
    """Whether plain lists and mappings are made, which nobody has to describe."""
    is_decode = isinstance(call.func, ast.Attribute) and call.func.attr == "decode"
    return is_decode and len(call.args) == 1 and not call.keywords


@pytest.mark.parametrize(("call", "found"), [("text", []), ("text, type=A", ["decode"])])
def test_only_what_names_a_type_is_seen(tmp_path: Path, call: str, found: list[str]) -> None:
    file = tmp_path / "module.py"
    file.write_text(f"msgspec.json.decode({call})", "utf-8")
    assert [*calls(file)] == found


def test_a_fresh_process_has_described_all_that_it_decodes_once_it_can() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TELL], cwd=ROOT, capture_output=True, check=True, text=True
    )
    told = dict(line.split() for line in ran.stdout.splitlines())
    described = {name for name, said in told.items() if said == "True"}
    assert described >= PARTS | OTHERS


def test_a_type_tells_whether_it_was_described() -> None:
    class Fresh(msgspec.Struct):
        number: int

    before = [type(of).__name__ for of in gc.get_referents(Fresh)]
    msgspec.json.Decoder(Fresh)
    after = [type(of).__name__ for of in gc.get_referents(Fresh)]
    assert ("StructInfo" in before, "StructInfo" in after) == (False, True)


def test_what_was_not_described_is_not_decoded() -> None:
    with pytest.raises(LookupError, match="Route is not among KINDS"):
        decoding.decoded({}, Route)


@pytest.mark.parametrize("folder", ["functions", "relay", "component"])
def test_nothing_else_decodes(folder: str) -> None:
    files = {str(file.relative_to(ROOT)): file for file in (ROOT / folder).rglob("*.py")}
    found = {name: [*calls(file)] for name, file in files.items() if name not in ALLOWED}
    assert {name: called for name, called in found.items() if called} == {}


def test_the_one_place_that_decodes_is_seen() -> None:
    (only,) = ALLOWED
    assert {*calls(ROOT / only)} == {"convert", "Decoder"}
