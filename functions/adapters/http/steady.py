"""How a session's requests find their connections: once per host, and not anew for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_encoding_from_headers

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping


class SteadyAdapter(HTTPAdapter):
    """An adapter that looks for proxy, certificates and pool of a host once, and for no cookies.

    Else each request takes its address apart eight times and looks for the file of certificates,
    which costs a fifth of what sending it does.
    https://requests.readthedocs.io/en/latest/user/advanced/#transport-adapters
    """

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - as requests has it
        super().__init__(**given)
        self._pools: dict[Hashable, Any] = {}

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: Any = None,  # noqa: ANN401 - as requests has it
    ) -> Any:  # noqa: ANN401 - the same
        """The pool of the request's host. Raises requests.RequestException, and OSError."""
        url = str(request.url)
        known = (*url.split("/", 3)[:3], verify, cert, *(proxies or {}).items())
        pool = self._pools.get(known)
        if pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            super().cert_verify(pool, url, verify, cert)  # type: ignore[no-untyped-call]
            self._pools[known] = pool
        return pool

    def close(self) -> None:
        """Let go of the connections, which closes them; who sends after that opens new ones."""
        self._pools.clear()
        super().close()

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ANN401 - the same
        """Nothing: it was done when the pool was found."""

    def request_url(
        self, request: requests.PreparedRequest, proxies: Mapping[str, str] | None
    ) -> str:
        """What stands in the request's first line: the address behind the host."""
        _, _, behind = str(request.url).partition("://")
        host, slash, target = behind.partition("/")
        if proxies or not slash or "?" in host or "#" in behind:
            return str(super().request_url(request, proxies))
        return f"/{target}"

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:  # noqa: ANN401 - the same
        """The answer, without a jar that nobody looks into; its headers as they were read.

        These, too, are found in any case.
        """
        made = requests.Response()
        made.status_code, made.reason, made.raw = resp.status, resp.reason, resp
        made.headers = resp.headers
        made.encoding = get_encoding_from_headers(made.headers)
        made.url, made.request = str(req.url), req
        return made
