"""Flask apps that are made in a moment: a test makes several, and asks few of them.

What takes most of the time of one is to prepare its paths. Apps with the same paths share what was
prepared, which is done when the first of them is asked.
"""

from __future__ import annotations

from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn, cast

from flask import Flask
from werkzeug import routing

if TYPE_CHECKING:
    from collections.abc import Hashable

_preparing = Lock()
_prepared: dict[Hashable, routing.Map] = {}


class Rule(routing.Rule):
    """A path to match; none is ever made from a name, whose preparation costs most of a path."""

    provide_automatic_options = True  # Flask says so

    @property
    def meant(self) -> Hashable:
        """Whatever of it may differ from app to app, all else is Flask's default."""
        methods, options = frozenset(self.methods or ()), self.provide_automatic_options
        return self.rule, methods, options, self.endpoint, self.strict_slashes

    def _compile_builder(self, append_unknown: bool = True) -> Any:  # noqa: ARG002 - theirs
        return _unmade


def _unmade(_rule: Rule, **_values: object) -> NoReturn:
    raise NotImplementedError("no local service makes URLs from names")


class Paths(routing.Map):
    """The paths of one app, of which nothing is kept but what is the same in others."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._told: list[Rule] = []

    def add(self, rulefactory: routing.RuleFactory) -> None:
        """Know of one more."""
        self._told.append(cast("Rule", rulefactory))

    def bind_to_environ(self, *args: Any, **named: Any) -> routing.MapAdapter:
        """What finds the path of a request."""
        return self._shared.bind_to_environ(*args, **named)

    @cached_property
    def _shared(self) -> routing.Map:
        """Flask takes no more paths once an app has been asked."""
        meant = tuple(rule.meant for rule in self._told)
        with _preparing:
            if meant not in _prepared:
                _prepared[meant] = routing.Map(self._told)
            return _prepared[meant]


class LocalFlask(Flask):
    """A Flask app without files of its own."""

    url_rule_class = Rule
    url_map_class = Paths  # type: ignore[assignment]  # it takes the same

    def __init__(self) -> None:
        super().__init__("local", static_folder=None, instance_path="/", root_path="/")
