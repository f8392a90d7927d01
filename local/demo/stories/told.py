"""What `PATTERN` may be: the story of each, and what the app needs for it beside its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from local.demo.stories import (
    concurrency,
    expecting,
    following,
    github,
    joining,
    promoting,
    waiting,
)
from local.demo.stories.patterns import Async, Component, Sync, Thread
from local.demo.story import Story

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def _nothing(_: Path) -> Mapping[str, str]:
    return {}


class Told(NamedTuple):
    """A story of a deployment and a screen; `settings` may leave files in the directory."""

    story: Callable[..., Story]
    settings: Callable[[Path], Mapping[str, str]] = _nothing


STORIES = {
    "": Told(Story),
    "sync": Told(Sync),
    "async": Told(Async),
    "thread": Told(Thread),
    "component": Told(Component),
    "wait": Told(waiting.Wait, waiting.settings),
    "follow": Told(following.Follow, lambda _: following.SETTINGS),
    "then": Told(following.Then, following.going_on),
    "concurrency": Told(concurrency.Concurrency, concurrency.settings),
    "notify": Told(following.Notify, following.telling),
    "join": Told(joining.Join, joining.settings),
    "expect": Told(expecting.Expect, expecting.settings),
    "promotion": Told(promoting.Promotion, promoting.settings),
    "github": Told(github.GitHub, github.settings),
}
