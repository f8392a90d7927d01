"""The connections of the adapters, and of the SDKs where they send for every event."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote_plus, urlencode

import requests
from requests.utils import check_header_validity, requote_uri
from urllib3.util import Retry

from functions.adapters.http.steady import SteadyAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.core.pipeline.transport import RequestsTransport

POOL = 32
_PROXIES = [f"{kind}_proxy" for kind in ("http", "https", "all", "no")]
_NAMES = (*_PROXIES, *map(str.upper, _PROXIES), "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_HEADERS = {"User-Agent": "run-relay", "Accept-Encoding": "gzip, deflate", "Accept": "*/*"}


class Around(NamedTuple):
    """What the environment says of requests to a host: their proxies, and whom to trust."""

    proxies: Mapping[str, str]
    verify: bool | str


class SteadySession(requests.Session):
    """A session that learns of proxies and certificates once per host, and keeps its connections.

    Else each request goes through all variables of the environment, and looks for a .netrc, which
    costs more than to send it. It keeps a connection for each thread of an instance, of which an
    SDK's own session keeps ten. https://requests.readthedocs.io/en/latest/user/advanced/#proxies
    """

    def __init__(self, retry: Retry | None = None) -> None:
        super().__init__()
        self.auth = _as_it_is  # with none it looks for a .netrc at each request
        self._around: dict[str, Around] = {}
        again = retry or Retry(total=False, redirect=False)
        adapter = SteadyAdapter(pool_connections=POOL, pool_maxsize=POOL, max_retries=again)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def around(self, url: str) -> Around:
        """What the environment says of this address, by HTTPS_PROXY, REQUESTS_CA_BUNDLE and all."""
        host = "/".join(url.split("/", 3)[:3])
        if host not in self._around:
            self._around[host] = _around(host, tuple(map(os.environ.get, _NAMES)))
        return self._around[host]

    def merge_environment_settings(
        self,
        url: str | bytes | None,
        proxies: Mapping[str, str] | None,
        stream: bool | None,
        verify: bool | str | None,
        cert: Any,  # noqa: ANN401 - as requests has it
    ) -> Any:  # noqa: ANN401 - as requests has it
        """What is asked for, else what the environment says."""
        known = self.around(str(url))
        return {
            "proxies": {**known.proxies, **(proxies or {})},
            "stream": bool(stream),
            "verify": known.verify if verify in {None, True} else verify,
            "cert": cert,
        }


class SdkSession(SteadySession):
    """A session for an SDK's transport, whose requests are whole already.

    Else `requests` makes each anew: it takes the address apart, and looks for cookies, hooks and
    forms that no SDK's request has.
    """

    def request(self, method: str, url: str, **given: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401 - as requests has it
        """Send it as it is, once; redirects are not followed. Raises requests.RequestException."""
        body, headers = given["data"], given["headers"]
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url, prepared.body = method, requote_uri(url), body
        named = {name.lower() for name in headers}
        own = {name: value for name, value in _HEADERS.items() if name.lower() not in named}
        prepared.headers = _sent({**own, **headers}, body)
        asked = given.get("proxies"), given.get("stream"), given.get("verify"), given.get("cert")
        how = self.merge_environment_settings(url, *asked)
        response = self.get_adapter(url).send(prepared, timeout=given.get("timeout"), **how)
        if not how["stream"]:
            response.content  # noqa: B018 - read to its end, so that the connection can be kept
        return response


def sdk_transport() -> RequestsTransport:
    """What an SDK's client sends with; it is not imported where no SDK is."""
    from azure.core.pipeline.transport import RequestsTransport  # noqa: PLC0415 - above

    return RequestsTransport(session=SdkSession())


class Call(NamedTuple):
    """A request as it is meant, without what a session would add: cookies, or a .netrc's login.

    `authorization` is empty where the address alone says who may send.
    """

    method: str
    url: str
    authorization: str
    headers: Mapping[str, str]
    body: bytes | None
    params: Mapping[str, str] | None = None

    def prepared(self) -> requests.PreparedRequest:
        """As it is sent; raises requests.RequestException where that is not possible."""
        prepared = requests.PreparedRequest()
        prepared.method, prepared.body = self.method, self.body
        prepared.url = address = _address(self.url)
        if self.params:
            asked = urlencode(self.params, quote_via=_quoted)
            prepared.url = f"{address}{'&' if '?' in address else '?'}{asked}"
        own = {"Authorization": self.authorization} if self.authorization else {}
        for header in own.items():
            check_header_validity(header)
        for header in self.headers.items():
            _checked(header)
        prepared.headers = _sent({**_HEADERS, **self.headers, **own}, self.body)
        return prepared


def _sent(headers: dict[str, str], body: bytes | None) -> Any:  # noqa: ANN401 - as requests has it
    """The headers of a request with this body: a plain dict, since each is named once.

    To find them in any case would take a tenth of what sending the request does.
    """
    return headers if body is None else {**headers, "Content-Length": str(len(body))}


def _as_it_is(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared


_quoted = lru_cache(maxsize=1024)(quote_plus)  # most names and many values come again


@lru_cache(maxsize=256)
def _checked(header: tuple[str, str]) -> None:
    """Nothing, for a header that can be sent: most are the same ones at each request.

    Raises requests.exceptions.InvalidHeader.
    """
    check_header_validity(header)


@lru_cache(maxsize=1024)
def _around(host: str, _said: tuple[str | None, ...]) -> Around:
    """What the environment says of a host, while it says just this: for all sessions of a process.

    https://requests.readthedocs.io/en/latest/user/advanced/#proxies
    """
    found = requests.Session().merge_environment_settings(host, {}, None, None, None)
    return Around(found["proxies"], found["verify"] or True)


@lru_cache(maxsize=1024)
def _address(url: str) -> str:
    """The address as it is sent; there are few, and to make one takes as long as to send to it.

    Raises requests.RequestException.
    """
    return str(requests.Request("GET", url).prepare().url)
