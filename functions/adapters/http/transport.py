"""HTTP for the adapters: a thin shell that bounds time and size and says whether bytes left.

Wire knowledge is in the adapters, as functions of an Answer.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from functions.adapters.http.concealing import concealed, secrets_in
from functions.adapters.http.losses import NoAnswerError, NotSentError, translated
from functions.adapters.http.session import Call, SteadySession
from functions.core.texts import jsontext

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from functions.core.terms.deadline import Deadline

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
LONGEST_BODY = 16 * 1024 * 1024
IDLE_SECONDS = 60.0  # below the 4 minutes after which Azure's load balancers forget a connection
MOST_ANSWERED = 1000  # runs of which it is known that they are somebody's


class Answer(NamedTuple):
    """What came back. Header names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is anything until looked at
        """The body as JSON, None where it is none."""
        try:
            return jsontext.read(self.body)
        except ValueError:
            return None

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait as the service asks, from either form of Retry-After.

        https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
        """
        text = self.headers.get("Retry-After", "").strip()
        if text.isdecimal():
            return float(text[:9])
        try:
            there = self.headers.get("Date")
            then = parsedate_to_datetime(text).timestamp()
            now = parsedate_to_datetime(there).timestamp() if there else time.time()
        except (TypeError, ValueError, OverflowError):
            return None
        return max(0.0, then - now)

    @property
    def is_scarce(self) -> bool:
        """Whether more than half of what this credential may ask, for now, is used up.

        https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
        https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
        """
        try:
            limit, left = (float(self.headers[f"X-RateLimit-{n}"]) for n in ("Limit", "Remaining"))
        except (KeyError, ValueError):
            return False
        return left * 2 < limit

    def without(self, secrets: Iterable[str]) -> Answer:
        """The answer without these texts."""
        return Answer(self.status, *concealed(self.headers, self.body, secrets))


class Answered:
    """The runs that requests were answered with: what is told a second time is another's."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, object] = OrderedDict()

    def is_new(self, run: Hashable) -> bool:
        """Whether no request before was answered with it, as far as this process knows.

        Each step is done whole, whichever threads ask at once.
        """
        mine = object()
        is_new = self._known.setdefault(run, mine) is mine
        if len(self._known) > MOST_ANSWERED:
            self._known.popitem(last=False)
        return is_new


class Transport:
    """Requests within a deadline: reads are tried twice, effects once, redirects not followed."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        again = Retry(
            total=1,
            backoff_factor=0.2,
            status_forcelist=(500, 502, 503, 504),
            allowed_methods=None,
            raise_on_status=False,
            respect_retry_after_header=False,
        )
        self._reads = SteadySession(again)
        self._effects, self._made = _once(), time.monotonic()

    def read(
        self,
        url: str,
        authorization: str,
        deadline: Deadline,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Answer:
        """GET, or POST where a search takes a body. Raises NotSentError or NoAnswerError."""
        data = None if body is None else json.dumps(body).encode()
        method = "GET" if body is None else "POST"
        call = Call(method, url, authorization, headers or {}, data, params)
        within = deadline.timeout(READ_SECONDS * 2) / 2
        return _exchange(self._reads, call, within, tries=2)

    def effect(
        self,
        url: str,
        authorization: str,
        *,
        headers: Mapping[str, str],
        body: str,
        method: str = "POST",
        within: float = READ_SECONDS,
        may_begin: Callable[[], bool] | None = None,
    ) -> Answer:
        """Send once, whatever happens. Raises NotSentError or NoAnswerError.

        No deadline cuts it short: its answer is worth more than the time. Whether it `may_begin`
        is asked as the last thing before, since the process may have stood still.

        A connection that may have been idle for long is not trusted, and so none that is older: the
        far end may have forgotten it, and what is written to it would be in doubt.
        """
        if time.monotonic() - self._made > self._idle_seconds:
            self._effects, self._made = _once(), time.monotonic()  # who still sends keeps the old
        call = Call(method, url, authorization, headers, body.encode())
        return _exchange(self._effects, call, within, tries=1, may_begin=may_begin)


def _once() -> SteadySession:
    return SteadySession(Retry(total=0, read=False, redirect=False))


def _exchange(
    session: SteadySession,
    call: Call,
    read: float,
    tries: int,
    may_begin: Callable[[], bool] | None = None,
) -> Answer:
    connect = min(CONNECT_SECONDS, read)
    ends = time.monotonic() + connect * tries + read * tries
    try:
        prepared = call.prepared()
        proxies, verify = session.around(str(prepared.url))
        if may_begin and not may_begin():
            raise NotSentError("its time was over before it began")
        response = session.get_adapter(str(prepared.url)).send(
            prepared, stream=True, timeout=(connect, read), verify=verify, proxies=proxies
        )
        with response:
            answer = Answer(response.status_code, response.headers, _body(response, ends))
        return answer.without(secrets_in(call.authorization))
    except requests.RequestException as error:
        raise translated(error) from None
    except (HTTPError, OSError) as error:
        raise NoAnswerError(type(error).__name__) from None


def _body(response: requests.Response, ends: float) -> bytes:
    """The whole body, bounded in size and in time however slowly it drips."""
    whole = bytearray()
    while chunk := response.raw.read1(65536, decode_content=True):
        whole += chunk
        if len(whole) > LONGEST_BODY or time.monotonic() > ends:
            raise NoAnswerError("the answer is too long or too slow")
    return bytes(whole)
