"""Where a process can be cut: after which call, and before which."""

from __future__ import annotations

from enum import StrEnum


class Point(StrEnum):
    """Where the path can be cut. Between leaving and answer, the test cuts from outside."""

    CLAIMED = "after the claim"
    READ = "after the run is read"
    SECRET = "after the secret"
    ASKED = "after the ask and before the POST"
    SENT = "after the POST left and before its answer"
    ANSWERED = "after the answer and before the settling"
    SETTLED = "after the settling and before the acknowledgement"


class Later(StrEnum):
    """The same in a round that follows what was started to its end."""

    FOLLOWED = "after it is followed and before it leaves the schedule"
    LOOKED = "after its build has ended and before that is written"
    ENDED = "after its end is written and before that is listed"
    SHOWN = "after its end is listed and before it is told"
    DROPPED = "after it is followed no more"


class Queued(StrEnum):
    """The same where only one of a group may go on at once."""

    PLACED = "after the group's place is taken and before the mark"
    CALLED = "after a place is taken for one that waits and before it waits no more"
    SUPERSEDED = "after one is superseded and before it leaves the schedule"


class Telling(StrEnum):
    """The same where people are told."""

    NOTICED = "after it is noticed and before it leaves the schedule"
    LEAVES = "after the channel's row says what leaves and before the POST"
    SENT = "after the POST and before the ledger knows"
    KNOWN = "after the ledger knows and before the channel is let go"


class Going(StrEnum):
    """The same where something goes on by an end."""

    CLAIMED = "after it is claimed and before the end is told"
    ASKED = "after its ask and before its POST"
    ANSWERED = "after the answer to it and before its settling"
    SETTLED = "after its settling and before it leaves the schedule"


class Joining(StrEnum):
    """The same where a run is a member of a join, and where its joint one goes on."""

    SEEN = "after the joint one is looked for and before it is written"
    BEGUN = "after the joint one is claimed and before it has any member"
    TAKEN_IN = "after the member is written into it and before it is scheduled"
    SCHEDULED = "after it is scheduled and before the member ends"
    ENDED = "after the member has ended and before the acknowledgement"
    RESUMED = "after the joint one is resumed and before it is decided"


class Promoting(StrEnum):
    """The same in a sweep that finds a promotion, before and after its start."""

    LOOKED = "after the registry is read and before it is written what is owed"
    OWED = "after it is written what is owed and before that is claimed"
    PAID = "after it is written that nothing is owed"


class Answering(StrEnum):
    """The same where a waiting task is answered."""

    NOTED = "after the answer is noted and before it is given"
    GIVEN = "after it is given and before the ledger knows"
    KNOWN = "after the ledger knows and before its end is followed no more"


class Expecting(StrEnum):
    """The same where a run should have come."""

    AWAITED = "after it is noted until when one is awaited"
    LATE = "after it is noted that none came and before anybody is to be told"
    HEARD = "after it is noted who is to be told and before the round goes on"


Anywhere = Point | Later | Queued | Telling | Going | Joining | Promoting | Answering | Expecting
