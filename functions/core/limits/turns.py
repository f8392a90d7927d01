"""Whose turn it is, where one of many must not keep the others waiting."""

from __future__ import annotations

from collections import defaultdict
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

T = TypeVar("T")


def in_turn(those: Iterable[T], of: Callable[[T], Hashable]) -> list[T]:
    """One of each in turn, so that who has very many leaves room for the others.

    Of each they keep their order. None of them may be None.
    """
    each: dict[Hashable, list[T]] = defaultdict(list)
    for one in those:
        each[of(one)].append(one)
    turns = zip_longest(*each.values())
    return [one for turn in turns for one in turn if one is not None]
