"""KEY as people type it, `ROUTE/RUN_ID/OUTCOME[@WORKSPACE]`, and the continuations it names."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from typing import TYPE_CHECKING

from functions.core.events import parsing
from functions.core.kept.summary import EVER
from functions.core.memory.workspaces import each_once, heard_of, parsed
from functions.core.terms.errors import RelayError
from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome
from functions.core.texts import bounds
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from functions.core.terms.runs import Workspace

MOST_LOOKED_AT = 1000  # the newest of those that ended
ELSEWHERE = ", or give @ and the whole resource id of a workspace that is not known here"

_AROUND = " \t\r\n"
_OUTCOMES = {o.lower(): o for o in Outcome}
_FORM = r"(?P<route>[^/]+)/(?P<run>.+)/(?P<outcome>{})(?:@(?P<workspace>.+))?"
_KEY = re.compile(_FORM.format("|".join(_OUTCOMES)), re.IGNORECASE | re.DOTALL)
_KEY_ELSEWHERE = re.compile(_FORM.format("[A-Z][A-Za-z0-9]{0,60}"), re.DOTALL)


class NotAKey(RelayError):
    """The text has not the form of a KEY."""


class Several(RelayError):
    """Several workspaces have such a continuation; `keys` names each."""

    def __init__(self, text: str, keys: Sequence[str]) -> None:
        super().__init__(f"{bounded(text)} is in several workspaces")
        self.keys = tuple(keys)


class Unknown(RelayError):
    """No continuation has this key; `run` is the run that it is about."""

    def __init__(self, text: str, run: str, *, whole: bool) -> None:
        self.run = bounds.visible(run)
        why = f"look for it with bin/relay why {shlex.quote(bounded(self.run))}"
        told = f"{bounded(text)} is not in the ledger: {why}"
        super().__init__(f"{told}{'' if whole else ELSEWHERE}")


def resolve(ledger: Ledger, text: str, also: Iterable[Workspace] = ()) -> Continuation:
    """The one continuation that a KEY names; WORKSPACE is a name or a whole resource id.

    What stands in it as an escape, as it is printed, is meant as the character.
    Without a resource id it is looked for in the workspaces that the ledger tells of, and in these.
    Raises NotAKey, Several, Unknown and LedgerUnavailable.
    """
    given = bounds.meant(text.strip(_AROUND))
    known = _KEY.fullmatch(given)
    parts = known or _KEY_ELSEWHERE.fullmatch(given)
    if not parts:
        raise _no_key(text)
    outcome = _OUTCOMES[parts["outcome"].lower()] if known else Outcome(parts["outcome"])
    named = (parts["workspace"] or "").lower()
    ids = [_id(named)] if "/" in named else _ids(workspaces(ledger, EVER, also), named)
    keys = [Key(id_, parts["run"], outcome, parts["route"]) for id_ in ids]
    found = [entry.continuation for key in keys if (entry := ledger.read(key))]
    if not found and not known:  # nor is it there by an outcome that another version knows
        raise _no_key(text)
    if not found:
        raise Unknown(text, parts["run"], whole="/" in named)
    if len(found) > 1:
        raise Several(text, whole(found))
    return found[0]


def _no_key(text: str) -> NotAKey:
    form = "ROUTE/RUN_ID/OUTCOME or ROUTE/RUN_ID/OUTCOME@WORKSPACE"
    return NotAKey(f"{bounded(text)} is no KEY: {form}, with OUTCOME one of {_listed()}")


def whole(found: Sequence[Continuation]) -> list[str]:
    """The full KEY of each: with the workspace's name, or its id where names are the same."""
    ids = defaultdict(set)
    for c in found:
        ids[c.event.workspace.name.lower()].add(c.key.workspace)
    return [f"{c.key.text}@{_name(c, ids)}" for c in found]


def _name(c: Continuation, ids: Mapping[str, set[str]]) -> str:
    name = c.event.workspace.name
    return name if len(ids[name.lower()]) == 1 else c.key.workspace


def workspaces(ledger: Ledger, since: datetime, also: Iterable[Workspace] = ()) -> list[Workspace]:
    """Those heard of since then, those of all that is open and of the newest ended, and these.

    What was claimed a moment ago is in none of which the reconciler has heard. Raises
    LedgerUnavailable.
    """
    told = (one.key.workspace for one in ledger.listed(since, MOST_LOOKED_AT))
    return each_once(parsed(told), heard_of(ledger, since), also)


def _id(named: str) -> str:
    try:
        return parsing.workspace(named).key
    except ValueError as error:
        raise NotAKey(str(error)) from None


def _ids(known: Sequence[Workspace], named: str) -> list[str]:
    """The ids, in lower case, of those of this name; of all where there is none."""
    return [one.key for one in known if named in {"", one.name.lower()}]


def _listed() -> str:
    return ", ".join(Outcome)
