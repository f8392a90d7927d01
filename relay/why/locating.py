"""Which run a person means, and in which workspace it is."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import typer

from functions.configuration.clouds import CLOUDS
from functions.core.events import parsing
from functions.core.operators import typed_keys
from functions.core.rounds.inbox import MOST_UNDECIDED
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import RelayError, Retryable
from functions.core.terms.reasons import Reason
from functions.core.texts import bounds
from functions.core.texts.bounds import bounded
from relay.printing import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.configuration.settings import Settings
    from functions.core.kept.continuation import Continuation
    from functions.core.kept.letter import Letter
    from functions.core.ports.services import Ports
    from functions.core.terms.runs import Run, Workspace

CALL_SECONDS = 30.0
ASKED_AT_ONCE = 8

_STUDIOS = frozenset(urlsplit(cloud.studio).netloc for cloud in CLOUDS.values())
_PATH = re.compile(r"(?:/experiments/(?:id/)?[^/]+)?/runs/(?P<run>[^/]+)/?")
_SHORT = re.compile(
    r"(/subscriptions/[^/]+/resourcegroups/[^/]+)(/workspaces/[^/]+)", re.IGNORECASE
)
_PROVIDER = "/providers/Microsoft.MachineLearningServices"


class Named(NamedTuple):
    """A run as it was typed; None: the workspace was not."""

    run: str
    workspace: Workspace | None = None


class Located(NamedTuple):
    """A run in a workspace, and what the ledger knows of it. `run` is None where AML has none.

    `trouble` says why it could not be read; `letters` are its events that lie in the inbox.
    """

    workspace: Workspace
    run: Run | None
    known: Sequence[Continuation]
    trouble: Retryable | None = None
    letters: Sequence[Letter] = ()

    @property
    def is_there(self) -> bool:
        """Whether anything is known of it here."""
        return self.run is not None or bool(self.known or self.letters)

    @property
    def is_silent(self) -> bool:
        """Whether the run may be there all the same."""
        return self.trouble is not None and self.trouble.reason is not Reason.RUN_NOT_FOUND

    @property
    def said(self) -> str:
        """The trouble, and whose it is."""
        return plain(f"{self.workspace.name}: {self.trouble.detail if self.trouble else 'read'}")


class Unknown(RelayError):
    """No workspace that was asked knows the run, and each one answered."""


class Unreachable(RelayError):
    """The run was not found, and not every workspace answered."""


class Ambiguous(RelayError):
    """Several workspaces have a run of this id."""

    def __init__(self, run: str, workspaces: Sequence[Workspace]) -> None:
        listed = "\n  ".join(workspace.id for workspace in workspaces)
        super().__init__(f"{run} is in several workspaces; say --workspace:\n  {listed}")


def named(text: str) -> Named:
    """The run that a run id, or the address of its page in AML Studio, names.

    Raises typer.BadParameter.
    https://learn.microsoft.com/azure/machine-learning/how-to-track-monitor-analyze-runs
    """
    text = bounds.meant(text.strip(" \t\r\n"))
    if "://" in text:
        try:
            return _of_studio(text)
        except ValueError as error:
            raise typer.BadParameter(f"{bounded(text, 200)}: {error}") from None
    if not parsing.is_identity(text):
        raise typer.BadParameter(f"{bounded(text, 100)!r} is no run id")
    return Named(text)


def _of_studio(text: str) -> Named:
    url = urlsplit(text)
    if url.scheme != "https" or url.netloc.lower() not in _STUDIOS:
        raise ValueError(f"no address of AML Studio: https://{' or '.join(sorted(_STUDIOS))}")
    path = _PATH.fullmatch(url.path)
    run = unquote(path["run"], errors="strict") if path else ""
    if not parsing.is_run_id(run):
        raise ValueError("not the page of a run: /runs/RUN_ID")
    ids = parse_qs(url.query).get("wsid", [])
    if len(ids) != 1:
        raise ValueError("the address has no wsid: copy it whole, or say RUN_ID and --workspace")
    try:
        return Named(run, parsing.workspace(_SHORT.sub(rf"\1{_PROVIDER}\2", ids[0])))
    except ValueError:
        raise ValueError("its wsid is no workspace's resource id") from None


def candidates(settings: Settings, ports: Ports) -> list[Workspace]:
    """Those of SWEEP_WORKSPACES and those that the ledger tells of; raises LedgerUnavailable."""
    since = ports.clock.now() - settings.sweep.kept_for
    return typed_keys.workspaces(ports.ledger, since, settings.sweep.workspaces)


def letters(ports: Ports, run: str) -> list[Letter]:
    """The run's events that lie in the inbox, the oldest first; raises LedgerUnavailable."""
    return [one for one in ports.ledger.letters(MOST_UNDECIDED) if one.event.run == run]


def locate(
    ports: Ports, run: str, workspaces: Sequence[Workspace], waiting: Sequence[Letter] = ()
) -> tuple[Located, list[str]]:
    """The run in the one workspace that has it, and what went wrong in the others.

    Every workspace is asked, and the ledger about each; those of `waiting` letters too. Raises
    Unknown, Unreachable, Ambiguous and LedgerUnavailable.
    """

    def ask(workspace: Workspace) -> Located:
        mine = [one for one in waiting if one.event.workspace.key == workspace.key]
        return _asked(ports, run, workspace)._replace(letters=mine)

    asked = _each(ask, workspaces)
    there = [one for one in asked if one.is_there]
    troubles = [one.said for one in asked if one.is_silent]
    if len(there) > 1:
        raise Ambiguous(run, [one.workspace for one in there])
    if there:
        return there[0], troubles
    if troubles:
        raise Unreachable("\n".join(troubles))
    raise Unknown(
        "\n  ".join([f"no workspace that was asked knows {run}", *(one.said for one in asked)])
    )


def _each(ask: Callable[[Workspace], Located], workspaces: Sequence[Workspace]) -> list[Located]:
    if len(workspaces) == 1:
        return [ask(workspaces[0])]  # no thread: it can be interrupted at once
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        return list(pool.map(ask, workspaces))


def _asked(ports: Ports, run: str, workspace: Workspace) -> Located:
    known = ports.ledger.of_run(workspace.key, run)
    try:
        found = ports.runs.read(workspace, run, Deadline(ports.clock, CALL_SECONDS))
    except Retryable as error:
        return Located(workspace, None, known, error)
    return Located(workspace, found, known)
