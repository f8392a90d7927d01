"""`notify` and `tell`: who is told of what, and what contradicts itself in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.routes.channel import BY_ITSELF, Channel
from functions.core.terms.words import Happening

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.core.routes.file.document import At

    Entry = dict[str, Any]
    Said = Iterator[tuple[At, str]]

KINDS = ("teams", "slack", "webhook")
MOST = 10


def channels(entries: Iterable[Entry]) -> tuple[Channel, ...]:
    """The channels of a list that has the right shape."""
    return tuple(map(_channel, entries))


def contradictions(entries: Iterable[tuple[At, Entry]]) -> Said:
    """What is wrong with the lists of a file, each by itself and beside the others.

    A sequel has `tell`, and the `notify` of the route that it goes on after.
    """
    known: dict[str, tuple[str, object]] = {}
    for at, entry in entries:
        key = "tell" if "after" in entry else "notify"
        given = entry.get(key)
        if isinstance(given, list):
            yield from (((*at, key, *below), what) for below, what in _of_list(given, known))


def _of_list(given: list[Any], known: dict[str, tuple[str, object]]) -> Said:
    if len(given) > MOST:
        yield (), f"names {len(given)} channels: {MOST} at most"
    here: set[str] = set()
    for i, entry in enumerate(given):
        kinds = [kind for kind in KINDS if isinstance(entry, dict) and kind in entry]
        if isinstance(entry, dict) and len(kinds) != 1:
            yield (i,), "names one of `teams`, `slack` and `webhook`, with its secret"
        if len(kinds) != 1 or not isinstance(secret := entry[kinds[0]], str):
            continue
        if secret in here:
            yield (i, kinds[0]), f"names {secret} a second time in this list"
        here.add(secret)
        if "signing" in entry and kinds != ["webhook"]:
            yield (i, "signing"), "is for a `webhook`: no other kind knows signatures"
        elif entry.get("signing") == secret:
            yield (i, "signing"), "names the secret with the address: the key is another one"
        said = kinds[0], entry.get("signing")
        if known.setdefault(secret, said) != said:
            yield (i, kinds[0]), f"names {secret}, which has another kind or key elsewhere"


def _channel(entry: Entry) -> Channel:
    kind = next(kind for kind in KINDS if kind in entry)
    about = frozenset(map(Happening, entry["about"])) if "about" in entry else BY_ITSELF
    return Channel(kind=kind, secret=entry[kind], about=about, signing=entry.get("signing"))
