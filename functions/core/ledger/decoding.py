"""Values from what JSON says, by types that are complete before a second thread can ask for one.

msgspec describes a type to itself when it is first decoded, and lets other threads see that
description while it is still being made. Here every type that is ever decoded is described while
this module is imported, or one of those that call `describe`, which one thread does and all others
wait for; nothing else may decode by a type. Plain lists and mappings are described to nobody.
docs/adr/0016-native-libraries-and-threads.md
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from functions.core.kept.continuation import Continuation
from functions.core.kept.letter import Letter
from functions.core.kept.summary import Followed, Summary
from functions.core.kept.tasks import Wait
from functions.core.terms.runs import Key

T = TypeVar("T")

KINDS: tuple[type, ...] = (Continuation, Followed, Key, Letter, Summary, Wait, dict)
_DESCRIBED: dict[type, object] = {kind: msgspec.json.Decoder(kind) for kind in KINDS}


def describe(*kinds: type) -> None:
    """Have these decoded as well; called while the only module that needs them is imported."""
    _DESCRIBED.update({kind: msgspec.json.Decoder(kind) for kind in kinds})


def decoded(value: Any, kind: type[T], *, strict: bool = True) -> T:  # noqa: ANN401 - JSON is anything
    """The value of this kind; without `strict`, numbers and truth may be given as text.

    Raises msgspec.ValidationError for what is none, and LookupError for a kind that nobody
    described, whatever the value.
    """
    if kind not in _DESCRIBED:
        raise LookupError(f"{kind.__name__} is not among KINDS: other threads could see half of it")
    return msgspec.convert(value, kind, strict=strict)
