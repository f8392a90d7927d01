"""What the table SDK's errors mean: refused and why, passing, or out of reach.

https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError

from functions.adapters.entra_tokens import IdentityUnavailable
from functions.core.terms.errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.data.tables import TableClient

NO_TABLE = "TableNotFound"
GONE = {"ResourceNotFound", "EntityNotFound", NO_TABLE}
STALE = {"UpdateConditionNotSatisfied", "ConditionNotMet", *GONE}

# AttributeError: the SDK looks into the answer that a failed sign-in does not have; ValueError: a
# table name that the service refused
SDK_ERRORS = (AzureError, AttributeError, ValueError, OSError)
_LASTING = (IdentityUnavailable, ClientAuthenticationError, AttributeError, ValueError)
_PASSING = {None, 408, 429, 500, 502, 503, 504}


def is_passing(error: Exception) -> bool:
    """Whether it may be gone a moment later."""
    status = getattr(error, "status_code", None)  # without one there was no answer
    return status in _PASSING and not isinstance(error, _LASTING)


def code_of(error: Exception) -> str:
    """The service's word for what is wrong; whatever the call, the SDK's message holds it.

    The identity endpoint's words are none of the table's.
    """
    if isinstance(error, IdentityUnavailable):
        return ""
    found = re.findall(r'(?:"code":\s*"|ErrorCode:(?!None))([A-Za-z]{1,60})', str(error))
    return found[-1] if found else ""


def translated(error: Exception, code: str, table: TableClient) -> LedgerUnavailable:
    """The port's error: where, the status and the code, and the identity's own words for no token.

    Nothing else of what the SDK says, since it may hold a signed URL.
    """
    host = urlsplit(table.url).hostname
    where = f"table {table.table_name} at {host} (AzureWebJobsStorage)"
    if isinstance(error, IdentityUnavailable):
        return LedgerUnavailable(f"{where}: {error.message}")
    status = getattr(error, "status_code", None) or type(error).__name__
    return LedgerUnavailable(f"{where}: {status} {code}".rstrip())


def version_of(answer: Mapping[str, Any] | None, table: TableClient) -> str:
    """The version that a write gave the row; an answer without one is not the service's.

    Raises LedgerUnavailable.
    https://learn.microsoft.com/rest/api/storageservices/update-entity2#response-headers
    """
    if etag := (answer or {}).get("etag"):
        return str(etag)
    raise translated(ValueError(), "answered without an ETag", table)
