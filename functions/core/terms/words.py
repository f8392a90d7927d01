"""Words that the ledger keeps: how a run ended, where a continuation stands, what it waits on."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import ClassVar, Self

PAUSED = "paused"  # what those wait on who wait for the app to go on
LINE, GROUP = "limit/", "group/"  # how it begins for a route's limit, and for a group
JOIN = "join/"  # the same of who waits for the other runs of a join
IN_DOUBT = "in doubt"


class Word(StrEnum):
    """A word of the ledger: one that is known, or one of that form that another version may know.

    What this version does not know has no name, and is in none of its lists.
    """

    _form: ClassVar[re.Pattern[str]]

    def __init_subclass__(cls, *, form: str) -> None:
        super().__init_subclass__()
        cls._form = re.compile(form)

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str) or not cls._form.fullmatch(value):
            return None
        made = str.__new__(cls, value)
        made._name_, made._value_ = "", value
        return made

    @property
    def is_known(self) -> bool:
        """Whether this version knows what it means."""
        return bool(self._name_)


class Outcome(Word, form=r"[A-Z][A-Za-z0-9]{0,60}"):
    """How a run ended (one that is still going has none), or what else the news is about.

    Another version of the app may know more of them, as of states: what is about one is shown, and
    left to who knows it.
    """

    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"
    NOT_RESPONDING = "NotResponding"
    MODEL_REGISTERED = "ModelRegistered"
    MODEL_DEPLOYED = "ModelDeployed"
    MODEL_PROMOTED = "ModelPromoted"  # no event tells it: the sweep finds it
    DRIFT_DETECTED = "DatasetDriftDetected"
    JOINED = "Joined"  # several runs have ended: about them all, and about no run

    @property
    def ends_run(self) -> bool:
        """Whether it is about a run's end."""
        return self in ENDS


ENDS = (Outcome.COMPLETED, Outcome.FAILED, Outcome.CANCELED, Outcome.NOT_RESPONDING)


class State(Word, form=r"[a-z][a-z0-9_ -]{0,30}"):
    """Where a continuation stands; all but `open` are ends, and `started` is never overwritten.

    Another version of the app may know more of them. A word that can be one is a state like these,
    which none of the lists of states has: it is shown, and left to who knows it.
    """

    OPEN = "open"
    STARTED = "started"
    HELD = "held"
    SKIPPED = "skipped"
    FAILED = "failed"

    @property
    def may_be_open(self) -> bool:
        """Whether work may be left to do: in what is not known somebody else may see some."""
        return self is State.OPEN or not self.is_known


class Ending(Word, form=r"[A-Za-z][A-Za-z0-9_]{0,30}"):
    """How a pipeline run ended, in Azure DevOps' words, and `lost`: nobody can tell.

    Another version of the app may know more of them: what is not known is shown.
    https://learn.microsoft.com/rest/api/azure/devops/build/builds/list?view=azure-devops-rest-7.1#buildresult
    """

    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partiallySucceeded"
    FAILED = "failed"
    CANCELED = "canceled"
    LOST = "lost"


class Happening(Word, form=r"[a-z][a-z0-9_]{0,30}"):
    """What people are told of; the words are those of `about` in the route file.

    Another version of the app may know more of them.
    """

    HELD = "held"
    GATE = "gate"  # held by its gate's no
    FAILED = "failed"
    ENDED_BADLY = "ended_badly"  # the pipeline run that was started
    ENDED = "ended"  # the same, however: where a step of `then` tells
    CREDENTIAL = "credential"  # a secret that ends soon, or has ended
    OVERDUE = "overdue"  # no run of the route had ended by the time that it expects
    CAME = "came"  # one has, after that
    STILL_HELD = "still_held"  # for longer than the route expects
    GOES_ON = "goes_on"  # what was


def line(route: str) -> str:
    """What those wait on who wait for the route's limit."""
    return f"{LINE}{route}"


def stands_as(state: State, *, in_doubt: bool) -> str:
    """A state as lists and headlines say it: what is open and in doubt is looked for, not due."""
    if not in_doubt:
        return str(state)
    return IN_DOUBT if state is State.OPEN else f"{state}, {IN_DOUBT}"
