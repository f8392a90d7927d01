"""A command component on a node of Azure Machine Learning: what is uploaded, and what is run.

https://learn.microsoft.com/azure/machine-learning/reference-yaml-component-command
https://learn.microsoft.com/azure/machine-learning/concept-expressions
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]")
_PLACE = re.compile(r"\$\{\{(?:inputs|outputs)\.(\w+)\}\}")


@dataclass(frozen=True)
class Component:
    """A component as its file says it. `sources` are the folders that make up its code."""

    command: str
    defaults: Mapping[str, object]
    sources: tuple[Path, ...]

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read the YAML file; raises OSError, KeyError and yaml.YAMLError."""
        found = yaml.safe_load(file.read_text("utf-8"))
        inputs = found["inputs"].items()
        return cls(
            command=found["command"],
            defaults={name: i["default"] for name, i in inputs if "default" in i},
            sources=tuple(file.parent / more for more in found.get("additional_includes", ())),
        )

    def upload(self, code: Path, folder: Path) -> Path:
        """Put what is uploaded into a new folder: the code itself, and what is included beside."""
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(code, folder, ignore=ignored)
        for source in self.sources:
            shutil.copytree(source.resolve(), folder / source.name, ignore=ignored)
        return folder


def rendered(command: str, values: Mapping[str, object]) -> str:
    """The command line with inputs and outputs filled in; an option without its value is gone."""

    def option(found: re.Match[str]) -> str:
        return found[1] if all(name in values for name in _PLACE.findall(found[1])) else ""

    return _PLACE.sub(lambda found: str(values[found[1]]), _OPTIONAL.sub(option, command))


def with_python(directory: Path, path: str) -> str:
    """A PATH on which `python` is the interpreter that runs now."""
    binaries = directory / "bin"
    if not binaries.exists():
        binaries.mkdir(parents=True)
        starter = binaries / "python"
        starter.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "utf-8")
        starter.chmod(0o755)
    return f"{binaries}:{path}"
