"""The bodies that the operations on a plan take, read strictly: a 400 Refusal for any other.

https://learn.microsoft.com/rest/api/azure/devops/distributedtask
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import msgspec
from flask import request

from local.devops.errors import Refusal, unsupported
from local.devops.jobs.agentless import Completion  # noqa: TC001 - msgspec reads it

if TYPE_CHECKING:
    from typing import TypeVar

    Body = TypeVar("Body", bound=msgspec.Struct)

_JSON, _STREAM = "application/json", "application/octet-stream"


class Posted(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """An event; the service has more names, and more results than its tasks' page tells."""

    name: Literal["TaskAssigned", "TaskStarted", "TaskCompleted"]
    job_id: UUID
    task_id: UUID
    result: Completion | None = None

    def __post_init__(self) -> None:
        if (self.name == "TaskCompleted") != (self.result is not None):
            raise ValueError("TaskCompleted has a result, other events have none")

    @property
    def ids(self) -> tuple[str, str]:
        """The job's id and the task's."""
        return str(self.job_id), str(self.task_id)


class Lines(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Live lines for a record's feed."""

    value: list[str]
    count: int
    step_id: UUID | None = None
    start_line: int | None = None
    end_line: int | None = None

    def __post_init__(self) -> None:
        _counted(self.count, self.value)


class Log(msgspec.Struct):
    """A log to create; what else is sent is the service's to fill in."""

    path: str


class Records(msgspec.Struct):
    """Timeline records to change or add."""

    value: list[dict[str, Any]]
    count: int

    def __post_init__(self) -> None:
        _counted(self.count, self.value)

    def by_id(self) -> dict[str, dict[str, Any]]:
        """The records by their ids; a 400 Refusal if one has no GUID."""
        try:
            return {str(msgspec.convert(r.get("id"), UUID)): r for r in self.value}
        except msgspec.MsgspecError as error:
            raise _unreadable(str(error)) from error


# made before requests come, see functions/core/ledger/decoding.py
_DECODERS: dict[type, Any] = {
    kind: msgspec.json.Decoder(kind) for kind in (Posted, Lines, Log, Records)
}


def read(kind: type[Body]) -> Body:
    """The JSON body of this request."""
    if not request.is_json:
        raise unsupported(request.method, request.content_type, _JSON)
    try:
        decoder: msgspec.json.Decoder[Body] = _DECODERS[kind]
        return decoder.decode(request.get_data())
    except msgspec.MsgspecError as error:
        raise _unreadable(str(error)) from error


def read_text() -> str:
    """The stream of this request, which is UTF-8 with a byte order mark or without."""
    if request.mimetype != _STREAM:
        raise unsupported(request.method, request.content_type, _STREAM)
    return request.get_data().decode("utf-8-sig", errors="replace")


def _counted(told: int, value: list[Any]) -> None:
    if told != len(value):
        raise ValueError(f"count is {told}, but {len(value)} were sent")


def _unreadable(why: str) -> Refusal:
    return Refusal(400, "VssPropertyValidationException", f"The body is not valid: {why}.")
