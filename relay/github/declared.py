"""What the file of a workflow says of a dispatch: its trigger, its inputs, the name of its runs.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from functions.core.texts import yamltext

if TYPE_CHECKING:
    from collections.abc import Mapping

TRIGGER = "workflow_dispatch"
_TRUTHS = ("true", "false")
_WITHIN = r"((?!\}\}).)*"  # an expression
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Input(NamedTuple):
    """One input. `is_needed`: it must be given, since it is required and has no default."""

    kind: str = "string"
    is_needed: bool = False
    options: tuple[str, ...] = ()

    def takes(self, value: str) -> bool:
        """Whether it can be this; what an environment is called only GitHub knows."""
        if self.kind == "number":
            return bool(_NUMBER.fullmatch(value))
        return {"boolean": value in _TRUTHS, "choice": value in self.options}.get(self.kind, True)


class Declared(NamedTuple):
    """A workflow as one version of its file has it. Without the trigger `inputs` is None."""

    run_name: str
    inputs: Mapping[str, Input] | None

    def names(self, name: str) -> bool:
        """Whether the name of a run is made of this input, too."""
        return self._has(rf"\$\{{\{{{_WITHIN}{_input_of(name)}{_WITHIN}\}}\}}")

    def shows(self, name: str) -> bool:
        """Whether it shows this input as a word of its own, whatever else is given.

        What stands behind `||` is shown at times, and what stands before `&&` never.
        """
        before, after = r"((?!\}\}|\|\||&&).)*", r"((?!\}\}|&&).)*"
        apart = rf"(?<![0-9A-Za-z}}])\$\{{\{{{before}{_input_of(name)}{after}\}}\}}(?![0-9A-Za-z$])"
        return self._has(apart)

    def _has(self, shown: str) -> bool:
        return bool(re.search(shown, self.run_name, re.IGNORECASE | re.DOTALL))


def _input_of(name: str) -> str:
    """A pattern of what stands for an input in an expression."""
    return rf"\binputs\s*(\.\s*{re.escape(name)}(?![\w-])|\[\s*'{re.escape(name)}'\s*\])"


def read(text: str) -> Declared:
    """From YAML, in which every scalar is text, `on` among them; raises NotYaml."""
    found = yamltext.plain(yamltext.composed(text, loader=yaml.BaseLoader))
    if not isinstance(found, dict):
        raise yamltext.NotYaml("is no mapping")
    run_name = found.get("run-name")
    return Declared(run_name if isinstance(run_name, str) else "", _inputs(found.get("on")))


def _inputs(triggers: Any) -> Mapping[str, Input] | None:  # noqa: ANN401 - YAML, like the next
    if isinstance(triggers, dict) and TRIGGER in triggers:
        told = triggers[TRIGGER]
        inputs = told.get("inputs") if isinstance(told, dict) else None
        return {n: _input(i) for n, i in inputs.items()} if isinstance(inputs, dict) else {}
    named = triggers if isinstance(triggers, list) else [triggers]
    return {} if TRIGGER in named else None


def _input(told: Any) -> Input:  # noqa: ANN401
    known = told if isinstance(told, dict) else {}
    options = known.get("options")
    needed = str(known.get("required")).lower() == "true" and not known.get("default")
    choices = tuple(map(str, options)) if isinstance(options, list) else ()
    return Input(str(known.get("type", "string")), needed, choices)
