"""What a message says, in words that each kind puts into its own form. Nothing is escaped here.

Names and links, and of values only what a gate named and saw.
"""

from __future__ import annotations

import re
import shlex
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from functions.core.facts.building import page_url
from functions.core.operators.meanings import meant
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Happening, State
from functions.core.texts.bounds import bounded, visible
from functions.core.texts.phrases import counted

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.kept.notice import Message, Notice

MOST_NAMED = 10  # of those that go together
LONGEST = 90  # characters of a name
LONGEST_LINK = 1000  # what is longer leads nowhere that anybody made
_LINK = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!#-;=?-Z_a-z~]*)?")
_STATES = {Happening.HELD: State.HELD, Happening.GATE: State.HELD, Happening.FAILED: State.FAILED}
_EXPECTED = {
    Happening.OVERDUE: (
        "By then a run of the route should have ended, and none had",
        "look whether the training runs",
    ),
    Happening.CAME: ("One has ended that should have ended by then", "nothing"),
    Happening.STILL_HELD: (
        "It is held for longer than the route expects",
        "look at it: bin/relay show",
    ),
    Happening.GOES_ON: ("It was held for longer than the route expects", "nothing"),
}
TEST = "this is a test: people would be told here"


class Item(NamedTuple):
    """One of those that it is about: its name, what else is known of it, and where to look."""

    name: str
    facts: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]


class Words(NamedTuple):
    """A message: what happened, what it means, what can be done, to whom, and to how many more."""

    title: str
    means: str
    do: str
    items: tuple[Item, ...]
    more: int

    @property
    def rest(self) -> str:
        """How many are not named; empty if all are."""
        return f"and {self.more} more: bin/relay list tells all" if self.more else ""

    def fewer(self) -> Words:
        """The same with one less of those that are named."""
        return self._replace(items=self.items[:-1], more=self.more + 1)


def words(message: Message, studio: str) -> Words:
    """What the message says. `studio`: where Azure Machine Learning's pages are."""
    if message.about is None:
        return Words("Run Relay", TEST, "", (), 0)
    named = message.notices[:MOST_NAMED]
    means, do = _meaning(message)
    items = tuple(_item(one, studio) for one in named)
    return Words(_title(message), means, do, items, len(message.notices) - len(named))


def _title(message: Message) -> str:
    """What happened, and on which route; a route's name and a secret's have no odd letters."""
    first, many = message.notices[0], len(message.notices)
    if message.about is Happening.CREDENTIAL:
        return "A secret ends" if many == 1 else f"{counted(many, 'secret')} end"
    number = f"{many} " if many > 1 else ""
    ended = f"{counted(many, 'pipeline run')}: {bounded(first.ended, 40)}"
    what = {
        Happening.HELD: f"{number}held",
        Happening.GATE: f"{number}held by the gate",
        Happening.FAILED: f"{number}failed",
        Happening.ENDED_BADLY: ended,
        Happening.ENDED: ended,
        Happening.OVERDUE: "no run came in time",
        Happening.CAME: "a run came after all",
        Happening.STILL_HELD: f"{number}still held",
        Happening.GOES_ON: f"{number}held no longer",
    }.get(first.about, f"{number}{first.about}")
    return f"{what[:1].upper()}{what[1:]}, route {bounded(first.route, LONGEST)}"


def _meaning(message: Message) -> tuple[str, str]:
    """What it means and what can be done, in the runbook's words."""
    if message.about is Happening.CREDENTIAL:
        return "Pipelines are started with it, until it ends", "put a new token into the vault"
    if message.about is Happening.ENDED_BADLY:
        return "It was started, and did not succeed", "look at the pipeline run"
    if message.about is Happening.ENDED:
        return "The route file wants this end told", "nothing, unless it was not meant"
    if message.about in _EXPECTED:
        return _EXPECTED[message.about]
    first = message.notices[0]
    state = _STATES.get(first.about, State.HELD)
    if first.reason not in frozenset(map(str, Reason)):
        return "", ""
    alone = shlex.quote(visible(first.key.text)) if len(message.notices) == 1 and first.key else ""
    about = {"route": first.route, "key": alone, "service": first.service}
    found = meant(state, Reason(first.reason)).about(**about)
    return found.means, found.do


def _item(one: Notice, studio: str) -> Item:
    """What is said of one."""
    if one.awaits:
        return Item(bounded(one.awaits, LONGEST), _known(("due", _minute(one.at))), ())
    if one.key is None:
        ends = _minute(one.ends) if one.ends else ""
        return Item(bounded(one.secret, LONGEST), _known(("ends", ends)), ())
    run = one.pipeline_run
    facts = _known(
        ("outcome", str(one.key.outcome)),
        ("experiment", one.experiment),
        ("workspace", one.workspace),
        ("saw", one.saw),
        ("pipeline run", str(run or "")),
    )
    links = [("run", page_url(studio, one.key.workspace, one.key))]
    links += [("pipeline run", one.url)] if run else []
    safe = tuple((name, url) for name, url in links if _is_link(url))
    return Item(bounded(one.key.run, LONGEST), facts, safe)


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _is_link(url: str) -> bool:
    return len(url) <= LONGEST_LINK and _LINK.fullmatch(url) is not None


def _known(*facts: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Those that have a value, each cut; what a gate saw is longer than a name."""
    return tuple((name, bounded(value, 3 * LONGEST)) for name, value in facts if value)
