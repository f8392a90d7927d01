"""KEY as people type it, `ROUTE/RUN_ID/OUTCOME[@WORKSPACE]`, and the continuations it names."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from functions.core import events
from functions.core.errors import RelayError
from functions.core.listed import EVER
from functions.core.values import Key, Outcome, bounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.continuation import Continuation
    from functions.core.ledger import Ledger

MOST_LOOKED_AT = 1000  # the newest; what they do not name is found by its workspace's resource id

_OUTCOMES = {o.lower(): o for o in Outcome}
_KEY = re.compile(
    rf"(?P<route>[^/]+)/(?P<run>.+)/(?P<outcome>{'|'.join(_OUTCOMES)})(?:@(?P<workspace>.+))?",
    re.IGNORECASE | re.DOTALL,
)


class NotAKey(RelayError):
    """The text has not the form of a KEY."""


class Several(RelayError):
    """Several workspaces have such a continuation; `keys` names each."""

    def __init__(self, text: str, keys: Sequence[str]) -> None:
        super().__init__(f"{bounded(text)} is in several workspaces")
        self.keys = tuple(keys)


class Unknown(RelayError):
    """No continuation has this key."""


def resolve(ledger: Ledger, text: str) -> Continuation:
    """The one continuation that a KEY names; WORKSPACE is a name or a whole resource id.

    Raises NotAKey, Several, Unknown and LedgerUnavailable.
    """
    parts = _KEY.fullmatch(text.strip())
    if not parts:
        form = "ROUTE/RUN_ID/OUTCOME or ROUTE/RUN_ID/OUTCOME@WORKSPACE"
        raise NotAKey(f"{bounded(text)} is no KEY: {form}, with OUTCOME one of {_listed()}")
    outcome = _OUTCOMES[parts["outcome"].lower()]
    workspaces = _workspaces(ledger, (parts["workspace"] or "").lower())
    keys = [Key(id_, parts["run"], outcome, parts["route"]) for id_ in workspaces]
    found = [entry.continuation for key in keys if (entry := ledger.read(key))]
    if not found:
        raise Unknown(f"{bounded(text)} is not in the ledger")
    if len(found) > 1:
        raise Several(text, whole(found))
    return found[0]


def whole(found: Sequence[Continuation]) -> list[str]:
    """The full KEY of each: with the workspace's name, or its id where names are the same."""
    ids = defaultdict(set)
    for c in found:
        ids[c.event.workspace.name.lower()].add(c.key.workspace)
    return [f"{c.key.text}@{_name(c, ids)}" for c in found]


def _name(c: Continuation, ids: Mapping[str, set[str]]) -> str:
    name = c.event.workspace.name
    return name if len(ids[name.lower()]) == 1 else c.key.workspace


def _workspaces(ledger: Ledger, named: str) -> list[str]:
    """Ids, in lower case, of the workspaces that the ledger knows by this name, "" being all."""
    if "/" in named:
        try:
            return [events.workspace(named).key]
        except ValueError as error:
            raise NotAKey(str(error)) from None
    listed = ledger.listed(EVER, MOST_LOOKED_AT)
    known = {one.key.workspace: one.workspace for one in listed}
    return sorted(id_ for id_, name in known.items() if named in {"", name})


def _listed() -> str:
    return ", ".join(Outcome)
