"""The table SDK's client as it is used here: without what nobody reads; and rows as it takes them.

https://learn.microsoft.com/python/api/overview/azure/data-tables-readme
"""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from azure.core import MatchConditions
from azure.core.exceptions import DecodeError
from azure.core.pipeline.policies import (
    ContentDecodePolicy,
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


TYPE = "@odata.type"  # behind a column's name: the name of another one that tells its type


class _Table(TableClient):
    """A client that does not do what nobody reads, or is done by the session that it sends with.

    No log hears of its requests (`functions.bootstrap`) or tells the ids that it gives them, spans
    are around the port, proxies are the session's, and an answer that leads elsewhere is none.
    Should the SDK call it by another name, it does these things again.
    """

    def _configure_policies(self, **given: Any) -> list[Any]:  # noqa: ANN401 - the SDK's
        found = super()._configure_policies(**given)
        kept = [policy for policy in found if not isinstance(policy, UNREAD)]
        return [_AsItComes(), *kept]


class _AsItComes(HTTPPolicy[Any, Any]):
    """Has headers found as they are named, and rows read as the service tells them.

    Those that follow name each header in one way; to find it in any case costs a fiftieth of all
    that a start does. Of rows the SDK makes models, column by column, and entities of these: a
    third of what a list costs. The option `rows` is a list that takes them instead.
    """

    def send(self, request: Any) -> Any:  # noqa: ANN401 - the SDK's
        """Hand it on. Raises DecodeError where rows are wanted, and nobody tells of any."""
        asked = request.http_request
        asked.headers = dict(asked.headers.items())
        rows = request.context.options.pop("rows", None)
        answer = self.next.send(request)
        if rows is not None and answer.http_response.status_code == HTTPStatus.OK:
            told = answer.context.get(ContentDecodePolicy.CONTEXT_NAME)
            rows += _rows(told)
            answer.context[ContentDecodePolicy.CONTEXT_NAME] = {"value": []}
        return answer


def _rows(told: object) -> list[dict[str, object]]:
    """What an answer tells: the rows of a page, or the one that was asked for."""
    if isinstance(told, dict):
        rows = told.get("value")
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return rows
        if "RowKey" in told:
            return [told]
    raise DecodeError("200 without rows")


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


def text_columns(row: Mapping[str, object]) -> dict[str, str]:
    """The columns of a row, as the service tells it, that are texts; all others are none of ours.

    https://learn.microsoft.com/rest/api/storageservices/payload-format-for-table-service-operations#property-types-in-a-json-feed
    """
    found = {name: value for name, value in row.items() if isinstance(value, str)}
    for name in [name for name in found if "." in name]:
        of = name.removesuffix(TYPE)
        if found.pop(name) != "Edm.String":
            found.pop(of, None)
    found.pop("Timestamp", None)
    return found


def only(version: str | None) -> dict[str, Any]:
    """The options by which a row is written only in this version."""
    condition = MatchConditions.IfNotModified if version else MatchConditions.Unconditionally
    return {"etag": version, "match_condition": condition}
