"""An outside text within bounds: one line, no tokens, cut. In time that grows with its length."""

from __future__ import annotations

import re

LONGEST_DETAIL = 500
LONGEST_TOKEN = 8_000  # characters; of one that is cut, what is left is no token

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]+")
# A JSON Web Token, whoever echoes it: three parts if signed, five if encrypted, of which the second
# may be empty. No repeat gives back what it took, and where a first part begins none, the whole of
# it is passed over: each character is looked at a few times at most.
# https://www.rfc-editor.org/rfc/rfc7515#section-7.1 https://www.rfc-editor.org/rfc/rfc7516#section-7.1
TOKEN = re.compile(
    r"(?P<token>eyJ[\w-]{8,}+\.[\w-]*+\.[\w-]*+(?:\.[\w-]++){0,2}+)|eyJ[\w-]*+",
)


def bounded(text: object, longest: int = LONGEST_DETAIL) -> str:
    """An outside value made safe to store and print: one line, no tokens, cut.

    Raises nothing: what cannot be told as text is named by its kind.
    """
    whole = text if isinstance(text, str) else _told(text)
    flat = whole[: longest + LONGEST_TOKEN]
    if not flat.isprintable():
        flat = _UNPRINTABLE.sub(" ", flat)
    if "eyJ" in flat:
        flat = TOKEN.sub(_masked, flat)
    flat = flat.strip()
    if len(flat) <= longest and len(whole) <= longest + LONGEST_TOKEN:
        return flat
    return flat[: longest - 1] + "…"


def _told(value: object) -> str:
    """The value as text; it may be nested too deep for that, or a number of too many digits."""
    try:
        return str(value)
    except (RecursionError, ValueError):
        return f"a {type(value).__name__}"


def _masked(found: re.Match[str]) -> str:
    return "***" if found["token"] else found[0]
