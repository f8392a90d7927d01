"""How long and how often a wait looks, on a clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.words import Outcome
from relay.waiting import statuses
from relay.waiting.job import Kind, Trouble
from relay.waiting.polling import Elapsed, End, Limits, Polling, Tell, TimedOut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relay.waiting.statuses import Status

YEAR = timedelta(days=365).total_seconds()
BUSY = Trouble(Kind.UNREADABLE, "answered 503")
THROTTLED = Trouble(Kind.UNREADABLE, "answered 429", retry_after=45.0)
GONE = Trouble(Kind.NOT_FOUND, "answered 404")
REFUSED = Trouble(Kind.REFUSED, "answered 403")


class Time:
    """A clock that moves on only while somebody pauses."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def pause(self, seconds: float) -> None:
        assert seconds > 0
        self.seconds += seconds
        assert self.seconds < YEAR, "it waits for ever"

    def sleep(self, seconds: float) -> None:
        self.pause(seconds)


class Scripted:
    """A run that answers each look with the next word or trouble, and repeats the last one."""

    def __init__(self, time: Time, script: Sequence[str | Trouble]) -> None:
        self._time = time
        self._script = list(script)
        self.looks: list[float] = []

    def status(self) -> Status:
        self.looks.append(self._time.seconds)
        found = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(found, Trouble):
            raise found
        return statuses.status(found)

    @property
    def pauses(self) -> list[float]:
        return [round(b - a, 2) for a, b in zip(self.looks, self.looks[1:], strict=False)]


class Scene:
    def __init__(self, *script: str | Trouble, timeout: float | None = None) -> None:
        self.time = Time()
        self.run = Scripted(self.time, script)
        self._elapsed = Elapsed(self.time, timeout)
        self.told: list[str] = []

    def wait(self, *, patience: float = 600, every: float = 60, sure: bool = False) -> End:
        tell = Tell(lambda status: self.told.append(str(status)), self.told.append)
        limits = Limits(patience, every)
        wait = Polling(self.run, self._elapsed, limits, tell, self.time.pause, sure=sure)
        return wait.ended()


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        *((word, Outcome.COMPLETED) for word in ("Completed", "FINISHED")),
        *((word, Outcome.FAILED) for word in ("Failed", "FAILED")),
        *((word, Outcome.CANCELED) for word in ("Canceled", "KILLED")),
    ],
)
def test_these_words_and_no_others_are_an_end(word: str, outcome: Outcome) -> None:
    assert Scene("Running", word).wait() == End(outcome, word)


@pytest.mark.parametrize(
    "word",
    [
        *("NotStarted", "Scheduled", "Starting", "Provisioning", "Preparing", "Queued", "Running"),
        *("Finalizing", "CancelRequested", "SCHEDULED", "RUNNING"),
    ],
)
def test_a_run_that_goes_on_is_waited_for_however_long(word: str) -> None:
    scene = Scene(*[word] * 2000, "Completed")
    scene.wait(patience=1)
    assert scene.time.seconds > timedelta(days=1).total_seconds()
    assert scene.told == [word, "Completed"]


@pytest.mark.parametrize(
    "word", ["", "Unknown", "NotResponding", "Paused", "Succeeded", "COMPLETED", "finished"]
)
def test_an_unclear_word_is_never_an_end_and_costs_patience(word: str) -> None:
    scene = Scene("Running", word)
    with pytest.raises(Trouble, match="its status is still"):
        scene.wait(patience=600)
    assert 600 <= scene.time.seconds < 700


def test_a_status_that_is_no_text_is_none() -> None:
    odd: list[object] = [None, 7, ["Completed"], {}]
    assert [statuses.status(found).word for found in odd] == [""] * 4


def test_it_looks_often_at_first_and_at_least_once_a_minute_later() -> None:
    scene = Scene(*["Running"] * 20, "Completed")
    scene.wait()
    assert scene.run.pauses[:4] == [2, 3, 4.5, 6.75]
    assert sorted(scene.run.pauses) == scene.run.pauses
    assert scene.run.pauses[-1] == 60


def test_after_a_change_it_looks_often_again() -> None:
    scene = Scene(*["Queued"] * 20, "Running", "Running", "Completed")
    scene.wait()
    assert scene.run.pauses[-2:] == [2, 3]


def test_it_leaves_a_service_alone_as_long_as_that_asks() -> None:
    scene = Scene("Running", THROTTLED, "Running", "Completed")
    scene.wait()
    assert scene.run.pauses == [2, 45, 2]


def test_trouble_is_told_once_and_so_is_its_end() -> None:
    scene = Scene("Running", BUSY, BUSY, BUSY, "Running", "Completed")
    scene.wait()
    assert scene.told == ["Running", "answered 503", "Running", "Completed"]


def test_patience_begins_anew_when_the_run_was_read() -> None:
    flaky: list[str | Trouble] = [*[BUSY] * 5, "Running"]
    scene = Scene(*flaky * 20, "Completed")
    assert scene.wait(patience=300).outcome is Outcome.COMPLETED
    assert scene.time.seconds > 300


def test_patience_ends_where_trouble_and_unclear_words_follow_each_other() -> None:
    unclear: list[str | Trouble] = [BUSY, "Unknown"]
    scene = Scene("Running", *unclear * 200)
    with pytest.raises(Trouble):
        scene.wait(patience=300)
    assert scene.time.seconds < 400


@pytest.mark.parametrize("trouble", [GONE, REFUSED])
def test_what_was_never_read_and_is_not_there_or_forbidden_ends_at_once(trouble: Trouble) -> None:
    scene = Scene(trouble)
    with pytest.raises(Trouble) as raised:
        scene.wait()
    assert (raised.value.kind, scene.time.seconds) == (trouble.kind, 0)


@pytest.mark.parametrize("trouble", [GONE, REFUSED])
def test_what_was_read_before_may_be_away_for_a_while(trouble: Trouble) -> None:
    assert Scene("Running", trouble, trouble, "Completed").wait().word == "Completed"


def test_a_job_that_was_just_submitted_may_not_be_there_yet() -> None:
    assert Scene(GONE, GONE, "Completed").wait(sure=True).word == "Completed"


def test_a_job_that_never_appears_is_not_found() -> None:
    scene = Scene(GONE)
    with pytest.raises(Trouble) as raised:
        scene.wait(sure=True, patience=60)
    assert raised.value.kind is Kind.NOT_FOUND


def test_a_timeout_is_kept_to_the_second_and_looks_once_more() -> None:
    scene = Scene("Running", timeout=100)
    with pytest.raises(TimedOut):
        scene.wait()
    assert scene.run.looks[-1] == scene.time.seconds == 100


def test_a_run_that_ends_as_the_time_is_up_has_ended() -> None:
    scene = Scene("Running", "Completed", timeout=1)
    assert scene.wait().word == "Completed"


def test_trouble_does_not_stretch_a_timeout() -> None:
    scene = Scene("Running", THROTTLED, timeout=10)
    with pytest.raises(TimedOut):
        scene.wait()
    assert scene.time.seconds == 10
