"""What a workflow's YAML says of its name, its trigger and the inputs of a dispatch.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#onworkflow_dispatchinputs
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import yaml

from local.github.actions import expressions

if TYPE_CHECKING:
    from collections.abc import Mapping

Type = Literal["string", "boolean", "number", "choice", "environment"]

TRIGGER = "workflow_dispatch"


@dataclass(frozen=True)
class Input:
    """One input: a required one without a default must be given."""

    type: Type = "string"
    required: bool = False
    default: str | None = None
    options: tuple[str, ...] = ()

    @classmethod
    def read(cls, name: str, told: Any) -> Input:
        """From its mapping, in which every scalar is text. ValueError for what it cannot be."""
        known = told or {}
        kind = known.get("type", "string")
        if kind not in get_args(Type):
            raise ValueError(f"on.{TRIGGER}.inputs.{name}.type: {kind}")
        options = tuple(known.get("options") or ())
        if (kind == "choice") != bool(options):
            raise ValueError(f"on.{TRIGGER}.inputs.{name}.options: {list(options)} for a {kind}")
        required = str(known.get("required", "false")).lower() == "true"
        return cls(cast("Type", kind), required, known.get("default"), options)


@dataclass(frozen=True)
class Declared:
    """A workflow as one version of its file declares it. Without the trigger `inputs` is None."""

    name: str
    run_name: str | None = None
    inputs: Mapping[str, Input] | None = field(default_factory=dict)

    @classmethod
    def read(cls, file: str, text: str) -> Declared:
        """From YAML. ValueError for what is no workflow, or what cannot be expanded here."""
        try:
            told = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - text only, also of `on`
        except yaml.YAMLError as error:
            raise ValueError(f"{file}: {error}") from error
        if not isinstance(told, dict) or "on" not in told or "jobs" not in told:
            raise ValueError(f"{file}: neither `on` nor `jobs`")
        run_name = told.get("run-name")
        if run_name:
            expressions.check(run_name)
        name = told.get("name") or f".github/workflows/{file}"
        return cls(name, run_name or None, _inputs(told["on"]))

    def title(self, known: Mapping[str, str]) -> str:
        """What a run is called; `known` are the values by which expressions name them."""
        return expressions.expand(self.run_name, known) if self.run_name else self.name


def _inputs(triggers: Any) -> dict[str, Input] | None:
    """The inputs, if a dispatch may start it at all."""
    if isinstance(triggers, dict) and TRIGGER in triggers:
        told = (triggers[TRIGGER] or {}).get("inputs") or {}
        return {name: Input.read(name, what) for name, what in told.items()}
    named = [triggers] if isinstance(triggers, str) else triggers
    return {} if TRIGGER in named else None
