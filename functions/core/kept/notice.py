"""What people are told of: a notice for each channel, and what became of it."""

from __future__ import annotations

import hashlib
from datetime import datetime  # noqa: TC003 - msgspec reads the annotations

from msgspec import Struct

from functions.core.terms.runs import Key  # noqa: TC001 - msgspec reads it to decode
from functions.core.terms.words import Happening  # noqa: TC001 - the same

DIGITS = 16


class Notice(Struct, frozen=True, kw_only=True):
    """One happening that one channel is to be told of, with all that may be said of it.

    `channel` is its name; empty while no route file tells who is told. `of` is what it is about, in
    hex digits, `at` when it happened, and `since` when that was noticed. Of a continuation `key`
    and what follows, as names may be shown; `saw` are the facts that its gate saw, `ended` how its
    pipeline run did, `service` which one has that. Of a secret its name, and when it `ends`. Of a
    route that awaits a run its name is `awaits`. `file` stands for the route file that claimed it.
    """

    channel: str
    about: Happening
    of: str
    at: datetime
    since: datetime
    key: Key | None = None
    workspace: str = ""
    experiment: str = ""
    reason: str = ""
    saw: str = ""
    pipeline_run: int | None = None
    url: str = ""
    ended: str = ""
    secret: str = ""
    ends: datetime | None = None
    awaits: str = ""
    service: str = ""
    file: str = ""

    @property
    def id(self) -> str:
        """The same for the same happening and channel, whoever notices it."""
        whole = f"{self.channel}|{self.about}|{self.of}|{self.at.isoformat()}"
        return hashlib.sha256(whole.encode()).hexdigest()[:DIGITS]

    @property
    def route(self) -> str:
        """The route on which it happened; empty where it is about none."""
        return self.key.route if self.key else self.awaits


class Told(Struct, frozen=True, kw_only=True):
    """What became of a notice, at `at`: it was told, or `why` it was not, or perhaps was."""

    channel: str
    about: Happening
    at: datetime
    why: str = ""

    @property
    def words(self) -> str:
        """As people read it, without the time."""
        return f"{self.channel} of {self.about}" + (f": {self.why}" if self.why else "")


class Message(Struct, frozen=True, kw_only=True):
    """Notices of one channel, kind, route, reason and end that go together, the oldest first.

    Its `id` stays the same if it is sent again. `about` is None, and there are no notices, where it
    is only to be seen whether it arrives.
    """

    id: str
    at: datetime
    about: Happening | None = None
    notices: tuple[Notice, ...] = ()
