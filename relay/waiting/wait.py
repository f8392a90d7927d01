"""`wait` waits for a run to end, and ends with what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from functions.core.gates.gate import GateRefused
from relay import exits
from relay.deployment import deployed, opening
from relay.deployment.signin import SignedIn
from relay.waiting.course import Vigil, Wishes
from relay.waiting.required import Requirement
from relay.waiting.submitting import Job
from relay.why import asking, locating

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.terms.runs import Workspace
    from relay.deployment.opening import Found

EXAMPLES = """Examples:

bin/relay wait plum_pot_1 --timeout 2h --require "metrics.accuracy >= 0.8"

bin/relay wait --submit job.yml --set inputs.epochs=1 --cancel-on-interrupt

Exit codes: 0 Completed, and all that was required holds; 1 something does not hold; 5 timed out;
10 Failed; 11 Canceled; 12 unreadable; 130 interrupted; 2, 3 and 4 as everywhere.
"""

_Run = Annotated[str | None, typer.Argument(metavar="RUN_ID|STUDIO_URL")]
_Submit = Annotated[
    Path | None,
    typer.Option("--submit", metavar="FILE", help="Submit this job through the Azure CLI first."),
]
_Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Change the job: inputs.epochs=1. Repeatable."
    ),
]
_Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the new job.")]
_Workspace = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        metavar="ID",
        help="Resource id; else that of SWEEP_WORKSPACES, or of what the ledger tells of.",
    ),
]
_Require = Annotated[
    list[str] | None,
    typer.Option(metavar="CEL", help="What must hold, as in a route's `when`. Repeatable."),
]
_Step = Annotated[
    str | None, typer.Option(metavar="NAME", help="The child run that has what is required.")
]
_Model = Annotated[
    str | None, typer.Option(metavar="NAME", help="The registered model, if a run has several.")
]
_Timeout = Annotated[
    str | None,
    typer.Option(metavar="SPAN", help="How long to wait: 45m, 2h. Without it: as it takes."),
]
_Facts = Annotated[
    str, typer.Option(metavar="SPAN", help="How long after the end metrics may still come.")
]
_Patience = Annotated[
    str,
    typer.Option(metavar="SPAN", help="How long it may be unreadable or without a clear status."),
]
_Every = Annotated[str, typer.Option(metavar="SPAN", help="How seldom to look at most.")]
_OnInterrupt = Annotated[
    bool, typer.Option("--cancel-on-interrupt", help="Interrupted: cancel the job.")
]
_OnTimeout = Annotated[bool, typer.Option("--cancel-on-timeout", help="Timed out: cancel the job.")]
_Json = Annotated[
    bool, typer.Option("--json", help="The end as one line of JSON; all else to standard error.")
]


def add_to(app: typer.Typer) -> None:
    """Put the command of this module beside the others."""
    app.command(epilog=EXAMPLES)(wait)


def wait(  # noqa: PLR0913 - one argument per option
    run: _Run = None,
    *,
    submit: _Submit = None,
    overrides: _Set = None,
    name: _Name = "",
    workspace: _Workspace = None,
    require: _Require = None,
    step: _Step = None,
    model: _Model = None,
    timeout: _Timeout = None,
    wait_for_facts: _Facts = "2m",
    patience: _Patience = "10m",
    every: _Every = "1m",
    cancel_on_interrupt: _OnInterrupt = False,
    cancel_on_timeout: _OnTimeout = False,
    as_json: _Json = False,
    app: deployed.App = None,
) -> None:
    """Wait until a run has ended, and succeed only if it Completed.

    Prints each change of its status, and its metrics at the end. Only Completed is a success: a
    status that is unknown, empty or NotResponding is waited out for --patience, as is a service
    that fails. `metrics.x` is short for `run.metrics.x`.
    """
    job = _job(run, submit, overrides or [], name)
    named = locating.named(run or name or "submitted")
    wishes = Wishes(
        requirements=[_requirement(text, step, model) for text in require or []],
        timeout=_seconds(timeout) if timeout else None,
        facts=_seconds(wait_for_facts),
        patience=_seconds(patience),
        every=_seconds(every),
        cancel_on_interrupt=cancel_on_interrupt,
        cancel_on_timeout=cancel_on_timeout,
        as_json=as_json,
    )
    among = asking.meant(named, workspace)
    raise typer.Exit(_ended(job, named.run, among, wishes, app))


def _ended(
    job: Job | None, run: str, among: Sequence[Workspace], wishes: Wishes, app: str | None
) -> int:
    """What to exit with once the run has ended: the job's, or that of this id."""
    with opening.found() as found:
        known = among or found.settings.sweep.workspaces
        where = _the_one(known or _seen(found, app, None if job else run))
        identity = SignedIn(only_cli=True) if job else found.identity
        return Vigil(found.settings, identity, where, wishes).keep(job or run)


def _seen(found: Found, app: str | None, run: str | None) -> Sequence[Workspace]:
    """The workspaces that the ledger tells of, if one is named; of several the one with the run."""
    if not (app or opening.names_ledger(found.settings)):
        return ()
    with opening.office(app) as office:
        known = locating.candidates(office.settings, office.ports)
        if run is None or not known[1:]:
            return known
        return [asking.located(office.ports, office.settings, run, known).workspace]


def _job(run: str | None, file: Path | None, overrides: list[str], name: str) -> Job | None:
    """The job to submit, if that is what is wanted; raises typer.BadParameter."""
    if (run is None) == (file is None):
        raise typer.BadParameter("say which run: RUN_ID, or --submit FILE")
    if file is None:
        if overrides or name:
            raise typer.BadParameter("--set and --name change a job that is submitted: --submit")
        return None
    job = Job(file, overrides, name)
    if problem := job.problem():
        raise typer.BadParameter(problem)
    if not file.is_file():
        opening.stop(exits.NOT_FOUND, f"there is no job file {file}")
    return job


def _requirement(text: str, step: str | None, model: str | None) -> Requirement:
    try:
        return Requirement(text, step, model)
    except GateRefused as error:
        raise typer.BadParameter(f"--require {text!r}: {error}") from None


def _seconds(text: str) -> float:
    return opening.span(text).total_seconds()


def _the_one(workspaces: Sequence[Workspace]) -> Workspace:
    if len(workspaces) != 1:
        known = "".join(f"\n  {workspace.id}" for workspace in workspaces)
        why = f"several workspaces are known:{known}" if known else "no workspace is known"
        opening.stop(exits.USAGE, f"say which with --workspace or SWEEP_WORKSPACES: {why}")
    return workspaces[0]
