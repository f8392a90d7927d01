"""The files of `pipelines/`, and their scripts run as an agent would run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from tests.running import yamlfiles
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FOLDER = ROOT / "pipelines"
_VALUE = re.compile(
    r"\$\{\{ (?:(?P<json>convertToJson)\(|(?P<list>join)\(';', )?parameters\.(?P<name>\w+)\)? \}\}"
)
_MACRO = re.compile(r"\$\((?P<name>[\w.]+)\)")


class _Loader(yaml.BaseLoader):
    """Texts, and what stands there as true or false without quotes."""


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), "tf")
_Loader.add_constructor("tag:yaml.org,2002:bool", lambda _, node: node.value == "true")


class Script(NamedTuple):
    """An inline script, and the environment that its step gives it."""

    file: str
    name: str
    text: str
    environ: dict[str, str]

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"

    def run(
        self,
        folder: Path,
        parameters: Mapping[str, Any],
        variables: Mapping[str, str],
        environ: Mapping[str, str],
    ) -> subprocess.Popen[str]:
        """Start it in a folder, with the values of parameters and variables put in."""
        given = {n: _filled(v, parameters, variables) for n, v in self.environ.items()}
        agent = {"AGENT_TEMPDIRECTORY": str(folder / "temp")}
        (folder / "temp").mkdir(exist_ok=True)
        script = folder / "temp" / "script.sh"
        script.write_text(self.text, "utf-8")
        return subprocess.Popen(
            ["/usr/bin/env", "bash", "--noprofile", "--norc", str(script)],
            cwd=folder,
            env={**os.environ, **environ, **agent, **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )


class Pipeline:
    """One file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.text = (FOLDER / file).read_text("utf-8")
        self.read: Any = yamlfiles.of(self.text)

    def expanded(self, text: str | None = None) -> Any:
        """The file as Azure Pipelines validates it: parameters with a default have that.

        What is inserted under a condition is left out.
        Each scalar is a text to it, but for the inputs of a task that are true or false.
        """
        read = yaml.load(text or self.text, Loader=_Loader)  # noqa: S506 - texts and booleans
        known = {p["name"]: p["default"] for p in read.get("parameters", []) if "default" in p}
        return _expanded(read, known)

    def jobs(self) -> Iterator[dict[str, Any]]:
        """All jobs of all stages."""
        for stage in _always(self.read.get("stages", [self.read])):
            yield from (job for job in _always(stage["jobs"]) if "template" not in job)

    def steps(self) -> Iterator[dict[str, Any]]:
        """All steps of all jobs, or of a template of steps, in order."""
        jobs = [self.read] if "steps" in self.read else self.jobs()
        for job in jobs:
            yield from job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]

    @property
    def scripts(self) -> list[Script]:
        """The inline scripts, in order."""
        found = [
            (s, s.get("bash") or s.get("inputs", {}).get("inlineScript")) for s in self.steps()
        ]
        return [Script(self.file, s["displayName"], text, s["env"]) for s, text in found if text]

    def script(self, name: str) -> Script:
        """The script of that display name."""
        (found,) = (script for script in self.scripts if script.name == name)
        return found

    def values(self, **given: Any) -> dict[str, Any]:
        """The values of all parameters: these, and the others' defaults."""
        defaults = {p["name"]: p["default"] for p in self.read["parameters"] if "default" in p}
        return {**defaults, **given}


def _expanded(found: Any, known: Mapping[str, Any], *, inputs: bool = False) -> Any:
    if isinstance(found, dict):
        return {k: _expanded(v, known, inputs=inputs or k == "inputs") for k, v in found.items()}
    if isinstance(found, list):
        return [_expanded(item, known) for item in _always(found)]
    if isinstance(found, str) and (value := _VALUE.fullmatch(found)) and not value["json"]:
        found = known.get(value["name"], found)
    return str(found).lower() if isinstance(found, bool) and not inputs else found


def _always(entries: list[Any]) -> list[Any]:
    """The entries that are there under no condition."""
    return [e for e in entries if not str(next(iter(e), "") if e else "").startswith("${{ if ")]


def _filled(text: str, parameters: Mapping[str, Any], variables: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        value = parameters[found["name"]]
        if found["list"]:
            return ";".join(value)
        return json.dumps(value, indent=2) if found["json"] else str(value)

    filled = _VALUE.sub(value, str(text))
    return _MACRO.sub(lambda m: variables.get(m["name"], m[0]), filled)
