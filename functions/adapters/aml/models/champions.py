"""Which version of a registered model an alias, a tag or the order of versions names.

MLflow knows aliases since 2.3 and answers `registered-models/alias` with the version, or, where
there is no such alias, 400 "Registered model alias … not found", and where there is no such model
404 RESOURCE_DOES_NOT_EXIST. AML's pages name no aliases among what it supports, so a refusal in
any other words is told as one. Tags stand beside each version, and by a search for `name='…'` all
versions are found: that is documented for AML too. A search tells no aliases in several versions.

https://mlflow.org/docs/latest/api_reference/rest-api.html#get-model-version-by-alias
https://learn.microsoft.com/azure/machine-learning/how-to-manage-models-mlflow
https://github.com/mlflow/mlflow/issues/16734
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.adapters.aml.answers import (
    NO_SUCH_CALL,
    about_or_raise,
    dicts,
    found_or_raise,
    goes_on,
    listed,
    read_twice,
)
from functions.adapters.aml.models import described
from functions.adapters.aml.models.registered import MOST_PAGES, VERSIONS, by_name
from functions.core.events import parsing
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.terms.standing import Standing
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from functions.adapters.aml.workspaces import Workspaces
    from functions.adapters.http.transport import Answer
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Workspace
    from functions.core.terms.standing import Challenger, Choice

Version = dict[str, Any]
_ALIAS = "/api/2.0/mlflow/registered-models/alias"
_UNFINISHED = frozenset({"PENDING_REGISTRATION", "FAILED_REGISTRATION"})
_MISSING = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"})


class Champions:
    """The registry's word on who is to be beaten. Raises Retryable."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    def of(
        self, workspace: Workspace, choice: Choice, challenger: Challenger, deadline: Deadline
    ) -> Standing:
        """The chosen version, that there is none, or why nobody can tell."""
        if choice.alias:
            return self._aliased(workspace, choice.alias, challenger, deadline)
        return self._newest(workspace, choice, challenger, deadline)

    def _aliased(
        self, workspace: Workspace, alias: str, challenger: Challenger, deadline: Deadline
    ) -> Standing:
        asked = {"name": challenger.name, "alias": alias}
        what = f"alias {alias} of model {challenger.name}"
        answer = self._workspaces.mlflow(workspace, _ALIAS, deadline, params=asked)
        if says_missing(answer, f"alias {alias}"):
            return Standing(vacant=True, why=f"{what} is not set")
        if says_missing(answer, f"name={challenger.name}"):
            return _without_model(challenger)
        if answer.status in NO_SUCH_CALL:
            other = "choose it by `tag`, or `newest`, if this registry has no aliases"
            return Standing(why=bounded(f"{what}: answered {answer.status}; {other}"))
        told = found_or_raise(answer, what).get("model_version")
        found = told if isinstance(told, dict) else {}
        about_or_raise(found.get("name"), challenger.name, what)
        aliases = found.get("aliases")
        if isinstance(aliases, list) and alias not in aliases:
            about_or_raise(", ".join(map(str, aliases)), alias, what)
        standing = _standing(found, what)
        if challenger.is_own(standing.version, standing.run):
            why = f"{what} is at version {standing.version}, which is under judgement itself"
            return Standing(vacant=True, why=why)
        return standing

    def _newest(
        self, workspace: Workspace, choice: Choice, challenger: Challenger, deadline: Deadline
    ) -> Standing:
        versions, why = self._versions(workspace, challenger.name, deadline)
        if why:
            return Standing(why=why)
        if challenger.version and not any(_number(v) == challenger.version for v in versions):
            lacks = f"the registry does not list version {challenger.version}"
            return Standing(why=f"{lacks} of model {challenger.name} yet, so it may lack others")
        if not versions:
            return _without_model(challenger)
        ready = [v for v in versions if str(v.get("status")).upper() not in _UNFINISHED]
        wanted = {(name.casefold(), value.casefold()) for name, value in choice.tags.items()}
        fitting = [v for v in ready if wanted <= _tags(v)]
        others = [v for v in fitting if not challenger.is_own(_number(v), _run(v))]
        if not others:
            chosen = f"with {choice}" if choice.tags else "than the one under judgement"
            why = f"no other version of model {challenger.name} {chosen}"
            return Standing(vacant=True, why=why)
        newest = max(others, key=lambda v: (described.created(v), described.number(_number(v))))
        return _standing(newest, f"versions of model {challenger.name}")

    def _versions(
        self, workspace: Workspace, name: str, deadline: Deadline
    ) -> tuple[list[Version], str]:
        """All versions of the name, or why it cannot be told which they are."""
        what, why = f"versions of model {name}", ""

        def read() -> tuple[list[Version], int]:
            nonlocal why
            search, found = dict[str, Any](by_name(name)), list[Version]()
            for number in range(MOST_PAGES):
                answer = self._workspaces.mlflow(workspace, VERSIONS, deadline, params=search)
                if answer.status in NO_SUCH_CALL:
                    why = bounded(f"{what}: answered {answer.status}")
                    return [], 0
                page = found_or_raise(answer, what)
                found += listed(page, "model_versions", what)
                if not goes_on(search, page, what):
                    return found, number + 1
            why = f"{what}: more than {MOST_PAGES} pages: choose the champion by `alias`"
            return [], 0

        found = read_twice(read, "name", "version")
        own = [version for version in found if version.get("name") == name]
        if found and not own and not why:
            about = bounded(f"{what}: the answer is about {found[0].get('name')}")
            raise Retryable(Reason.RUN_UNREADABLE, about)
        return own, why


def _without_model(challenger: Challenger) -> Standing:
    """The registry has no such model: which it must have once it gave the challenger a version."""
    why = f"the registry has no model {challenger.name}"
    if challenger.version:
        return Standing(why=f"{why} yet, of which version {challenger.version} is under judgement")
    return Standing(vacant=True, why=why, unheard=True)


def says_missing(answer: Answer, what: str) -> bool:
    """Whether MLflow says that there is no such thing, and not that it knows no such call.

    https://github.com/mlflow/mlflow/blob/v3.7.0/mlflow/store/model_registry/sqlalchemy_store.py
    https://github.com/Azure/azure-sdk-for-python/issues/42155
    """
    found = answer.json if answer.status in {400, 404} else None
    if not isinstance(found, dict) or found.get("error_code") not in _MISSING:
        return False
    inner = found.get("Error")  # how AML wraps what MLflow says
    told = inner.get("Message") if isinstance(inner, dict) else found.get("message")
    return f"{what} not found" in str(told)


def _standing(found: Version, what: str) -> Standing:
    """The version as a champion; raises Retryable (run_unreadable) if it names none."""
    if not (version := _number(found)):
        raise Retryable(Reason.RUN_UNREADABLE, bounded(f"{what}: the answer names no version"))
    return Standing(version=version, run=_run(found))


def _number(found: Version) -> str:
    return described.text(found.get("version")) or ""


def _run(found: Version) -> str:
    """The run that made it; "" where it names none, or no id that can be asked for."""
    run = found.get("run_id")
    return run if isinstance(run, str) and parsing.is_run_id(run) else ""


def _tags(found: Version) -> set[tuple[str, str]]:
    """Names and values, in small letters: in any case they are meant, as in a route's `match`."""
    told = dicts(found.get("tags"))
    return {(str(tag.get("key")).casefold(), str(tag.get("value")).casefold()) for tag in told}
