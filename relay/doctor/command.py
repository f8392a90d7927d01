"""`doctor` as it is typed and as it answers."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from functions.core.texts.phrases import counted
from relay import exits, printing
from relay.deployment import deployed, opening
from relay.deployment.refusals import NeedsApp
from relay.printing import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relay.doctor.case import Case
    from relay.doctor.checks import Check
    from relay.doctor.findings import Finding

    Told = tuple[str, Finding]

LONGEST = 1000  # characters of what to do
HOW_TO_NAME = "name the app: --app RESOURCE_ID, or RUN_RELAY_APP"
SLOW = 2.0  # seconds after which a check that goes on is told of

_NoProbe = Annotated[bool, typer.Option("--no-probe", help="Send no event to the app.")]
_Workspaces = Annotated[
    list[str] | None,
    typer.Option(
        "--workspace", metavar="ID", help="Resource id; beside those seen and SWEEP_WORKSPACES."
    ),
]
_COLORS = {"ok": "green", "warning": "yellow", "failure": "red"}


def add_to(app: typer.Typer) -> None:
    """Put the command of this module beside the others."""
    app.command()(doctor)


def doctor(
    workspace: _Workspaces = None,
    *,
    as_json: printing.Json = False,
    no_probe: _NoProbe = False,
    routes: deployed.RoutesFile = None,
    app: deployed.App = None,
) -> None:
    """Examine a deployment as you are signed in: each line is ok, a warning or a failure.

    Nothing is started. Written are two rows of the ledger: who examined it, and a probe event
    that is sent to the app.

    Exits with 1 if there is a failure, 2 if no app is named, 3 if there is no such app, 4 if Azure
    cannot be asked.
    """
    workspaces = opening.workspaces(workspace or [])
    with opening.found(app, routes) as found:
        opening.insist_on_ledger(found)
        from relay.doctor.case import Case  # noqa: PLC0415 - most commands need no network
        from relay.doctor.checks import CHECKS, PROBE  # noqa: PLC0415 - the same

        case = Case(found.settings, found.identity, found.deployed, workspaces)
        checks = [c for c in CHECKS if not (no_probe and c is PROBE)]
        told = _all(case, checks) if as_json else _shown(case, checks)
        _conclude(told)


def _all(case: Case, checks: list[Check]) -> list[Told]:
    told = list(_examined(case, checks))
    document = {
        "app": case.id,
        "routes": str(case.settings.routes_file),
        "ok": all(finding.status != "failure" for _, finding in told),
        "findings": [finding.builtins(name) for name, finding in told],
    }
    typer.echo(printing.as_json(document))
    return told


def _shown(case: Case, checks: list[Check]) -> list[Told]:
    told = []
    for name, finding in _examined(case, checks):
        status = typer.style(f"{finding.status:<8}", _COLORS[finding.status])
        typer.echo(f"{status} {name}: {plain(finding.said)}")
        if finding.do:
            typer.echo(f"         → {plain(finding.do, LONGEST)}")
        told.append((name, finding))
    counts = [sum(f.status == kind for _, f in told) for kind in _COLORS]
    words = (f"{counts[0]} ok", counted(counts[1], "warning"), counted(counts[2], "failure"))
    typer.echo(", ".join(words))
    return told


def _examined(case: Case, checks: list[Check]) -> Iterator[Told]:
    from relay.doctor.checks import made  # noqa: PLC0415 - most commands need no network
    from relay.doctor.findings import warning  # noqa: PLC0415 - the same

    left = []
    for check in checks:
        findings: list[Finding] = []
        try:
            with _told_of(check.name):
                findings.extend(made(check, case))
        except NeedsApp:
            left.append(check.name)
        for finding in findings:
            yield check.name, finding
    if left:
        yield "deployed app", warning(f"not checked: {', '.join(left)}", HOW_TO_NAME)


@contextmanager
def _told_of(name: str) -> Iterator[None]:
    """A line on the error output if it takes long."""
    timer = threading.Timer(SLOW, typer.echo, [f"{name} ..."], {"err": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _conclude(told: list[Told]) -> None:
    failures = [finding for _, finding in told if finding.status == "failure"]
    if any(not finding.unreachable for finding in failures):
        raise typer.Exit(exits.THE_ANSWER_IS_NO)
    if failures:
        raise typer.Exit(exits.REFUSED)
