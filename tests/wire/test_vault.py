"""Many deliveries want the same secret at once: one asks for all, and its failure is everyone's."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from azure.core.exceptions import ServiceResponseTimeoutError

from functions.adapters.clock import SystemClock
from functions.adapters.http.authorizing import basic
from functions.adapters.vault import VaultCredentials
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretClient

    from functions.core.terms.pipelines import Credential

CALLERS = 4
EXPIRES = datetime(2030, 1, 1, tzinfo=UTC)


class Queue(SystemClock):
    """A clock that tells when every caller has come."""

    def __init__(self) -> None:
        self._asked = 0
        self._changed = threading.Condition()

    def monotonic(self) -> float:
        with self._changed:
            self._asked += 1
            self._changed.notify_all()
        return super().monotonic()

    def wait_for(self, callers: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._asked >= callers, timeout=20)


class Vault:
    """A vault that answers once every caller waits; `fails` tells how."""

    def __init__(self, *, fails: bool, callers: int = CALLERS) -> None:
        self.queue = Queue()
        self.fails = fails
        self.gets = 0
        self.asked = threading.Event()
        self.slow: threading.Event | None = None
        self._callers = callers
        client = cast("SecretClient", self)
        self._credentials = VaultCredentials(client, self.queue)

    def get_secret(self, name: str, **_: float) -> SimpleNamespace:
        self.gets += 1
        self.asked.set()
        self.queue.wait_for(self._callers)
        if self.slow:
            assert self.slow.wait(20)
        if self.fails:
            raise ServiceResponseTimeoutError(f"{name}: no answer")
        return SimpleNamespace(
            value="pat", properties=SimpleNamespace(name=name, version="v1", expires_on=EXPIRES)
        )

    def read(
        self, name: str = "pat", *, seconds: float = 60, fresh: bool = False
    ) -> Credential | Retryable:
        """What a delivery with so much time left gets."""
        try:
            return self._credentials.read(name, Deadline(SystemClock(), seconds), fresh=fresh)
        except Retryable as error:
            return error

    def read_by_all(self, *, fresh: bool) -> list[Credential | Retryable]:
        with ThreadPoolExecutor(CALLERS) as pool:
            return list(pool.map(lambda _: self.read(fresh=fresh), range(CALLERS)))


@pytest.mark.parametrize("fresh", [False, True])
def test_those_who_waited_share_the_answer(fresh: bool) -> None:
    vault = Vault(fails=False)
    answers = vault.read_by_all(fresh=fresh)
    assert [a.authorization for a in answers if not isinstance(a, Retryable)] == [
        basic("pat")
    ] * CALLERS
    assert vault.gets == 1


@pytest.mark.parametrize("fresh", [False, True])
def test_those_who_waited_share_the_failure_instead_of_failing_in_turn(fresh: bool) -> None:
    vault = Vault(fails=True)
    errors = vault.read_by_all(fresh=fresh)
    assert [e.reason for e in errors if isinstance(e, Retryable)] == (
        [Reason.SECRET_UNREADABLE] * CALLERS
    )
    assert vault.gets == 1


def test_who_comes_after_a_failure_asks_anew() -> None:
    vault = Vault(fails=True, callers=1)
    assert isinstance(vault.read(), Retryable)
    vault.fails = False
    assert not isinstance(vault.read(), Retryable)
    assert vault.gets == 2


def test_who_has_no_time_left_does_not_wait_for_the_others() -> None:
    vault = Vault(fails=False, callers=3)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(vault.read)
        assert vault.asked.wait(20)
        late = vault.read(seconds=0)
        vault.queue.monotonic()  # the third: the first one is answered only now
        assert not isinstance(first.result(), Retryable)
    assert isinstance(late, Retryable)
    assert "not answered others in time" in late.detail


def test_a_secret_that_is_known_does_not_wait_for_another_one() -> None:
    vault = Vault(fails=False, callers=1)
    known = vault.read("known")
    vault.slow = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        vault.asked.clear()
        slow = pool.submit(vault.read, "slow")
        assert vault.asked.wait(20)
        again = vault.read("known", seconds=0)
        vault.slow.set()
        assert not isinstance(slow.result(), Retryable)
    assert again == known


class Odd:
    """A client of a vault that fails as the SDK does at answers of another shape."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_secret(self, name: str, **_: float) -> SimpleNamespace:
        del name
        raise self._error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RecursionError("maximum depth"), "Key Vault's answer is nested more than 100 deep"),
        (OverflowError("int too large"), "OverflowError: int too large"),
    ],
)
def test_whatever_the_sdk_fails_at_is_the_vaults_failure(error: Exception, told: str) -> None:
    credentials = VaultCredentials(cast("SecretClient", Odd(error)), SystemClock())
    with pytest.raises(Retryable) as raised:
        credentials.read("pat", Deadline(SystemClock(), 20))
    assert (raised.value.reason, raised.value.detail) == (
        Reason.SECRET_UNREADABLE,
        f"secret pat: {told}",
    )
