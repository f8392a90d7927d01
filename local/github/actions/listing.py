"""The query of a list of runs: which of them, and which page.

https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, get_args
from urllib.parse import urlencode

from local.github.actions import dates
from local.github.actions.runs import Conclusion, Run, Status
from local.github.errors import invalid_argument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

MOST = 1000  # results of one search
LARGEST_PAGE, PAGE = 100, 30
SEARCH = ("actor", "branch", "check_suite_id", "created", "event", "head_sha", "status")
STATUSES = {"requested", "pending", *get_args(Status), *get_args(Conclusion)}

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of something: its items, how many there are, and the query of each other page."""

    items: Sequence[T]
    total: int
    links: Mapping[str, str]

    def header(self, url: str) -> str:
        """The value of the header Link; empty if this page is all."""
        return ", ".join(f'<{url}?{query}>; rel="{rel}"' for rel, query in self.links.items())


def page(found: Sequence[T], query: Mapping[str, str], most: int | None = None) -> Page[T]:
    """The page that a query asks for. More than 100 a page are 100, as the service has it."""
    size = min(_number(query, "per_page", PAGE), LARGEST_PAGE)
    number = _number(query, "page", 1)
    there = found if most is None else found[:most]
    last = max(1, -(-len(there) // size))
    links: dict[str, int] = {}
    if number > 1:
        links |= {"prev": min(number - 1, last), "first": 1}
    if number < last:
        links |= {"next": number + 1, "last": last}
    queries = {rel: urlencode({**query, "page": str(n)}) for rel, n in links.items()}
    return Page(there[(number - 1) * size : number * size], len(found), queries)


def runs(every: Iterable[Run], query: Mapping[str, str]) -> Page[Run]:
    """A page of those that fit, newest first; a search ends after 1,000 results."""
    wanted = _filters(query)
    found = [run for run in every if all(fits(run) for fits in wanted)]
    newest = sorted(found, key=lambda run: (run.created_at, run.id), reverse=True)
    return page(newest, query, MOST if any(name in query for name in SEARCH) else None)


def _filters(query: Mapping[str, str]) -> list[Callable[[Run], bool]]:
    known: dict[str, Callable[[Run, str], bool]] = {
        "actor": lambda run, value: run.actor.lower() == value.lower(),
        "branch": lambda run, value: run.ref == value,
        "check_suite_id": lambda run, value: str(run.id) == value,
        "event": lambda run, value: run.event == value,
        "head_sha": lambda run, value: run.sha == value,
        "status": lambda run, value: value in {run.status, run.conclusion},
    }
    if query.get("status", "queued") not in STATUSES:
        raise invalid_argument("WorkflowRun", "status")
    wanted = [_bound(known[name], query[name]) for name in known if name in query]
    if "created" in query:
        try:
            within = dates.within(query["created"])
        except ValueError as error:
            raise invalid_argument("WorkflowRun", "created") from error
        wanted.append(lambda run: within(run.created_at))
    return wanted


def _bound(fits: Callable[[Run, str], bool], value: str) -> Callable[[Run], bool]:
    return lambda run: fits(run, value)


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal() or not int(text):
        raise invalid_argument("WorkflowRun", name)
    return int(text)
