"""Where dead letters lie: in a folder, or in a blob container.

https://learn.microsoft.com/azure/event-grid/manage-event-delivery
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit
from xml.etree import ElementTree as ET

import requests
import typer
from azure.core.exceptions import AzureError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from relay.deployment.signin import SignedIn

VERSION = "2020-10-02"  # https://learn.microsoft.com/rest/api/storageservices/versioning-for-the-azure-storage-services
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
TIMES = (5, 30)  # seconds to connect, and to wait for the next bytes

_ACCOUNT = re.compile(
    r"[a-z0-9-]+(\.z[0-9]+)?\.blob\."
    r"(core\.windows\.net|core\.chinacloudapi\.cn|core\.usgovcloudapi\.net|storage\.azure\.net)"
)


class File(NamedTuple):
    """A file of dead letters, as its name within the folder or container, and what it holds."""

    name: str
    body: bytes


class Unreachable(Exception):
    """The container refused, or did not answer; the message has no credential in it."""


class Missing(Exception):
    """There is no such folder or container."""


def in_folder(folder: Path) -> Iterator[File]:
    """Every .json file below the folder, in the order of their names. Raises Missing."""
    if not folder.is_dir():
        raise Missing(f"there is no folder {folder}")
    for path in sorted(folder.rglob("*.json")):
        try:
            yield File(str(path.relative_to(folder)), path.read_bytes())
        except OSError as error:
            raise Unreachable(f"{path}: {error.strerror or error}") from None


class Container:
    """A blob container by its URL, with a SAS in it or without.

    Without one the request is authorized by who is signed in, and only if the host is a storage
    account's or this machine: a token sent elsewhere could be used by whoever gets it.
    """

    def __init__(self, url: str, identity: SignedIn, audience: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise typer.BadParameter("the container's URL must begin with https://")
        if not parts.path.strip("/") or parts.username is not None:
            raise typer.BadParameter("a container's URL is https://ACCOUNT.blob…/CONTAINER")
        self._url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._sas = dict(parse_qsl(parts.query))
        self._host = (parts.hostname or "").lower()
        self._identity = identity
        self._scope = f"{audience}/.default"
        self._session = requests.Session()
        if "sig" not in self._sas and not self._is_trusted():
            raise typer.BadParameter(f"{self._host} is no storage account: give a URL with a SAS")

    def files(self) -> Iterator[File]:
        """Every .json blob, page by page. Raises Missing and Unreachable.

        https://learn.microsoft.com/rest/api/storageservices/list-blobs
        """
        marker = ""
        while True:
            listing = {"restype": "container", "comp": "list", "marker": marker}
            page = _parsed(self._get("", {k: v for k, v in listing.items() if v}))
            for name in (blob.text or "" for blob in page.iterfind("Blobs/Blob/Name")):
                if name.endswith(".json"):
                    yield File(name, self._get(f"/{quote(name)}", {}))
            marker = page.findtext("NextMarker") or ""
            if not marker:
                return

    def _get(self, path: str, query: dict[str, str]) -> bytes:
        try:
            answer = self._session.get(
                self._url + path,
                params={**self._sas, **query},
                headers={"x-ms-version": VERSION},
                auth=self._authorize,
                timeout=TIMES,
                allow_redirects=False,
            )
        except (requests.RequestException, OSError) as error:  # whose text holds the SAS
            raise Unreachable(f"{self._url}: {type(error).__name__}") from None
        if answer.status_code == requests.codes.not_found and not path:
            raise Missing(f"there is no container {self._url}")
        if answer.status_code != requests.codes.ok:
            code = answer.headers.get("x-ms-error-code", "")[:100]
            raise Unreachable(f"{self._url}{path} answered {answer.status_code} {code}".rstrip())
        return answer.content

    def _authorize(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        """As `auth`, so that a .netrc file adds nothing."""
        if "sig" not in self._sas:
            try:
                token = self._identity.get_token(self._scope).token
            except (AzureError, ValueError):
                how = "sign in (az login), or give a URL with a SAS"
                raise Unreachable(f"no token for {self._host}: {how}") from None
            prepared.headers["Authorization"] = f"Bearer {token}"
        return prepared

    def _is_trusted(self) -> bool:
        return self._host in LOOPBACK or _ACCOUNT.fullmatch(self._host) is not None


def _parsed(listing: bytes) -> Any:  # noqa: ANN401 - an element
    try:
        return ET.fromstring(listing)  # noqa: S314 - expat bounds what entities become
    except ET.ParseError:
        raise Unreachable("the answer is no list of blobs") from None
