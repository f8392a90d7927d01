"""The name of a group's shared row, made of whatever text the facts give: bounded, and one for one.

A text that is short and shows as what it is stands there itself. Of any other a part does, with
what stands for the whole: no two texts share a row.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from functions.core.facts import placeholders
from functions.core.terms.errors import Permanent
from functions.core.terms.reasons import Reason
from functions.core.terms.words import GROUP
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from functions.core.facts.building import Facts
    from functions.core.routes.definition import Concurrency

LONGEST = 80  # bytes: each may take three characters of a key, which ends at 300
SHOWN = 12  # characters of a text that does not stand there itself
DIGITS = 16


def of(concurrency: Concurrency, known: Facts) -> str:
    """The row of the group that the facts make; raises MissingFact, Unusable and Permanent."""
    text = placeholders.render(concurrency.group, known)
    if len(text) >= placeholders.LONGEST_TEXT:
        what = f"concurrency.group has more than {len(text)} characters"
        raise Permanent(Reason.TOO_LARGE, what)
    return row(text)


def row(text: str) -> str:
    """The row of the group that this text names, in any case; blanks around it do not count.

    Who meant two groups by names in two cases waits in vain; who meant one is never two.
    """
    meant = text.strip().casefold()
    as_bytes = meant.encode("utf-8", "surrogatepass")
    if meant and "~" not in meant and len(as_bytes) <= LONGEST and bounded(meant) == meant:
        return f"{GROUP}{meant}"
    plain = re.sub(r"[^A-Za-z0-9 ._/-]+", "-", meant[:SHOWN])
    return f"{GROUP}{plain}~{hashlib.sha256(as_bytes).hexdigest()[:DIGITS]}"
