"""The table SDK's client as it is used here: without what nobody reads; and rows as it takes them.

https://learn.microsoft.com/python/api/overview/azure/data-tables-readme
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from azure.core import MatchConditions
from azure.core.pipeline.policies import (
    DistributedTracingPolicy,
    HttpLoggingPolicy,
    HTTPPolicy,
    NetworkTraceLoggingPolicy,
    ProxyPolicy,
    RedirectPolicy,
    RequestIdPolicy,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.data.tables import TableClient

from functions.adapters.entra_tokens import refusals
from functions.adapters.http.session import SdkSession
from functions.core.terms.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.core.credentials import TokenCredential

    from functions.core.ports.ledger import Place, Row

UNREAD = (
    DistributedTracingPolicy,
    HttpLoggingPolicy,
    NetworkTraceLoggingPolicy,
    ProxyPolicy,
    RedirectPolicy,
    RequestIdPolicy,
)


class _Table(TableClient):
    """A client that does not do what nobody reads, or is done by the session that it sends with.

    No log hears of its requests (`functions.bootstrap`) or tells the ids that it gives them, spans
    are around the port, proxies are the session's, and an answer that leads elsewhere is none.
    Should the SDK call it by another name, it does these things again.
    """

    def _configure_policies(self, **given: Any) -> list[Any]:  # noqa: ANN401 - the SDK's
        found = super()._configure_policies(**given)
        kept = [policy for policy in found if not isinstance(policy, UNREAD)]
        return [_Headers(), *kept]


class _Headers(HTTPPolicy[Any, Any]):
    """Lets those that follow find headers as they are named: all of them name each in one way.

    To find them in any case costs a fiftieth of all that a start does.
    """

    def send(self, request: Any) -> Any:  # noqa: ANN401 - the SDK's
        """Hand it on."""
        asked = request.http_request
        asked.headers = dict(asked.headers.items())
        return self.next.send(request)


class _Plain(NamedTuple):
    """A request as the SDK's transport sends it, and no more."""

    method: str
    url: str
    headers: Mapping[str, str]
    data: Any
    files: None = None


class TableTransport(RequestsTransport):  # type: ignore[misc] # the SDK exports it lazily
    """The SDK's own transport over a session of ours; its answers are of the SDK's plain kind.

    Its clients take both kinds. The newer one is read in pieces and copies its headers, which
    costs half of what sending does; the parts of a transaction only that one can tell. Of a row it
    sends what is said to be `whole`, and nothing of which that is not said.
    """

    def __init__(self) -> None:
        super().__init__(session=SdkSession())

    def send(self, request: Any, **options: Any) -> Any:  # noqa: ANN401 - the SDK's
        """Send it once. Raises TypeError for a row's keys alone, should the SDK drop the option."""
        if options.get("stream"):
            return super().send(request, **options)
        said = request.data
        body = options.pop("whole", said)
        if body is said and '"RowKey"' in (said or ""):
            raise TypeError("the table SDK did not hand over the row that was to be sent")
        plain = _Plain(request.method, request.url, request.headers, body)
        return super().send(plain, **options)


def open_table(
    name: str,
    *,
    connection_string: str = "",
    endpoint: str = "",
    credential: TokenCredential | None = None,
    **options: Any,  # noqa: ANN401 - the SDK's
) -> TableClient:
    """A client for the table `name`, by a connection string or by endpoint and credential.

    Nothing is sent. `options` are the SDK's, such as `audience` or `transport`. Raises
    ConfigurationError.
    """
    options = {"retry_total": 0, "transport": TableTransport(), **options}
    try:
        if connection_string:
            return _Table.from_connection_string(connection_string, name, **options)
        options["raw_response_hook"] = refusals(credential) if credential else None
        return _Table(endpoint, name, credential=credential, **options)
    except (ValueError, KeyError):  # whose text may hold the key
        what = "connection string" if connection_string else "https endpoint with a credential"
        where = "AzureWebJobsStorage, the storage account of the ledger"
        raise ConfigurationError(f"{where}: no usable {what}") from None


def signed(place: Place, row: Row) -> dict[str, str]:
    """The row at its place, and who writes it."""
    return {**row, **keys(place), "writer": os.urandom(16).hex()}


def keys(place: Place) -> dict[str, str]:
    """What a row is addressed by."""
    return {"PartitionKey": place.partition, "RowKey": place.key}


def whole(entity: Row) -> dict[str, Any]:
    """What has the transport send all of a row of which the SDK was given the `keys`.

    The SDK looks at each column five times, and says of each that it is text, as what says nothing
    is: a third of all that it does for a request. No signature covers what is sent.
    https://learn.microsoft.com/rest/api/storageservices/payload-format-for-table-service-operations#property-types-in-a-json-feed
    https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
    """
    return {"whole": msgspec.json.encode(entity)}


def only(version: str | None) -> dict[str, Any]:
    """The options by which a row is written only in this version."""
    condition = MatchConditions.IfNotModified if version else MatchConditions.Unconditionally
    return {"etag": version, "match_condition": condition}
