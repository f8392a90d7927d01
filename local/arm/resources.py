"""What there is in a subscription, by type: ids and names only, as far as one may see it.

https://learn.microsoft.com/rest/api/resources/resources/list
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from flask import jsonify, request

from local.arm.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.arm.errors import Answer

_FILTER = re.compile(r"resourceType eq '(?P<kind>[^']+)'")


class Holder(Protocol):
    """Something that has resources of one type."""

    def ids(self) -> Iterable[str]:
        """Their resource ids."""


class Resources:
    """Lists what the holders have, each under its type."""

    path = re.compile(r"(?P<subscription>/subscriptions/[^/]+)/resources", re.IGNORECASE)
    versions = ("2025-04-01", "2021-04-01")

    def __init__(self, holders: dict[str, Holder]) -> None:
        self._holders = {kind.lower(): (kind, holder) for kind, holder in holders.items()}

    def answer(self, asked: re.Match[str]) -> Answer:
        """The resources of the type that the filter names."""
        wanted = _FILTER.fullmatch(request.args.get("$filter", ""))
        if wanted is None:
            return error(501, "NotImplemented", "This filter is not served locally.")
        found: list[dict[str, Any]] = []
        if wanted["kind"].lower() in self._holders:
            kind, holder = self._holders[wanted["kind"].lower()]
            below = f"{asked['subscription']}/".lower()
            mine = [i for i in holder.ids() if i.lower().startswith(below)]
            found = [_listed(resource, kind) for resource in mine]
        return jsonify({"value": found})


def _listed(resource: str, kind: str) -> dict[str, Any]:
    name = resource.rpartition("/")[2]
    return {"id": resource, "name": name, "type": kind, "location": "westeurope", "tags": {}}
