"""Looks through the runs of GitHub Actions for the one of a lost answer.

https://docs.github.com/rest/actions/workflow-runs
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from functions.adapters.github.answers import has_id
from functions.adapters.github.calls import incomplete
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.texts import marks
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from functions.adapters.github.calls import Calls
    from functions.adapters.http.transport import Answer
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.pipelines import Credential, PipelineRequest

PAGE = 100
MOST_PAGES = 50
CLOCKS_DIFFER = timedelta(hours=1)  # by at most so much: the hash alone tells whose a run is


class LookUp:
    """Looks through the runs of a request's workflow, the newest first.

    Without GitHub's filters: with any it shows a thousand at most, and by an index that is behind.
    """

    def __init__(
        self, calls: Calls, request: PipelineRequest, credential: Credential, deadline: Deadline
    ) -> None:
        self._calls, self._url = calls, f"{calls.workflow(request)}/runs"
        self._request, self._credential, self._deadline = request, credential, deadline

    def marked(self, queued: tuple[datetime, datetime]) -> Iterator[int]:
        """The ids of those whose name shows the mark; raises Retryable where it was not all.

        One that was dispatched in that time and whose name shows no start's hash may be the one:
        its workflow has no such `run-name`, or the name was cut. It is no proof that none is there,
        unless somebody else dispatched it.
        """
        asked = self._request
        if not asked.mark:
            raise incomplete("the request has nothing that a run's name would show")
        seen, unnamed, found = set[int](), list[dict[str, Any]](), False
        for run, made in self._since(queued[0] - CLOCKS_DIFFER):
            number, title = run["id"], str(run.get("display_title", ""))
            if run.get("event") != "workflow_dispatch" or number in seen:
                continue
            seen.add(number)
            if asked.mark in marks.shown(title):
                found = True
                yield number
            elif queued[0] <= made <= queued[1] and not marks.of_others(title, asked.body):
                unnamed.append(run)
        if not found and (own := [run for run in unnamed if not self._is_by_another(run)]):
            raise incomplete(f"run {own[0]['id']} may be the one: its name shows no start's hash")

    def _is_by_another(self, run: dict[str, Any]) -> bool:
        """Whether it was surely not dispatched by whose the credential is that sent the request.

        That of an App is its bot's, a token its user's. Whose one of before was nobody tells.
        """
        if not self._request.by or self._request.by != self._credential.version:
            return False
        actor = run.get("actor")
        by: dict[str, Any] = actor if isinstance(actor, dict) else {}
        if self._credential.renews:
            own = self._credential.login
            return bool(own) and str(by.get("login", own)).casefold() != own.casefold()
        return type(by.get("id")) is int and self._user not in {0, by["id"]}

    @cached_property
    def _user(self) -> int:
        """The id of the token's user; 0: it is not told. One request."""
        try:
            answer = self._calls.read(self._calls.user, self._credential, self._deadline)
        except Retryable:
            return 0
        found = answer.json if answer else {}
        return int(found["id"]) if has_id(found) else 0

    def _since(self, since: datetime) -> Iterator[tuple[dict[str, Any], datetime]]:
        """Those that were made since then, and when.

        What is made meanwhile moves others to the next page, where they are seen twice. What is
        deleted meanwhile moves them to the page before, so that fewer of them are no whole look,
        and no more are those that show fewer than they count.
        """
        count = there = 0
        seen: set[int] = set()
        for page in range(1, MOST_PAGES + 1):
            listed, total = _listed(self._page(page))
            if total < count:
                raise incomplete("runs were deleted during the look")
            count, there = total, there if seen else total
            made = [(run, _made(run)) for run in listed]
            yield from (one for one in made if one[1] >= since)
            if any(at < since for _, at in made):
                return
            seen.update(run["id"] for run in listed)
            if len(listed) < PAGE and len(seen) >= there:
                return
            if not listed:
                raise incomplete(f"the list shows {len(seen)} of {there} runs")
        raise incomplete(f"more than {MOST_PAGES} pages of runs")

    def _page(self, page: int) -> Answer | None:
        params = {"per_page": f"{PAGE}", "page": f"{page}"}
        try:
            return self._calls.read(self._url, self._credential, self._deadline, params)
        except Retryable as error:
            if error.reason is not Reason.REFUSED:
                raise
            why = f"the look for a lost answer's run was refused: {error.detail}"
            raise Retryable(Reason.LOOK_FAILED, why, error.retry_after) from None


def _made(run: dict[str, Any]) -> datetime:
    made = parse_time(run.get("created_at"))
    if made is None or not has_id(run):
        raise incomplete("a run in the list has no id, or no time")
    return made


def _listed(answer: Answer | None) -> tuple[list[dict[str, Any]], int]:
    if answer is None:
        raise incomplete("GitHub answered 404: no such workflow, or it may not be seen")
    found = answer.json
    listed = found.get("workflow_runs") if isinstance(found, dict) else None
    total = found.get("total_count") if isinstance(found, dict) else None
    if not isinstance(listed, list) or type(total) is not int:
        raise incomplete("the list of runs is no list")
    if not all(isinstance(run, dict) for run in listed):
        raise incomplete("the list of runs holds something else")
    return listed, total
