"""What is written on a running job from outside: its timeline's records, live lines and logs.

https://learn.microsoft.com/rest/api/azure/devops/distributedtask/records/update and
https://learn.microsoft.com/rest/api/azure/devops/distributedtask/logs
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.devops.errors import Refusal
from local.devops.pipelines.wire import told

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from local.devops.pipelines.wire import Json


@dataclass
class TaskLog:
    """One log file of a plan; `text` is all that was appended so far."""

    id: int
    path: str
    created: datetime
    changed: datetime
    text: str = ""

    def wire(self) -> Json:
        """The log as the service tells it."""
        return {
            "path": self.path,
            "lineCount": len(self.text.splitlines()),
            "createdOn": told(self.created),
            "lastChangedOn": told(self.changed),
            "id": self.id,
            "location": None,
        }


@dataclass
class Timeline:
    """The records of a plan by id, the live lines in the order they came, the logs by id.

    Whoever uses it from several threads holds a lock.
    """

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    feed: list[tuple[str, str]] = field(default_factory=list)
    logs: dict[int, TaskLog] = field(default_factory=dict)
    changes: int = 1

    def show(self, record_id: str, lines: Iterable[str]) -> None:
        """Show live lines on a record; a Refusal with 404 if there is no such record."""
        if record_id not in self.records:
            raise missing("TimelineRecordNotFoundException", "timeline record", record_id)
        self.feed += [(record_id, line) for line in lines]

    def create_log(self, path: str, at: datetime) -> TaskLog:
        """An empty log; ids count from 1."""
        log = TaskLog(len(self.logs) + 1, path, at, at)
        self.logs[log.id] = log
        return log

    def append(self, log_id: int, text: str, at: datetime) -> TaskLog:
        """Add text to a log; a Refusal with 404 if there is no such log."""
        log = self.log(log_id)
        log.text += text
        log.changed = at
        return log

    def log(self, log_id: int) -> TaskLog:
        """The log, or a 404 Refusal."""
        if log_id not in self.logs:
            raise missing("TaskLogNotFoundException", "log", str(log_id))
        return self.logs[log_id]

    def update(self, changes: dict[str, dict[str, Any]], at: datetime) -> list[dict[str, Any]]:
        """Change or add records by id, all or none; what is null stays as it was.

        A Refusal with 404 where a record names a log that does not exist, and with 400 where a
        new record has no name or type.
        """
        for number in filter(None, map(log_of, changes.values())):
            self.log(number)
        for record_id, change in changes.items():
            if record_id not in self.records and not (change.get("name") and change.get("type")):
                message = f"The timeline record {record_id} needs a name and a type."
                raise Refusal(400, "TimelineRecordInvalidException", message)
        self.changes += 1
        return [self._merge(record_id, change, at) for record_id, change in changes.items()]

    def text_of(self, record_id: str) -> str:
        """The text of the log that a record names; empty if it names none."""
        number = log_of(self.records.get(record_id, {}))
        return self.logs[number].text if number else ""

    def variables(self) -> dict[str, str]:
        """The output variables of all records."""
        found = [record.get("variables") or {} for record in self.records.values()]
        return {name: held.get("value", "") for some in found for name, held in some.items()}

    def _merge(self, record_id: str, change: dict[str, Any], at: datetime) -> dict[str, Any]:
        old = self.records.get(record_id, {})
        new = {name: value for name, value in change.items() if value is not None}
        if "variables" in new:
            new["variables"] = {**old.get("variables", {}), **new["variables"]}
        stamp = {"id": record_id, "lastModified": told(at), "changeId": self.changes}
        self.records[record_id] = {**old, **new, **stamp}
        return self.records[record_id]


def log_of(record: dict[str, Any]) -> int | None:
    """The id of the log that a record names."""
    number = (record.get("log") or {}).get("id")
    return number if isinstance(number, int) else None


def missing(key: str, thing: str, identifier: str) -> Refusal:
    """404: the plan has no such thing."""
    return Refusal(404, key, f"No {thing} found with identifier {identifier}.")
