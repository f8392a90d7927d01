"""Rows as the table SDK takes and gives them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions

from functions.core.ports.ledger import Stored

if TYPE_CHECKING:
    from azure.data.tables import TableEntity

    from functions.core.ports.ledger import Place, Row


def signed(place: Place, row: Row) -> dict[str, str]:
    """The row at its place, and who writes it."""
    return {**row, **keys(place), "writer": os.urandom(16).hex()}


def keys(place: Place) -> dict[str, str]:
    """What a row is addressed by."""
    return {"PartitionKey": place.partition, "RowKey": place.key}


def whole(entity: Row) -> dict[str, Any]:
    """What has the session send all of a row of which the SDK was given the `keys`.

    The SDK looks at each column five times, and says of each that it is text, as what says nothing
    is: a third of all that it does for a request. No signature covers what is sent.
    https://learn.microsoft.com/rest/api/storageservices/payload-format-for-table-service-operations#property-types-in-a-json-feed
    https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key#table-service-shared-key-authorization
    """
    return {"whole": json.dumps(entity)}


def only(version: str | None) -> dict[str, Any]:
    """The options by which a row is written only in this version."""
    condition = MatchConditions.IfNotModified if version else MatchConditions.Unconditionally
    return {"etag": version, "match_condition": condition}


def stored(entity: TableEntity) -> Stored:
    """The row that was read; a projection may come without its version."""
    row = {name: value for name, value in entity.items() if isinstance(value, str)}
    return Stored(row, str(entity.metadata.get("etag")))
