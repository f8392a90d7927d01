"""`replay` has another go at what ended without a pipeline run, and at what Event Grid gave up."""

from __future__ import annotations

from typing import Annotated

import typer

from functions.core.operators.lists.commands import DAYS_OF_LETTERS
from functions.core.operators.replaying import Replaying
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from relay import printing  # noqa: TC001 - typer reads the annotations, also of the next
from relay.continuations import wishes
from relay.continuations.listing import Experiment, Route  # noqa: TC001
from relay.continuations.wishes import Those, Wish
from relay.deployment import deployed, opening

BY_DEFAULT, OF_LETTERS = "24h", f"{DAYS_OF_LETTERS}d"
EXAMPLES = """Examples:

bin/relay replay register-model/plum_pot_1/Completed

bin/relay replay --failed --since 24h --dry-run

bin/relay replay --held --route register-model --reason gate --ignore-gate

bin/relay replay --open --reason credential_refused

bin/relay replay register-model/plum_pot_1/Completed --as-started 1042

bin/relay replay --dead-letters https://ACCOUNT.blob.core.windows.net/CONTAINER --since 3d
"""

_Keys = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY...", help="ROUTE/RUN_ID/OUTCOME, @WORKSPACE where ambiguous."),
]
_Failed = Annotated[bool, typer.Option("--failed", help="Whatever failed.")]
_Held = Annotated[bool, typer.Option("--held", help="Whatever is held.")]
_Open = Annotated[bool, typer.Option("--open", help="Whatever waits: it is tried at once.")]
_Since = Annotated[
    str | None,
    typer.Option(
        metavar="SPAN",
        help="Of what failed or is held, and of dead letters: since then (90m, 24h, 7d; if not "
        f"said {BY_DEFAULT}, of dead letters {OF_LETTERS}).",
    ),
]
_Reasons = Annotated[
    list[Reason] | None,
    typer.Option(
        "--reason", metavar="REASON", help="Only for this reason; may be given several times."
    ),
]
_IgnoreGate = Annotated[
    bool, typer.Option("--ignore-gate", help="Start it whatever the route's gate says.")
]
_AsStarted = Annotated[
    int | None,
    typer.Option(
        metavar="BUILD_ID",
        min=1,
        help="In doubt: this pipeline run was started for it. Azure DevOps or GitHub is asked "
        "whether it can be; once more, with another number, corrects it.",
    ),
]
_Unchecked = Annotated[
    bool, typer.Option("--unchecked", help="With --as-started: nobody is asked.")
]
_Again = Annotated[
    bool, typer.Option("--again", help="In doubt: nothing was queued for it, so start it anew.")
]
_DeadLetters = Annotated[
    str | None,
    typer.Option(metavar="URL_OR_FOLDER", help="Take up Event Grid's dead letters from there."),
]
_DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Tell what would be done; nothing is written.")
]
_As = Annotated[str, typer.Option("--as", metavar="NAME", help="Who asks, for the record.")]


def add_to(app: typer.Typer) -> None:
    """Put the command of this module beside the others."""
    app.command(epilog=EXAMPLES)(replay)


def replay(  # noqa: PLR0913 - one argument per option
    key: _Keys = None,
    *,
    failed: _Failed = False,
    held: _Held = False,
    is_open: _Open = False,
    since: _Since = None,
    route: Route = None,
    experiment: Experiment = None,
    reason: _Reasons = None,
    ignore_gate: _IgnoreGate = False,
    as_started: _AsStarted = None,
    unchecked: _Unchecked = False,
    again: _Again = False,
    dead_letters: _DeadLetters = None,
    dry_run: _DryRun = False,
    as_json: printing.Json = False,
    who: _As = "",
    app: deployed.App = None,
) -> None:
    """Replay what is held or failed, try at once what waits, settle what is in doubt.

    Dead letters are taken up, too, by the routes of today. Only the ledger is written; the app's
    reconciler does the work with its next round. What was started stays as it is, and so does what
    a process is at work on.

    Exits with 0 if each is started or will be tried, 1 if something was left as it is, 2 if the
    KEY is none or fits several workspaces, 3 if it is not in the ledger, 4 if the ledger, Azure
    DevOps or GitHub cannot be read.
    """
    wish = Wish(ignore_gate, as_started, unchecked, again)
    states = _states(failed=failed, held=held, is_open=is_open)
    those = Those(tuple(key or ()), states, route, experiment, frozenset(reason or ()))
    _check(those, wish, since, dead_letters)
    span = opening.span(since or (BY_DEFAULT if dead_letters is None else OF_LETTERS))
    with opening.office(app) as office:
        if dead_letters is not None:
            from relay.continuations import dead_letters as letters  # noqa: PLC0415 - only this needs the network

            return letters.take_up(office, dead_letters, span, as_json=as_json, dry=dry_run)
        asks, meant = who or opening.whoever(), those.meant(office, span)
        replaying = Replaying(office.ports.ledger, office.ports.clock, asks, meant, dry=dry_run)
        told = wishes.fulfilled(office, replaying, wish, those.found(office, meant))
        return wishes.tell(told, as_json=as_json, dry=dry_run)


def _states(*, failed: bool, held: bool, is_open: bool) -> frozenset[State]:
    chosen = {State.FAILED: failed, State.HELD: held, State.OPEN: is_open}
    return frozenset(state for state, wanted in chosen.items() if wanted)


def _check(those: Those, wish: Wish, since: str | None, dead_letters: str | None) -> None:
    """Refuse what contradicts itself; raises typer.BadParameter."""
    settles = wish.as_started is not None or wish.again
    wrong = (
        (
            [bool(those.keys), bool(those.states), dead_letters is not None].count(True) != 1,
            "say what: KEY..., --failed, --held and --open, or --dead-letters",
        ),
        (
            since and not those.states & {State.FAILED, State.HELD} and dead_letters is None,
            "--since goes with --failed, --held or --dead-letters",
        ),
        (
            those.are_filtered and not those.states,
            "--route, --experiment and --reason go with --failed, --held or --open",
        ),
        (
            wish.as_started is not None and (wish.again or wish.ignore_gate),
            "--as-started goes with neither --again nor --ignore-gate",
        ),
        (wish.unchecked and wish.as_started is None, "--unchecked goes with --as-started"),
        (settles and len(those.keys) != 1, "--as-started and --again go with exactly one KEY"),
        (
            wish.ignore_gate and dead_letters is not None,
            "--ignore-gate does not go with --dead-letters",
        ),
    )
    if said := next((said for is_wrong, said in wrong if is_wrong), ""):
        raise typer.BadParameter(said)
