"""Marks in the names of runs: 12 hex digits of which each start has its own. Pure functions."""

from __future__ import annotations

import re

_MARK = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{12}(?![0-9A-Za-z])")  # as `Key.hash` has it


def shown(name: str) -> frozenset[str]:
    """All that is a start's mark in a name, or could be one: as words of their own."""
    return frozenset(_MARK.findall(name))


def of_others(name: str, sent: str) -> frozenset[str]:
    """Those of them that surely are another start's: no numbers, and not in what was `sent`.

    A time has as many digits, and so has the number of an account that a workflow deploys to. Of
    starts one in three hundred has a mark that is a number as well.
    """
    return frozenset(word for word in shown(name) if word not in sent and not word.isdecimal())
