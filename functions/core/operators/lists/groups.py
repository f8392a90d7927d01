"""What wants a person: all that is held or failed, put together by route and cause."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from functions.core.operators.decisions import REPLAYABLE
from functions.core.operators.lists import commands
from functions.core.operators.summaries import several_of_a_name, short_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.core.kept.summary import Summary
    from functions.core.operators.lists.commands import Command
    from functions.core.terms.reasons import Reason
    from functions.core.terms.words import State


class Group(NamedTuple):
    """Continuations of one route that came to one end for one reason, the newest first.

    `command` is for all of them; it is empty where each has to be looked at on its own, as those
    that are in doubt.
    """

    state: State
    route: str
    reason: Reason
    members: Sequence[Summary]
    command: Command

    @property
    def since(self) -> datetime:
        """When the first of them came to that end."""
        return self.members[-1].at

    @property
    def detail(self) -> str:
        """The words of the newest."""
        return self.members[0].detail

    @property
    def in_doubt(self) -> bool:
        """Whether nobody knows if their pipelines were started."""
        return self.members[0].in_doubt

    @property
    def is_of_one_detail(self) -> bool:
        """Whether all of them have the same words."""
        return len({one.detail for one in self.members}) == 1


def groups(among: Sequence[Summary], now: datetime, app: str) -> list[Group]:
    """All that wants a person; what came last stands first."""
    found: dict[tuple[State, str, Reason, bool], list[Summary]] = defaultdict(list)
    several = several_of_a_name(among)
    for one in among:
        if one.state in REPLAYABLE:
            found[one.state, one.key.route, one.reason, one.in_doubt].append(one)
    made = [_group(members, now, app, several) for members in found.values()]
    return sorted(made, key=lambda group: group.members[0].at, reverse=True)


def _group(found: Sequence[Summary], now: datetime, app: str, several: frozenset[str]) -> Group:
    members = sorted(found, key=lambda one: (one.at, one.key), reverse=True)
    one = members[0]
    state, route, reason = one.state, one.key.route, one.reason
    if len(members) == 1:
        command = commands.of_one(one, short_key(one, several), app)
    elif one.in_doubt:
        command = commands.Command()
    else:
        age = now - members[-1].at
        command = commands.Command(commands.of_many(state, route, reason, age, app))
    return Group(state, route, reason, members, command)
