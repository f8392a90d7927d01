"""Dead letters: the files that Event Grid leaves for events it gave up.

https://learn.microsoft.com/azure/event-grid/manage-event-delivery#dead-lettering
Blob name `{SUBSCRIPTION}/{yyyy}/{M}/{d}/{H}/{guid}.json` in UTC without leading zeros; the body is
an array of events in the subscription's schema with the reason added.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.eventgrid.envelopes import CLOUD, Event, Schema, told_as

if TYPE_CHECKING:
    from pathlib import Path

    from local.eventgrid.retries import Answer


@dataclass(frozen=True)
class Letter:
    """An event that was given up, with how that came; times in epoch seconds."""

    subscription: str
    schema: Schema
    event: Event
    reason: str
    published: float
    attempts: int
    last: Answer
    last_at: float | None

    def body(self) -> Event:
        """The event with the properties that dead-lettering adds; lower case in CloudEvents."""
        added = {
            "deadLetterReason": self.reason,
            "deliveryAttempts": self.attempts,
            "lastDeliveryOutcome": self.last.outcome,
            "lastHttpStatusCode": self.last.status,
            "publishTime": _stamp(self.published),
            "lastDeliveryAttemptTime": _stamp(self.last_at),
        }
        known = {k: v for k, v in added.items() if v is not None}
        if self.schema == CLOUD:
            known = {k.lower(): v for k, v in known.items()}
        return told_as(self.event, self.schema) | known


class DeadLetters:
    """A folder that stands for the container; None: given-up events are dropped."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def write(self, letter: Letter) -> None:
        """Leave the letter under its subscription's name and the hour."""
        if self._folder is None:
            return
        now = datetime.now(UTC)
        hour = (str(part) for part in (now.year, now.month, now.day, now.hour))
        folder = self._folder.joinpath(letter.subscription.upper(), *hour)
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{uuid.uuid4()}.part"
        part.write_text(json.dumps([letter.body()]), "utf-8")
        part.rename(part.with_suffix(".json"))


def _stamp(moment: float | None) -> str | None:
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
