"""What AML's answers mean: a run, a page of many, or that they cannot be read. Pure functions.

https://mlflow.org/docs/latest/rest-api.html
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from functions.core.events import parsing
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Run
from functions.core.terms.words import Outcome
from functions.core.texts.bounds import bounded, kept
from functions.core.texts.times import from_epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from functions.adapters.http.transport import Answer

NO_SUCH_CALL = frozenset({400, 404, 405, 501})  # in the ways servers say it
NO_SUCH_OPTION = frozenset({400, 501})  # the call is there and does not take what was asked
_OF_ERRORS = frozenset({"error", "error_code", "errors", "message", "statuscode"})
OUTCOMES = {
    "FINISHED": Outcome.COMPLETED,
    "FAILED": Outcome.FAILED,
    "KILLED": Outcome.CANCELED,
}


def dicts(found: object) -> list[dict[str, Any]]:
    """The objects of a list; nothing where the service sent something else."""
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def found_or_raise(answer: Answer, what: str) -> dict[str, Any]:
    """The JSON object of a 200; Retryable (run_not_found, run_unreadable) for anything else.

    One that says what went wrong is none, though a gateway may call it 200: it lists nothing.
    """
    found = answer.json
    is_object = answer.status == 200 and isinstance(found, dict)
    if is_object and _OF_ERRORS.isdisjoint(map(str.lower, found)):
        return dict(found)
    raise unread(answer, what)


def about_or_raise(said: object, asked: str, what: str) -> None:
    """Retryable (run_unreadable) unless the answer says that it is about what was asked for."""
    if str(said).casefold() != asked.casefold():
        detail = f"{what}: the answer is about {said or 'nothing that it names'}"
        raise Retryable(Reason.RUN_UNREADABLE, bounded(detail))


def unread(answer: Answer, what: str) -> Retryable:
    """What an answer means that is not the one that was hoped for."""
    found = answer.json
    said = found.get("message") or found.get("error") if isinstance(found, dict) else ""
    detail = bounded(f"{what}: answered {answer.status}: {said}")
    missing = answer.status == 404
    reason = Reason.RUN_NOT_FOUND if missing else Reason.RUN_UNREADABLE
    return Retryable(reason, detail, answer.retry_after)


def listed(page: Mapping[str, object], key: str, what: str) -> list[dict[str, Any]]:
    """The objects that a page lists; none where it says nothing of any.

    Raises Retryable (run_unreadable) for anything else, which is not to have none.
    """
    found = page.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Retryable(Reason.RUN_UNREADABLE, f"{what}: the answer is no list of {key}")
    return found


def read_twice(
    read: Callable[[], tuple[list[dict[str, Any]], int]], *named: str
) -> list[dict[str, Any]]:
    """What a list shows, each entry once by the names of these keys; `read` counts its pages, too.

    Of several pages it is what two readings show, as the later one has it: what is taken out of a
    list while it is read moves another entry to a page that was read already.
    """
    found, pages = read()
    again = read()[0] if pages > 1 else []
    return [*{tuple(str(one.get(n)) for n in named): one for one in (*found, *again)}.values()]


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


def parse(found: object) -> Run:
    """A run from MLflow's JSON: metrics, params and tags are lists of key and value.

    An odd one of these is left out, which costs the others nothing.
    Raises Retryable (run_unreadable) for anything that is no run.
    """
    try:
        info, data = found["info"], found.get("data") or {}  # type: ignore[index, attr-defined]
        status = str(info["status"])
        tags = _pairs(data.get("tags"))
        metrics, unread = _metrics(data.get("metrics"))
        return Run(
            id=_id(info.get("run_id") or info["run_uuid"]),
            name=kept(info.get("run_name") or tags.get("mlflow.runName") or ""),
            experiment_id=str(info.get("experiment_id", "")),
            status=kept(status, 50),
            outcome=OUTCOMES.get(status),
            start_time=_time(info.get("start_time")),
            end_time=_time(info.get("end_time")),
            metrics=metrics,
            params=_pairs(data.get("params")),
            tags=tags,
            unread=unread,
            deleted=str(info.get("lifecycle_stage", "")).lower() == "deleted",
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        detail = f"AML sent something that is no run: {type(error).__name__}"
        raise Retryable(Reason.RUN_UNREADABLE, detail) from None


def _pairs(found: object) -> dict[str, str]:
    """Texts by key; one that is odd, or has no value but null, is left out."""
    return {
        str(pair["key"]): str(pair.get("value", ""))
        for pair in _listed(found)
        if "key" in pair and pair.get("value", "") is not None
    }


def _id(found: object) -> str:
    text = str(found)
    if not parsing.is_run_id(text):
        raise ValueError("it has no usable id")
    return text


def _metrics(found: object) -> tuple[dict[str, float], dict[str, str]]:
    """All of them by name, and what is to be said of those that are no numbers at all.

    NaN and infinite ones are there, so that none is taken from another run in their place.
    """
    given = {str(m["key"]): m.get("value") for m in _listed(found) if "key" in m}
    numbers = {name: _number(value) for name, value in given.items()}
    odd = [name for name, number in numbers.items() if number is None]
    unread = {f"run.metrics.{n}": f"is no number: {bounded(given[n], 40)}" for n in odd}
    return {n: math.nan if number is None else number for n, number in numbers.items()}, unread


def _listed(found: object) -> list[dict[str, Any]]:
    """The objects of a list, which may not be there; raises TypeError for what is no list."""
    if found is not None and not isinstance(found, list):
        raise TypeError
    return dicts(found)


def _number(value: object) -> float | None:
    """A number, and None for what is none; what is too large for a float is infinite.

    MLflow sends NaN, which a training logs that diverged, as text and an infinite metric as the
    largest number. https://protobuf.dev/programming-guides/json/
    https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/store/tracking/sqlalchemy_store.py
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except OverflowError:
        return math.inf if int(value) > 0 else -math.inf
    except ValueError:
        return None
    return math.copysign(math.inf, number) if abs(number) >= sys.float_info.max else number


def _time(milliseconds: object) -> datetime | None:
    try:
        return from_epoch(int(str(milliseconds)) / 1000) if milliseconds else None
    except (OverflowError, ValueError):
        return None
