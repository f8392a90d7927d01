"""Faults in which the local Azure DevOps says no in the service's own form."""

from __future__ import annotations

import json

from local.devops.errors import Refusal
from local.serving.faults import Fault

POST_RUN = "*/_apis/pipelines/42/runs"
WRONG = "Unexpected parameter 'no_such'"
JSON = {"Content-Type": "application/json; charset=utf-8"}
_TYPES = {
    400: "PipelineValidationException",
    401: "UnauthorizedRequestException",
    403: "AccessDeniedException",
    404: "ProjectDoesNotExistWithNameException",
    429: "RequestBlockedException",
}


def says(
    status: int,
    message: str = "no",
    *,
    path: str = POST_RUN,
    times: int = 1,
    method: str = "POST",
    key: str = "",
    after: str = "",
) -> Fault:
    """The next requests are refused, with this message, and told to come again `after` that."""
    body = Refusal(status, key or _TYPES.get(status, "VssServiceException"), message).wire()
    headers = JSON | ({"Retry-After": after} if after else {})
    return Fault(method, path, status=status, body=json.dumps(body), headers=headers, times=times)
