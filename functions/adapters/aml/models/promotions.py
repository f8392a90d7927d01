"""Which versions of all registered models an alias, a tag or a stage names.

A search for registered models lists with each its aliases, and of each stage the latest version.
Tags stand beside the versions, which are searched by the model's name: AML documents no other
filter, and that it has aliases no page of it says. A list is read to its end, or is none: who looks
for what has changed must not take for gone what could not be read.

https://mlflow.org/docs/latest/api_reference/rest-api.html#search-registeredmodels
https://learn.microsoft.com/azure/machine-learning/how-to-manage-models-mlflow
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.adapters.aml.answers import (
    NO_SUCH_CALL,
    dicts,
    found_or_raise,
    goes_on,
    listed,
    read_twice,
)
from functions.adapters.aml.models import described
from functions.adapters.aml.models.champions import says_missing
from functions.adapters.aml.models.registered import MODELS, PAGE, VERSIONS, by_name
from functions.core.routes import filters
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.terms.standing import Shown
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from functions.adapters.aml.workspaces import Workspaces
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Workspace
    from functions.core.terms.standing import Promotion

Found = dict[str, Any]
ALIAS = "/api/2.0/mlflow/registered-models/alias"
MOST_PAGES = 50  # of models, and of the versions of one
MOST_NAMES = 200  # of models whose versions are asked for, where it takes a request for each
MOST_UNREAD = 3  # models; of more the registry itself fails
MOST_ASKED = 10  # models that are asked for their alias, where none is listed; those renewed last
LONGEST_TIME = 20  # digits


class Promotions:
    """The registry's word on what is promoted. Raises Retryable."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    def of(self, workspace: Workspace, promotion: Promotion, deadline: Deadline) -> Shown:
        """The versions that are promoted, by the name of every model that could be read."""
        search = {"max_results": str(PAGE)}
        every = self._pages(workspace, MODELS, search, "registered models", deadline)
        models = {name: model for model in every if (name := described.text(model.get("name")))}
        sought = [name for name in models if filters.fits(promotion.model, name)]
        if promotion.alias and not any(model.get("aliases") for model in models.values()):
            renewed = sorted(sought, key=lambda name: -_renewed(models[name]))
            self._must_have_no_alias(workspace, renewed[:MOST_ASKED], promotion.alias, deadline)
        if promotion.tags:
            return self._tagged(workspace, sought, promotion, deadline)
        has = _aliased if promotion.alias else _staged
        return _of_each(sought, lambda name: has(models[name], promotion), deadline)

    def _tagged(
        self, workspace: Workspace, names: list[str], promotion: Promotion, deadline: Deadline
    ) -> Shown:
        if len(names) > MOST_NAMES:
            most = f"more than {MOST_NAMES} models are asked for their versions' tags"
            raise _unread(f"{most}: name fewer with `model`, or promote by an alias or a stage")

        def of(name: str) -> Iterator[str]:
            return _tagged(self._versions(workspace, name, deadline), promotion)

        return _of_each(names, of, deadline)

    def _versions(self, workspace: Workspace, name: str, deadline: Deadline) -> list[Found]:
        what = f"versions of model {name}"
        pages = self._pages(workspace, VERSIONS, by_name(name), what, deadline)
        return [version for version in pages if version.get("name") == name]

    def _must_have_no_alias(
        self, workspace: Workspace, names: list[str], alias: str, deadline: Deadline
    ) -> None:
        """Raises Retryable where none is listed since the registry lists, or has, no aliases."""
        for name in names:
            asked = {"name": name, "alias": alias}
            answer = self._workspaces.mlflow(workspace, ALIAS, deadline, params=asked)
            if answer.status == 200:
                raise _unread(
                    "the registry has aliases and lists none: promote by a tag or a stage"
                )
            if says_missing(answer, f"alias {alias}") or says_missing(answer, f"name={name}"):
                continue
            if answer.status in NO_SUCH_CALL:
                raise _unread("the registry has no aliases: promote by a tag or a stage")
            found_or_raise(answer, f"alias {alias}")

    def _pages(
        self,
        workspace: Workspace,
        call: str,
        search: dict[str, str],
        what: str,
        deadline: Deadline,
    ) -> list[Found]:
        """What all pages list; raises Retryable where that is more than is read."""
        key = "registered_models" if call == MODELS else "model_versions"

        def read() -> tuple[list[Found], int]:
            asked, found = dict[str, Any](search), list[Found]()
            for number in range(MOST_PAGES):
                answer = self._workspaces.mlflow(workspace, call, deadline, params=asked)
                page = found_or_raise(answer, what)
                found += listed(page, key, what)
                if not goes_on(asked, page, what):
                    return found, number + 1
            raise _unread(f"{what}: more than {MOST_PAGES} pages")

        return read_twice(read, "name", "version")


def _of_each(names: Iterable[str], of: Callable[[str], Iterable[str]], deadline: Deadline) -> Shown:
    """The versions of every model but a few that cannot be read: one hides no others."""
    found, unread = dict[str, frozenset[str]](), list[str]()
    for name in names:
        try:
            found[name] = frozenset(of(name))
        except Retryable as error:
            if error.retry_after or deadline.has_passed or len(unread) == MOST_UNREAD:
                raise
            unread.append(error.detail)
    return Shown(found, "; ".join(unread))


def _renewed(model: Found) -> int:
    """When it, or an alias of it, was last written, in milliseconds; 0 where it does not say."""
    told = described.text(model.get("last_updated_timestamp")) or ""
    return int(told) if told.isdecimal() and len(told) < LONGEST_TIME else 0


def _aliased(model: Found, promotion: Promotion) -> Iterator[str]:
    for one in dicts(model.get("aliases")):
        if one.get("alias") == promotion.alias:
            yield _number(one)


def _staged(model: Found, promotion: Promotion) -> Iterator[str]:
    for version in dicts(model.get("latest_versions")):
        if str(version.get("current_stage")).casefold() == promotion.stage.casefold():
            yield _number(version)


def _tagged(versions: list[Found], promotion: Promotion) -> Iterator[str]:
    """Names and values in any case, as for a champion."""
    wanted = {(name.casefold(), value.casefold()) for name, value in promotion.tags.items()}
    for version in versions:
        tags = dicts(version.get("tags"))
        told = {(str(t.get("key")).casefold(), str(t.get("value")).casefold()) for t in tags}
        if wanted <= told:
            yield _number(version)


def _number(found: Found) -> str:
    if not (number := described.text(found.get("version"))):
        raise _unread("the registry promotes a version that it does not name")
    return number


def _unread(why: str) -> Retryable:
    return Retryable(Reason.RUN_UNREADABLE, bounded(why))
