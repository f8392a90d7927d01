"""What wants a person, above all else: a line for each cause, and what to type about it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from functions.core.operators.lists.wanted import ASKED_IN_DOUBT
from functions.web.html import Child, Markup, said, tag
from functions.web.words import ago, badge, command, meaning, to_one

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.operators.lists.groups import Group
    from functions.core.operators.overview import Seen

MOST_GROUPS = 12


def wants(seen: Seen) -> Child:
    """The groups, what came last before the others."""
    if not seen.wants:
        return None
    groups = [_group(group, seen.at) for group in seen.wants[:MOST_GROUPS]]
    left = len(seen.wants) - MOST_GROUPS
    rest = tag("a", f"and {left:,} more causes", href="?state=failed,held") if left > 0 else None
    return [tag("h2", "Wants you"), tag("ul", *groups, class_="wants"), rest]


def _group(group: Group, now: datetime) -> Markup:
    """How many of what, in whose words, and what to type."""
    count = len(group.members)
    state = ASKED_IN_DOUBT if group.in_doubt else group.state
    asked = {"state": state, "route": group.route, "reason": group.reason}
    to = to_one(group.members[0].key) if count == 1 else "?" + urlencode(asked)
    what = said(group.members[0].key.run) if count == 1 else f"{count:,} continuations"
    head = tag(
        "p",
        badge(group.state, in_doubt=group.in_doubt),
        tag("a", what, href=to),
        tag("span", "" if count == 1 else "first ", ago(group.since, now), class_="quiet"),
        class_="head",
    )
    words = said(group.detail) if group.is_of_one_detail else ["the last: ", said(group.detail)]
    detail = [" · ", tag("span", words, class_="quiet")] if group.detail else None
    means = meaning(group.members[0])
    route = tag("strong", said(group.route))
    why = tag("p", route, " · ", means, detail, class_="why", title=f"{means}: {group.detail}")
    return tag("li", head, why, _typed(group))


def _typed(group: Group) -> Child:
    if group.command.text:
        return command(group.command)
    return tag("p", "Look at each: its run may have been queued.", class_="quiet")
