"""Which version of a model a run is judged by, and which is promoted: the values."""

from __future__ import annotations

from msgspec import Struct, field


class Choice(Struct, frozen=True, kw_only=True):
    """Which other version of the model it is: that of an alias, else the newest with these tags."""

    alias: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """As people read it."""
        if self.alias:
            return f"the alias {self.alias}"
        tags = ", ".join(f"{name}: {value}" for name, value in self.tags.items())
        return f"the tag {tags}" if tags else "newest"


class Promotion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What makes a version promoted: an alias, a tag or a stage; of models of that pattern."""

    model: str | None = None
    alias: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    stage: str = ""

    @property
    def value(self) -> str:
        """What a promoted version has: the alias, the tag's value or the stage."""
        return self.alias or self.stage or ",".join(self.tags.values())

    def __str__(self) -> str:
        """As people read it."""
        tags = ", ".join(f"{name}: {value}" for name, value in self.tags.items())
        named = (("alias", self.alias), ("stage", self.stage), ("tag", tags))
        return next(f"the {what} {value}" for what, value in named if value)


class Challenger(Struct, frozen=True):
    """The model under judgement: its name, its version if it has one yet, and the run's own runs.

    A version of these is never its own champion.
    """

    name: str
    version: str
    runs: frozenset[str]

    def is_own(self, version: str, run: str) -> bool:
        """Whether a version of that name is the one under judgement."""
        return (bool(self.version) and version == self.version) or run in self.runs


class Standing(Struct, frozen=True, kw_only=True):
    """The champion's version and its run, "" for what is not known, and `why` it is not.

    `vacant`: it is known that there is none; `unheard`: nor is there any model of that name.
    """

    version: str = ""
    run: str = ""
    why: str = ""
    vacant: bool = False
    unheard: bool = False


class Shown(Struct, frozen=True):
    """What a registry shows: the promoted versions of every model that was read, by its name.

    `lacking`: why these may not be all models, in words.
    """

    versions: dict[str, frozenset[str]]
    lacking: str = ""
