"""Tokens that are kept: a good one is handed out whatever the endpoint does, and asked for once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from azure.core.credentials import AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError

from functions.adapters.entra_tokens import IdentityUnavailable, KeptTokens, waiting
from functions.adapters.entra_tokens.held import beside
from tests.stage.azure import MovableClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenRequestOptions

    from functions.adapters.entra_tokens import Heard

SCOPE = "https://management.azure.com/.default"
DAY = 24 * 3600


class Endpoint:
    """An identity endpoint, asked when `work` lets it; `fails` and `lasts` tell how it answers."""

    def __init__(self, *, at_once: bool = True, threads: bool = False) -> None:
        self.clock = MovableClock()
        self.asked: list[TokenRequestOptions] = []
        self.told: list[str] = []
        self.fails: Exception | None = None
        self.lasts = DAY
        self.waiting: list[Callable[[], None]] = []
        self.hangs: threading.Event | None = None
        self.at_once = at_once
        run = beside if threads else self._run
        self.tokens = KeptTokens(self._answer, self.clock, self.told.append, run)

    def _run(self, work: Callable[[], None]) -> None:
        if self.at_once:
            work()
        else:
            self.waiting.append(work)

    def _answer(
        self, _heard: Heard, _scopes: tuple[str, ...], options: TokenRequestOptions
    ) -> AccessTokenInfo:
        self.asked.append(options)
        if self.hangs:
            assert self.hangs.wait(20)
        if self.fails:
            raise self.fails
        ends = int(self.clock.now().timestamp()) + self.lasts
        return AccessTokenInfo(f"token-{len(self.asked)}", ends)

    def answer(self) -> None:
        """Let all that began be answered."""
        work, self.waiting = self.waiting, []
        for each in work:
            each()

    def token(self, claims: str = "") -> str:
        options: TokenRequestOptions = {"claims": claims} if claims else {}
        return self.tokens.get_token_info(SCOPE, options=options).token

    def fail(self) -> None:
        self.fails = ClientAuthenticationError("busy")


def test_a_token_is_asked_for_once_in_the_first_half_of_its_life() -> None:
    endpoint = Endpoint()
    assert endpoint.token() == "token-1"
    endpoint.clock.forward(hours=11)
    assert (endpoint.token(), len(endpoint.asked)) == ("token-1", 1)


def test_tokens_for_other_scopes_tenants_and_evaluations_are_others() -> None:
    endpoint = Endpoint()
    given: list[TokenRequestOptions] = [{}, {"tenant_id": "t"}, {"enable_cae": True}]
    for _ in range(2):
        found = [endpoint.tokens.get_token_info(SCOPE, options=o).token for o in given]
        assert found == ["token-1", "token-2", "token-3"]
        assert endpoint.tokens.get_token("https://vault.azure.net/.default").token == "token-4"
    assert endpoint.asked == [
        {"enable_cae": False},
        {"enable_cae": False, "tenant_id": "t"},
        {"enable_cae": True},
        {"enable_cae": False},
    ]


def test_in_the_second_half_one_thread_renews_and_all_others_go_on() -> None:
    endpoint = Endpoint()
    endpoint.token()
    endpoint.at_once = False
    endpoint.clock.forward(hours=13)
    assert [endpoint.token() for _ in range(5)] == ["token-1"] * 5
    assert len(endpoint.waiting) == 1
    endpoint.answer()
    assert [endpoint.token() for _ in range(5)] == ["token-2"] * 5
    assert len(endpoint.asked) == 2


def test_after_a_failed_renewal_there_is_a_pause_that_grows() -> None:
    endpoint = Endpoint()
    endpoint.token()
    endpoint.clock.forward(hours=13)
    endpoint.fail()
    for seconds in (29, 2, 58, 3, 118, 3, 298, 3, 298):  # 30, 60, 120, 300 and 300 are passed
        assert endpoint.token() == "token-1"
        endpoint.clock.forward(seconds=seconds)
    assert len(endpoint.asked) == 1 + 5
    assert len(endpoint.told) == 5
    endpoint.fails = None
    endpoint.clock.forward(seconds=3)
    endpoint.token()
    assert endpoint.token() == "token-7"


def test_the_renewals_failure_is_told_and_the_calls_never_see_it() -> None:
    endpoint = Endpoint()
    endpoint.token()
    endpoint.clock.forward(hours=23, minutes=59, seconds=20)
    endpoint.fail()
    assert endpoint.token() == "token-1"
    assert endpoint.told == [f"no token for {SCOPE}: the identity endpoint gave no answer: busy"]


def test_a_token_that_is_about_to_end_is_waited_for() -> None:
    endpoint = Endpoint()
    endpoint.token()
    endpoint.clock.forward(hours=23, minutes=59, seconds=45)
    assert endpoint.token() == "token-2"


def test_clients_are_told_when_to_ask_again() -> None:
    endpoint = Endpoint()
    now = endpoint.clock.now().timestamp()
    found = endpoint.tokens.get_token_info(SCOPE)
    assert found.expires_on == pytest.approx(now + DAY, abs=20)
    assert found.refresh_on == pytest.approx(now + DAY / 2, abs=20)


def test_without_a_good_token_a_failure_is_shared_for_five_seconds() -> None:
    endpoint = Endpoint()
    endpoint.fail()
    for _ in range(8):
        with pytest.raises(IdentityUnavailable, match="the identity endpoint"):
            endpoint.token()
    assert len(endpoint.asked) == 1
    endpoint.fails = None
    endpoint.clock.forward(seconds=6)
    assert endpoint.token() == "token-2"


@pytest.mark.parametrize("fails", [False, True])
def test_those_who_come_at_once_share_one_answer_and_one_failure(*, fails: bool) -> None:
    endpoint, here = Endpoint(threads=True), threading.Barrier(5)
    endpoint.hangs = answering = threading.Event()
    if fails:
        endpoint.fail()

    def call(_: int) -> str:
        if here.wait(20) == 0:
            answering.set()
        try:
            return endpoint.token()
        except IdentityUnavailable as error:
            return error.message

    with ThreadPoolExecutor(5) as pool:
        answers = set(pool.map(call, range(5)))
    assert len(answers) == len(endpoint.asked) == 1
    assert ("busy" in answers.pop()) is fails


def test_a_call_waits_no_longer_than_it_may() -> None:
    endpoint = Endpoint(at_once=False)
    with waiting(0), pytest.raises(IdentityUnavailable, match="not answered in time"):
        endpoint.token()
    endpoint.answer()  # late, and still of use
    assert endpoint.token() == "token-1"
    assert len(endpoint.asked) == 1


def test_a_fetch_that_never_ends_keeps_nobody_from_asking_again() -> None:
    endpoint = Endpoint()
    endpoint.token()
    endpoint.at_once = False
    endpoint.clock.forward(hours=13)
    endpoint.token()
    endpoint.clock.forward(seconds=19)
    endpoint.token()
    assert len(endpoint.waiting) == 1
    endpoint.clock.forward(seconds=2)
    assert [endpoint.token(), len(endpoint.waiting)] == ["token-1", 2]
    endpoint.waiting.pop(0)
    endpoint.answer()
    assert endpoint.token() == "token-2"


def test_a_hanging_renewal_lets_the_process_end() -> None:
    endpoint = Endpoint(threads=True)
    endpoint.token()
    endpoint.hangs = threading.Event()
    endpoint.clock.forward(hours=13)
    assert endpoint.token() == "token-1"
    (renewing,) = [t for t in threading.enumerate() if t.name == "token"]
    assert renewing.daemon
    endpoint.hangs.set()
    renewing.join(20)
    assert endpoint.token() == "token-2"


def test_a_claims_challenge_goes_through_and_its_token_takes_the_place() -> None:
    endpoint = Endpoint()
    endpoint.token()
    assert endpoint.token(claims='{"nbf": 1}') == "token-2"
    assert endpoint.asked[-1] == {"enable_cae": False, "claims": '{"nbf": 1}'}
    assert endpoint.token() == "token-2"


def test_a_claims_challenge_that_fails_is_the_callers_alone() -> None:
    endpoint = Endpoint()
    endpoint.token()
    endpoint.fail()
    with pytest.raises(IdentityUnavailable):
        endpoint.token(claims="{}")
    assert endpoint.token() == "token-1"


def test_a_refused_token_is_renewed_beside_the_calls() -> None:
    endpoint = Endpoint()
    endpoint.token()
    endpoint.at_once = False
    endpoint.clock.forward(minutes=2)
    for _ in range(3):
        endpoint.tokens.refused("token-1")
    assert (endpoint.token(), len(endpoint.waiting)) == ("token-1", 1)
    endpoint.answer()
    assert endpoint.token() == "token-2"


def test_a_service_that_refuses_every_token_costs_one_request_a_minute() -> None:
    endpoint = Endpoint()
    for _ in range(10 * 6):
        endpoint.tokens.refused(endpoint.token())
        endpoint.clock.forward(seconds=10)
    assert len(endpoint.asked) == 10


def test_a_refused_token_is_the_best_there_is_while_there_is_no_other() -> None:
    endpoint = Endpoint()
    endpoint.token()
    endpoint.clock.forward(minutes=2)
    endpoint.fail()
    endpoint.tokens.refused("token-1")
    assert endpoint.token() == "token-1"
    endpoint.tokens.refused("token-1")  # in the pause
    assert len(endpoint.asked) == 2


def test_a_token_that_nobody_holds_is_refused_for_nothing() -> None:
    endpoint = Endpoint()
    endpoint.token()
    endpoint.clock.forward(minutes=2)
    endpoint.tokens.refused("")
    endpoint.tokens.refused("token-0")
    assert (endpoint.token(), len(endpoint.asked)) == ("token-1", 1)


def test_who_wants_a_newer_one_waits_for_it_and_takes_the_old_without() -> None:
    endpoint = Endpoint()
    endpoint.token()
    endpoint.tokens.renew(SCOPE)
    assert len(endpoint.asked) == 1  # it is new
    endpoint.clock.forward(minutes=2)
    endpoint.tokens.renew(SCOPE)
    assert endpoint.token() == "token-2"
    endpoint.clock.forward(minutes=2)
    endpoint.fail()
    endpoint.tokens.renew(SCOPE)
    assert endpoint.token() == "token-2"


@pytest.mark.parametrize("lasts", [10**30, 3650 * DAY])
def test_no_token_is_believed_to_last_longer_than_a_day(lasts: int) -> None:
    endpoint = Endpoint()
    endpoint.lasts = lasts
    now = endpoint.clock.now().timestamp()
    assert endpoint.tokens.get_token(SCOPE).expires_on <= now + DAY + 20
    endpoint.clock.forward(hours=13)
    endpoint.token()
    assert endpoint.token() == "token-2"


def test_a_short_lived_token_is_used_once() -> None:
    endpoint = Endpoint()
    endpoint.lasts = 20
    assert [endpoint.token(), endpoint.token()] == ["token-1", "token-2"]


@pytest.mark.parametrize("lasts", [0, -5, -(10**30)])
def test_a_token_that_has_ended_is_none(lasts: int) -> None:
    endpoint = Endpoint()
    endpoint.lasts = lasts
    with pytest.raises(IdentityUnavailable):
        endpoint.token()
