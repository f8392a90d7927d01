"""Repositories of the local GitHub: their branches and tags, and the workflows in their files."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from local.github.actions.declared import Declared
from local.github.errors import Refusal, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

State = Literal["active", "deleted", "disabled_fork", "disabled_inactivity", "disabled_manually"]

FOLDER = ".github/workflows"


@dataclass
class Workflow:
    """A workflow: what the default branch has of it, and its text by branch or tag."""

    id: int
    path: str
    created_at: datetime
    texts: dict[str, str]
    declared: Declared
    state: State = "active"

    @property
    def file(self) -> str:
        """The file's name, by which the API knows it too."""
        return self.path.rpartition("/")[2]


@dataclass
class Repository:
    """One repository. `branches[0]` is the default one."""

    id: int
    owner: str
    name: str
    created_at: datetime
    private: bool = True
    archived: bool = False
    branches: tuple[str, ...] = ("main",)
    tags: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    workflows: list[Workflow] = field(default_factory=list)
    former: set[str] = field(default_factory=set)

    @property
    def full_name(self) -> str:
        """Owner and name."""
        return f"{self.owner}/{self.name}"

    @property
    def default_branch(self) -> str:
        """What `github.com` shows first."""
        return self.branches[0]

    def ref(self, asked: str) -> tuple[str, str] | None:
        """The short and the full name of a branch or tag, named either way; None if none is it."""
        for prefix, names in (("refs/heads/", self.branches), ("refs/tags/", self.tags)):
            short = asked.removeprefix(prefix)
            if short in names:
                return short, prefix + short
        return None

    def sha(self, short: str) -> str:
        """The commit that a branch or tag is at; the same in every process."""
        text = f"{self.full_name.lower()}@{short}"
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def workflow(self, known_as: str) -> Workflow:
        """A workflow by its id or by the name of its file. Raises the 404 Refusal."""
        for one in self.workflows:
            if known_as in {str(one.id), one.file}:
                return one
        raise not_found()

    def text(self, path: str, ref: str | None) -> str:
        """What a file says at a branch or tag. Raises the 404 Refusals."""
        found = self.ref(ref or self.default_branch)
        if found is None:
            raise Refusal(404, f"No commit found for the ref {ref}")
        for one in self.workflows:
            if one.path == path and found[0] in one.texts:
                return one.texts[found[0]]
        raise not_found()


class Repositories:
    """All repositories. Names are the same in any case. Safe for threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._all: list[Repository] = []
        self._count = 0
        self._lock = threading.Lock()

    def add_repository(
        self,
        owner: str,
        name: str,
        *,
        private: bool = True,
        branches: Iterable[str] = ("main",),
        tags: Iterable[str] = (),
        environments: Iterable[str] = (),
    ) -> Repository:
        """Have one more repository; the first of its branches is the default one."""
        with self._lock:
            made = Repository(
                id=810_000_001 + len(self._all),
                owner=owner,
                name=name,
                created_at=self._clock(),
                private=private,
                branches=tuple(branches),
                tags=tuple(tags),
                environments=tuple(environments),
            )
            self._all.append(made)
            return made

    def add_workflow(
        self, owner: str, name: str, file: str, text: str, *, refs: Iterable[str] | None = None
    ) -> Workflow:
        """Put a file into `.github/workflows`, on these branches and tags or on all.

        A file that is there already changes on them. ValueError for YAML that says no workflow.
        """
        where = self.find(owner, name)
        if where is None:
            raise KeyError(f"{owner}/{name}")
        names = tuple(refs or (*where.branches, *where.tags))
        declared = Declared.read(file, text)
        with self._lock:
            for known in where.workflows:
                if known.file == file:
                    known.texts.update(dict.fromkeys(names, text))
                    known.declared = Declared.read(file, self._shown(where, known))
                    return known
            self._count += 1
            made = Workflow(
                id=160_000_000 + self._count,
                path=f"{FOLDER}/{file}",
                created_at=self._clock(),
                texts=dict.fromkeys(names, text),
                declared=declared,
            )
            where.workflows.append(made)
            return made

    def rename(self, owner: str, name: str, new: str) -> None:
        """Give a repository another name; the former one redirects. KeyError if there is none."""
        found = self.find(owner, name)
        if found is None:
            raise KeyError(f"{owner}/{name}")
        found.former.add(found.full_name.lower())
        found.name = new

    def find(self, owner: str, name: str) -> Repository | None:
        """The repository of this name."""
        wanted = f"{owner}/{name}".lower()
        with self._lock:
            return next((one for one in self._all if one.full_name.lower() == wanted), None)

    def formerly(self, owner: str, name: str) -> Repository | None:
        """The repository that once had this name."""
        wanted = f"{owner}/{name}".lower()
        with self._lock:
            return next((one for one in self._all if wanted in one.former), None)

    def by_id(self, repository_id: int) -> Repository | None:
        """The repository with this id."""
        with self._lock:
            return next((one for one in self._all if one.id == repository_id), None)

    def names_of(self, owner: str) -> list[str]:
        """What an owner's repositories are called."""
        with self._lock:
            return [one.name for one in self._all if one.owner.lower() == owner.lower()]

    @staticmethod
    def _shown(where: Repository, known: Workflow) -> str:
        """The text that names it: that of the default branch, or else any."""
        return known.texts.get(where.default_branch) or next(iter(known.texts.values()))
