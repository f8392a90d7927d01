"""The connections of the adapters, and of the SDKs where they send for every event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

if TYPE_CHECKING:
    from collections.abc import Mapping

POOL = 32


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
        adapter = HTTPAdapter(pool_connections=POOL, pool_maxsize=POOL, max_retries=again)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def around(self, url: str) -> Around:
        """What the environment says of this address, by HTTPS_PROXY, REQUESTS_CA_BUNDLE and all."""
        host = "/".join(url.split("/", 3)[:3])
        if host not in self._around:
            found = super().merge_environment_settings(host, {}, None, None, None)
            self._around[host] = Around(found["proxies"], found["verify"] or True)
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


def _as_it_is(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared
