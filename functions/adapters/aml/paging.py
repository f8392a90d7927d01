"""From one page of a search to the next. Pure functions.

https://mlflow.org/docs/latest/api_reference/rest-api.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping


def listed(page: Mapping[str, object], key: str, what: str) -> list[dict[str, Any]]:
    """The objects that a page lists; none where it says nothing of any.

    Raises Retryable (run_unreadable) for anything else, which is not to have none.
    """
    found = page.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Retryable(Reason.RUN_UNREADABLE, f"{what}: the answer is no list of {key}")
    return found


def goes_on(search: dict[str, object], page: Mapping[str, object], what: str) -> bool:
    """Whether there is a page after this one; if so, `search` asks for it.

    Raises Retryable (run_unreadable) where that is the page that was asked for: a server that
    repeats itself would be asked for ever, and not all that there is be read.
    """
    token = page.get("next_page_token")
    if not token:
        return False
    if token == search.get("page_token"):
        raise Retryable(Reason.RUN_UNREADABLE, f"{what}: the search repeats a page")
    search["page_token"] = token
    return True
