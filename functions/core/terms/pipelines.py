"""What Azure DevOps has: pipelines that are asked for, and their runs."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads it to decode
from typing import Any

from msgspec import Struct

from functions.core.texts import jsontext
from functions.core.texts.bounds import HIDDEN


class Credential(Struct, frozen=True, kw_only=True):
    """What authorizes a call to Azure DevOps: a header's value that is never printed.

    `renews`: it is replaced in time without anybody's doing.
    """

    authorization: str
    version: str
    expires_at: datetime | None = None
    renews: bool = False

    def __repr__(self) -> str:
        return f"Credential(version={self.version!r})"


class PipelineRequest(Struct, frozen=True, kw_only=True):
    """One exact request to run a pipeline. `body` is the JSON text that is sent, byte for byte.

    `distinct` tells whether a build that matches can only be this request's; it was worked out
    from the routes of the day, so that later routes do not change what is adopted.
    """

    organization: str
    project: str
    pipeline: int
    secret: str
    body: str
    pipeline_version: int | None = None
    distinct: bool = False

    @property
    def where(self) -> str:
        """Its pipeline, as people see it."""
        return f"{self.organization}/{self.project}/{self.pipeline}"

    @property
    def shown(self) -> Any:  # noqa: ANN401 - JSON
        """Its body as anybody may see it, secret variables hidden; None where it is no request."""
        try:
            body = jsontext.read(self.body)
            for variable in body.get("variables", {}).values():
                variable["value"] = HIDDEN if variable.get("isSecret") else variable["value"]
        except (AttributeError, KeyError, TypeError, ValueError):
            return None
        return body


class PipelineRun(Struct, frozen=True, kw_only=True):
    """A pipeline run that exists at Azure DevOps.

    `retry_after`: the service asked to slow down; `note`: what is not as it was asked for.
    """

    id: int
    url: str = ""
    retry_after: float | None = None
    note: str = ""
