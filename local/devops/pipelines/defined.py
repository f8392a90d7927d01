"""Pipelines of the local Azure DevOps: what each declares, and what it lets a caller ask."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import yaml

from local.devops.errors import invalid, malformed
from local.devops.pipelines import templates

_PLACEHOLDER = re.compile(r"\$\{\{\s*parameters\.(\w+)\s*\}\}")


@dataclass(frozen=True)
class Parameter:
    """A runtime parameter as the pipeline's YAML declares it; without a default it is required.

    https://learn.microsoft.com/azure/devops/pipelines/process/runtime-parameters
    """

    type: Literal["string", "number", "boolean", "object"] = "string"
    default: str | None = None
    values: tuple[str, ...] = ()

    def complaint(self, name: str, text: str) -> str | None:
        """Why this text cannot be the parameter's value, in the service's words."""
        try:
            self.typed(text)
        except ValueError:
            return f"The '{name}' parameter value '{text}' is not a valid {self.type.capitalize()}."
        if self.values and text not in self.values:
            return f"The '{name}' parameter value '{text}' is not an allowed value."
        return None

    def typed(self, text: str) -> object:
        """The text as the declared type; ValueError where it is none."""
        if self.type == "number":
            return _number(text)
        if self.type == "boolean":
            return {"true": True, "false": False}[_known(text.lower(), {"true", "false"})]
        return _structure(text) if self.type == "object" else text


class Variable(msgspec.Struct, forbid_unknown_fields=True):
    """A queue-time variable of a run request."""

    value: str
    is_secret: bool = msgspec.field(name="isSecret", default=False)


class _Repository(msgspec.Struct, forbid_unknown_fields=True):
    refName: str | None = None  # noqa: N815 - wire names
    version: str | None = None
    token: str | None = None
    tokenType: str | None = None  # noqa: N815


class _Resources(msgspec.Struct, forbid_unknown_fields=True):
    repositories: dict[str, _Repository] = msgspec.field(default_factory=dict)
    pipelines: dict[str, dict[str, str | int]] = msgspec.field(default_factory=dict)
    builds: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    containers: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    packages: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)


class RunRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The body of Run Pipeline and of Preview.

    Two things are refused here that the service lets pass: a property it does not know (the
    service ignores it) and a template parameter that is a bare number or boolean (the service
    takes its text). Both are mistakes against the documented `map<string, string>`.
    https://learn.microsoft.com/rest/api/azure/devops/pipelines/runs/run-pipeline
    """

    preview_run: bool = False
    resources: _Resources | None = None
    stages_to_skip: list[str] | None = None
    template_parameters: dict[str, str] | None = None
    variables: dict[str, Variable] | None = None
    yaml_override: str | None = None

    @classmethod
    def parse(cls, body: bytes) -> RunRequest:
        """Read a body strictly; a Refusal with 400 where it is no run request."""
        try:
            return _RUN_REQUEST.decode(body)
        except msgspec.MsgspecError as error:
            raise malformed() from error

    @property
    def ref(self) -> str | None:
        """The branch asked for, as a full reference."""
        own = self.resources.repositories.get("self") if self.resources else None
        return own.refName if own else None


_RUN_REQUEST = msgspec.json.Decoder(
    RunRequest
)  # before requests come: functions/core/ledger/decoding.py


@dataclass(frozen=True)
class Pipeline:
    """A YAML pipeline. Without `stages` any stage may be skipped; `branches[0]` is the default.

    `settable_variables` are those marked "Settable at queue time"; all others are refused, as in
    an organization that limits them. `yaml` may use `${{ parameters.x }}`.
    """

    organization: str
    project: str
    id: int
    name: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
    settable_variables: frozenset[str] = frozenset()
    branches: tuple[str, ...] = ("refs/heads/main",)
    stages: tuple[str, ...] = ()
    folder: str = "\\"
    revision: int = 1
    yaml: str | None = None

    def check(self, asked: RunRequest) -> None:
        """Raise a Refusal with 400 that names everything wrong with a request."""
        problems = [
            *self._about_branch(asked.ref),
            *self._about_parameters(asked.template_parameters or {}),
            *self._about_variables(asked.variables or {}),
            *self._about_stages(asked.stages_to_skip or []),
        ]
        if asked.yaml_override is not None and not asked.preview_run:
            problems.append("A YAML override is allowed in a preview run only.")
        problems = problems or self._about_insertions(asked)
        if problems:
            raise invalid("\n".join(problems))

    def effective(self, asked: dict[str, str]) -> dict[str, str]:
        """The parameters a run has: what was asked, and the defaults of the others."""
        defaults = {n: p.default for n, p in self.parameters.items() if p.default is not None}
        return {**defaults, **asked}

    def final_yaml(self, asked: RunRequest) -> str:
        """The pipeline's YAML with the parameters put in; nothing else is expanded.

        What `templates` says of an `if` is refused by `check`; the others stay as they are.
        """
        values = self.effective(asked.template_parameters or {})
        text = asked.yaml_override or self.yaml or self._plain_yaml()
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)

    def _plain_yaml(self) -> str:
        steps = [f"echo {n}=${{{{ parameters.{n} }}}}" for n in self.parameters] or ["echo done"]
        return "trigger: none\nsteps:\n" + "".join(f"- script: {step}\n" for step in steps)

    def _about_insertions(self, asked: RunRequest) -> list[str]:
        """What the YAML refuses of the values itself."""
        values = self.effective(asked.template_parameters or {})
        text = asked.yaml_override or self.yaml or ""
        return [f"/azure-pipelines.yml {said}" for said in templates.refused(text, values)]

    def _about_branch(self, ref: str | None) -> list[str]:
        if ref is None or ref in self.branches:
            return []
        message = (
            f"Unable to resolve the reference '{ref}' to a specific version. "
            "Verify the reference exists in the source repository."
        )
        return [message]

    def _about_parameters(self, asked: dict[str, str]) -> list[str]:
        unknown = [f"Unexpected parameter '{n}'" for n in asked if n not in self.parameters]
        missing = [
            f"A value for the '{n}' parameter must be provided."
            for n, p in self.parameters.items()
            if p.default is None and n not in asked
        ]
        known = [(self.parameters[n], n, v) for n, v in asked.items() if n in self.parameters]
        wrong = [said for p, n, v in known if (said := p.complaint(n, v))]
        return unknown + missing + wrong

    def _about_variables(self, asked: dict[str, Variable]) -> list[str]:
        fixed = [name for name in asked if name not in self.settable_variables]
        if not fixed:
            return []
        message = (
            f"You can't set the following variables ({', '.join(fixed)}). If you want to be able "
            "to set these variables, then edit the pipeline and select Settable at queue time on "
            "the variables tab of the pipeline editor."
        )
        return [message]

    def _about_stages(self, skipped: list[str]) -> list[str]:
        unknown = [s for s in skipped if self.stages and s not in self.stages]
        return [f"'{stage}' is not a valid stage to skip." for stage in unknown]


def _known(text: str, allowed: set[str]) -> str:
    if text not in allowed:
        raise ValueError(text)
    return text


def _number(text: str) -> float:
    if not re.fullmatch(r"-?\d+(\.\d+)?", text):
        raise ValueError(text)
    return float(text) if "." in text else int(text)


def _structure(text: str) -> object:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(text) from error
    if not isinstance(value, dict | list):
        raise ValueError(text)  # noqa: TRY004 - a wrong value for a text, not a wrong type here
    return value
