"""What the step was asked to do: the command line that trigger_pipeline.yml writes."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.core.events import parsing
from functions.core.facts import placeholders
from functions.core.facts.expanding import expanded
from functions.core.texts import jsontext

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OWN = ("run_id", "model_name")
FACTS = frozenset(
    {
        *("run.id", "run.experiment", "run.url"),
        *("model.name", "model.run_id", "model.path", "model.flavors", "model.uri"),
        *("workspace.name", "workspace.resource_group", "workspace.subscription", "workspace.id"),
    }
)
_VERSION = re.compile(r"\d+\.\d+(-preview(\.\d+)?)?")
_VAULT = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The step's inputs. `model` is the mounted model's folder, `output` the file to write.

    `run_id` is the run that made the model, for one that does not say so.
    """

    model: Path
    model_name: str
    run_id: str | None
    vault: str
    secret_name: str
    organization: str
    project: str
    pipeline_id: int
    pipeline_version: int | None
    branch: str | None
    api_version: str
    parameters: Mapping[str, Any]
    correlation_parameter: str | None
    patience_seconds: int
    output: Path | None


def read(arguments: Sequence[str] | None) -> Wanted:
    """The inputs; exits with 2 and a message where they cannot be meant."""
    parser = argparse.ArgumentParser(prog="trigger_pipeline", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    for name in ("--model-name", "--organization", "--project", "--secret-name"):
        parser.add_argument(name, type=_text, required=True)
    parser.add_argument("--run-id", type=_run)
    parser.add_argument("--vault", type=vault_url, required=True)
    parser.add_argument("--pipeline-id", type=_count, required=True)
    parser.add_argument("--pipeline-version", type=_count)
    parser.add_argument("--branch", type=_branch)
    parser.add_argument("--api-version", type=_api_version, default="7.1")
    parser.add_argument("--parameters", type=_parameters, default="{}")
    parser.add_argument("--correlation-parameter", type=_optional)
    parser.add_argument("--patience-seconds", type=int, default=1800)
    parser.add_argument("--output", type=Path)
    wanted = Wanted(**vars(parser.parse_args(arguments)))
    if (own := wanted.correlation_parameter) and own in {*OWN, *wanted.parameters}:
        parser.error(f"the parameter {own} cannot be the correlation: it has a value")
    return wanted


def vault_url(text: str) -> str:
    """A vault's address; a name alone is one of the public cloud's."""
    if text.startswith("https://"):
        return text.rstrip("/")
    if not _VAULT.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a vault's name nor https://...")
    return f"https://{text}.vault.azure.net"


def _text(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text.strip()


def _run(text: str) -> str | None:
    if text.strip() and not parsing.is_run_id(text.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} can be no run's id")
    return text.strip() or None


def _optional(text: str) -> str | None:
    return text.strip() or None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def _branch(text: str) -> str | None:
    if text and not text.startswith("refs/"):
        raise argparse.ArgumentTypeError(f"{text!r} is no ref: write refs/heads/{text}")
    return text or None


def _api_version(text: str) -> str:
    if not _VERSION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no version such as 7.1 or 7.2-preview.1")
    return text


def _parameters(text: str) -> Mapping[str, Any]:
    """A JSON object whose texts name only facts that this step knows."""
    try:
        found = jsontext.read(text or "{}")
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"no JSON: {error}") from None
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError("no JSON object")
    if taken := sorted({*OWN} & {*found}):
        raise argparse.ArgumentTypeError(f"{', '.join(taken)} is set by this step")
    problems = placeholders.problems_of(found)
    unknown = sorted(placeholders.named_in(found) - FACTS)
    problems += [f"{name} is not known to this step" for name in unknown]
    for name, value in found.items():
        if wrong := expanded(placeholders.written(value)):
            problems.append(f"{name} {wrong}")
    if problems:
        raise argparse.ArgumentTypeError("; ".join(problems))
    return found
