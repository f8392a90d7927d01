"""The tokens of a GitHub App, asked for by many threads at once."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.structures import CaseInsensitiveDict

from functions.adapters.github.app_tokens import AppTokens
from functions.adapters.http.transport import Answer, Transport
from functions.core.terms.deadline import Clock, Deadline
from functions.core.terms.errors import Retryable
from functions.core.terms.pipelines import Credential, Sender

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 16
OWN = CaseInsensitiveDict({"X-GitHub-Request-Id": "1", "Content-Type": "application/json"})
SENDER, OTHER = Sender("github:contoso", "key"), Sender("github:fabrikam", "key")


class Gathering:
    """A clock that knows how many threads have asked it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 30, 12, tzinfo=UTC)
        self._lock, self._seconds = threading.Lock(), 0.0
        self._came, self._number = set[int](), 0
        self.all_came = threading.Event()
        self.all_came.set()

    def expect(self, number: int) -> None:
        """Let nobody be answered before so many threads have asked for the time."""
        self._came, self._number = set(), number
        self.all_came.clear()

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        with self._lock:
            self._seconds += 0.001
            self._came.add(threading.get_ident())
            if len(self._came) >= self._number:
                self.all_came.set()
            return self._seconds

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class GitHub:
    """Answers once all who are expected have asked for a token."""

    def __init__(self, clock: Gathering) -> None:
        self._clock = clock
        self.made: list[str] = []
        self.status = 201

    def read(self, url: str, *_: object, body: object = None, **__: object) -> Answer:
        self._clock.all_came.wait()
        if body is None:
            every = [
                {"id": n, "account": {"login": login}}
                for n, login in enumerate(("contoso", "fabrikam"), 1)
            ]
            return Answer(200, OWN, json.dumps(every).encode())
        self.made.append(f"ghs_{len(self.made)}")
        ends = (self._clock.at + timedelta(hours=1)).isoformat()
        told = {"token": self.made[-1], "expires_at": ends, "asked": url}
        return Answer(self.status, OWN, json.dumps(told).encode())


def key(version: str) -> Credential:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    pem = made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return Credential(authorization=pem.decode(), version=version)


FIRST, SECOND = key("1"), key("2")


@pytest.fixture
def clock() -> Gathering:
    return Gathering()


@pytest.fixture
def github(clock: Gathering) -> GitHub:
    return GitHub(clock)


@pytest.fixture
def tokens(clock: Gathering, github: GitHub) -> AppTokens:
    return AppTokens(cast("Transport", github), "https://api", "Iv1", cast("Clock", clock))


def together(clock: Gathering, call: Callable[[int, Deadline], Credential]) -> list[Any]:
    """What all of them get, none of whom comes when another has been answered."""
    deadlines = [Deadline(cast("Clock", clock), 20) for _ in range(THREADS)]
    clock.expect(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, range(THREADS), deadlines))


def test_one_is_made_for_all_who_ask_at_once(
    clock: Gathering, github: GitHub, tokens: AppTokens
) -> None:
    found = together(clock, lambda _, deadline: tokens.of(SENDER, FIRST, deadline))
    assert {one.authorization for one in found} == {"Bearer ghs_0"}
    assert len(github.made) == 1


def test_one_is_made_anew_for_all_whose_token_was_refused(
    clock: Gathering, github: GitHub, tokens: AppTokens
) -> None:
    tokens.of(SENDER, FIRST, Deadline(cast("Clock", clock), 20))
    found = together(clock, lambda _, deadline: tokens.of(SENDER, FIRST, deadline, fresh=True))
    assert {one.authorization for one in found} == {"Bearer ghs_1"}
    assert len(github.made) == 2


def test_who_asks_at_once_for_two_owners_and_two_keys_gets_the_right_one(
    clock: Gathering, github: GitHub, tokens: AppTokens
) -> None:
    cases = [(sender, one) for sender in (SENDER, OTHER) for one in (FIRST, SECOND)]
    found = together(clock, lambda n, deadline: tokens.of(*cases[n % 4], deadline))
    assert len(github.made) == 4
    for n in range(4):
        assert len({one.authorization for one in found[n::4]}) == 1
        assert {one.version for one in found[n::4]} == {cases[n][1].version}


def test_a_refusal_is_told_to_all_and_nothing_of_it_is_kept(
    clock: Gathering, github: GitHub, tokens: AppTokens
) -> None:
    def refused(_: int, deadline: Deadline) -> Credential:
        with pytest.raises(Retryable, match="no token of the GitHub App for contoso"):
            tokens.of(SENDER, FIRST, deadline)
        return FIRST

    github.status = 403
    assert len(together(clock, refused)) == THREADS
    github.status = 201
    found = tokens.of(SENDER, FIRST, Deadline(cast("Clock", clock), 20))
    assert found.authorization == f"Bearer {github.made[-1]}"
