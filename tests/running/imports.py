"""What the project's modules import, and the distributions that bring it here."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def imported(file: Path) -> Iterator[str]:
    """The names of modules that a file may import, wherever in it: `from a import b` is a.b."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def from_outside(folder: str) -> dict[str, set[str]]:
    """What a folder imports of others, each with the distributions that may bring it."""
    ours = {path.stem for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py"}
    own = {*sys.stdlib_module_names, *ours}
    names = {name for file in (ROOT / folder).rglob("*.py") for name in imported(file)}
    return {name: brought_by(name) for name in names if name.partition(".")[0] not in own}


def brought_by(name: str) -> set[str]:
    """The distributions that hold the module: the longest part of the name that is a file's."""
    parts = name.split(".")
    ends = range(len(parts), 0, -1)
    return next((found for n in ends if (found := _modules().get(".".join(parts[:n])))), set())


@cache
def _modules() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for distribution in metadata.distributions():
        name = canonicalize_name(distribution.name)
        for line in (distribution.read_text("RECORD") or "").splitlines():
            path = line.partition(",")[0]  # no module's name has a comma
            if path.endswith((".py", ".so")):
                folder, _, file = path.rpartition("/")
                stem = file.partition(".")[0]
                inner = folder if stem == "__init__" else f"{folder}/{stem}".lstrip("/")
                found[inner.replace("/", ".")].add(name)
    return found
