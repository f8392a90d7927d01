"""The SDK's client for one table, as the settings name it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.data.tables import TableClient

from functions.adapters.tables.budget import CONNECT_SECONDS, READ_SECONDS
from functions.core.errors import ConfigurationError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


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
    bounds: dict[str, Any] = {
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "retry_total": 0,
    }
    try:
        if connection_string:
            return TableClient.from_connection_string(connection_string, name, **bounds, **options)
        return TableClient(endpoint, name, credential=credential, **bounds, **options)
    except (ValueError, KeyError):  # whose text may hold the key
        what = "connection string" if connection_string else "https endpoint with a credential"
        raise ConfigurationError(f"the storage account of the ledger: no usable {what}") from None
