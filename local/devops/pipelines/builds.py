"""Builds - List: which builds a query names, in which order, and one page of them.

https://learn.microsoft.com/rest/api/azure/devops/build/builds/list
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.devops.errors import Refusal, bad_argument
from local.devops.pipelines.wire import told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.devops.pipelines.runs import QueuedRun

    Predicate = Callable[[QueuedRun], bool]

_ORDERS = {
    f"{time}Time{way}": (f"{time}_time", way == "Descending")
    for time in ("queue", "start", "finish")
    for way in ("Ascending", "Descending")
}
_STATUS = {"none", "inProgress", "completed", "cancelling", "postponed", "notStarted", "all"}
_RESULT = {"none", "succeeded", "partiallySucceeded", "failed", "canceled"}
_REASON = {
    *("none", "manual", "individualCI", "batchedCI", "schedule", "scheduleForced", "userCreated"),
    *("validateShelveset", "checkInShelveset", "pullRequest", "buildCompletion"),
    *("resourceTrigger", "triggered", "all"),
}
_ABSENT = {
    *("queues", "requestedFor", "properties", "maxBuildsPerDefinition"),
    *("repositoryId", "repositoryType"),
}
_DELETED = {
    "excludeDeleted": {False},
    "includeDeleted": {False, True},
    "onlyDeleted": {True},
}
_NEVER = datetime.min.replace(tzinfo=UTC)
MAX_TOP = 5000


@dataclass(frozen=True)
class Page:
    """One page of builds and the token of the next one, if there is more."""

    builds: list[QueuedRun]
    continuation: str | None


def page(runs: list[QueuedRun], query: Mapping[str, str], default_top: int) -> Page:
    """The page of `runs` that the query asks for; a 400 Refusal for what cannot be read.

    `minTime` and `maxTime` bound the time that `queryOrder` names, which is the finish time
    unless one is named: a build without that time is then not listed. The continuation token
    is opaque. A filter that exists but is not served here is refused with 501, so that nobody
    takes an unfiltered list for a filtered one.
    """
    for name in _ABSENT & set(query):
        raise Refusal(501, "NotImplementedException", f"{name} is not served locally.")
    time, descending = _order(query.get("queryOrder") or "finishTimeDescending")
    wanted = [_deleted(query), *_filters(query), *_bounds(query, time)]
    found = [run for run in runs if all(fits(run) for fits in wanted)]
    found.sort(key=lambda run: _place(run, time), reverse=descending)
    rest = _after(found, query.get("continuationToken"), time, descending=descending)
    top = _top(query.get("$top"), default_top)
    more = rest[top] if len(rest) > top else None
    return Page(rest[:top], None if more is None else _token(more, time))


def _order(name: str) -> tuple[str, bool]:
    if name not in _ORDERS:
        raise bad_argument("queryOrder", name)
    return _ORDERS[name]


def _time(run: QueuedRun, name: str) -> datetime | None:
    value: datetime | None = getattr(run, name)
    return value


def _place(run: QueuedRun, time: str) -> tuple[datetime, int]:
    return _time(run, time) or _NEVER, run.id


def _token(run: QueuedRun, time: str) -> str:
    return f"{told(_time(run, time) or _NEVER)}_{run.id}"


def _after(
    found: list[QueuedRun], token: str | None, time: str, *, descending: bool
) -> list[QueuedRun]:
    if not token:
        return found
    moment, _, number = token.rpartition("_")
    try:
        start = (_moment(moment), int(number))
    except ValueError as error:
        raise bad_argument("continuationToken", token) from error
    if descending:
        return [run for run in found if _place(run, time) <= start]
    return [run for run in found if _place(run, time) >= start]


def _top(text: str | None, default: int) -> int:
    if not text:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= MAX_TOP:
        raise bad_argument("$top", text)
    return min(int(text), default)


def _bounds(query: Mapping[str, str], time: str) -> list[Predicate]:
    wanted: list[Predicate] = []
    if low := query.get("minTime"):
        since = _bound("minTime", low)
        wanted.append(lambda run: (_time(run, time) or _NEVER) >= since)
    if high := query.get("maxTime"):
        until = _bound("maxTime", high)
        wanted.append(lambda run: _time(run, time) is not None and _place(run, time)[0] <= until)
    return wanted


def _bound(name: str, text: str) -> datetime:
    try:
        return _moment(text)
    except ValueError as error:
        raise bad_argument(name, text) from error


def _moment(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _filters(query: Mapping[str, str]) -> list[Predicate]:
    return [make(text) for name, make in _FILTERS.items() if (text := query.get(name))]


def _deleted(query: Mapping[str, str]) -> Predicate:
    name = query.get("deletedFilter") or "excludeDeleted"
    if name not in _DELETED:
        raise bad_argument("deletedFilter", name)
    return lambda run: run.deleted in _DELETED[name]


def _ids(name: str, text: str) -> set[int]:
    try:
        return {int(part) for part in text.split(",")}
    except ValueError as error:
        raise bad_argument(name, text) from error


def _definitions(text: str) -> Predicate:
    ids = _ids("definitions", text)
    return lambda run: run.pipeline_id in ids


def _build_ids(text: str) -> Predicate:
    ids = _ids("buildIds", text)
    return lambda run: run.id in ids


def _number(text: str) -> Predicate:
    if text.endswith("*"):
        return lambda run: run.number.startswith(text[:-1])
    return lambda run: run.number == text


def _tags(text: str) -> Predicate:
    wanted = {tag.strip().casefold() for tag in text.split(",")}
    return lambda run: wanted <= {tag.casefold() for tag in run.tags}


def _one_of(
    name: str, allowed: set[str], value: Callable[[QueuedRun], str]
) -> Callable[[str], Predicate]:
    def make(text: str) -> Predicate:
        wanted = set(text.split(","))
        if not wanted <= allowed:
            raise bad_argument(name, text)
        return lambda run: "all" in wanted or value(run) in wanted

    return make


_FILTERS: dict[str, Callable[[str], Predicate]] = {
    "definitions": _definitions,
    "buildIds": _build_ids,
    "buildNumber": _number,
    "branchName": lambda text: lambda run: run.branch == text,
    "tagFilters": _tags,
    "statusFilter": _one_of("statusFilter", _STATUS, lambda run: run.status),
    "resultFilter": _one_of("resultFilter", _RESULT, lambda run: run.result or "none"),
    "reasonFilter": _one_of("reasonFilter", _REASON, lambda _run: "manual"),
}
