"""The metrics of a run that was waited for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from functions.core.events import parents
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Retryable
from relay import printing
from relay.columns import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.ports.services import Ports
    from functions.core.terms.runs import Run, Workspace

READ_SECONDS = 60.0
MOST = 500  # metrics that are shown


class Metric(NamedTuple):
    """A metric's last value; `step` names the child run that has it, empty for the run itself."""

    step: str
    name: str
    value: float


def metrics(ports: Ports, workspace: Workspace, run: str) -> tuple[Run, list[Metric]]:
    """The run, and its metrics; those of its steps where it has none. Raises Retryable."""
    deadline = Deadline(ports.clock, READ_SECONDS)
    read = ports.runs.read(workspace, run, deadline)
    found = _of(read, "")
    if not found:
        children = _children(ports, workspace, read, deadline)
        found = [metric for child in children for metric in _of(child, child.name or child.id)]
    return read, found


def show(found: Sequence[Metric]) -> None:
    """Print them as a table."""
    if not found:
        typer.echo("no metrics")
        return
    steps = any(metric.step for metric in found)
    names = ("step", "metric", "value") if steps else ("metric", "value")
    rows = [(*([m.step] if steps else []), m.name, f"{m.value:g}") for m in found[:MOST]]
    printing.table([*map(Column, names)], rows)
    if len(found) > MOST:
        typer.echo(f"and {len(found) - MOST} more")


def as_json(found: Sequence[Metric]) -> dict[str, Any]:
    """By name, and by step where steps have them; what no JSON number can be is text."""
    told: dict[str, Any] = {}
    for step, name, value in found:
        among = told.setdefault(step, {}) if step else told
        among[name] = value if math.isfinite(value) else str(value)
    return told


def _of(run: Run, step: str) -> list[Metric]:
    return [Metric(step, name, value) for name, value in sorted(run.metrics.items())]


def _children(ports: Ports, workspace: Workspace, run: Run, deadline: Deadline) -> Sequence[Run]:
    try:
        return parents.children(run.id, ports.runs.children(workspace, run, deadline))
    except Retryable:
        return []
