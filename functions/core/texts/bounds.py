r"""An outside text within bounds: one line, no tokens, cut. In time that grows with its length.

Here alone it is decided what may be printed. A character that shows nothing, breaks the line,
commands a terminal or turns round what follows stands as its escape, such as `\u202e`: a name must
not look like another one. https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HIDDEN = "***"  # stands where a secret was
LONGEST_DETAIL = 500
LONGEST_NAME, MOST_NAMED = 80, 10  # of a list of names
LONGEST_TOKEN = 8_000  # characters; of one that is cut, what is left is no token

# What Python calls printable and nobody sees: fillers, joiners, selectors of a variant, a blank.
# https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_LAYOUT = re.compile(r"[\t-\r]+|[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ESCAPE = re.compile(r"\\(?:u((?!d[89a-f])[0-9a-f]{4})|U(00(?:0[0-9a-f]|10)[0-9a-f]{4}))")
# A JSON Web Token, whoever echoes it: three parts if signed, five if encrypted, of which the second
# may be empty. No repeat gives back what it took, and where a first part begins none, the whole of
# it is passed over: each character is looked at a few times at most.
# https://www.rfc-editor.org/rfc/rfc7515#section-7.1 https://www.rfc-editor.org/rfc/rfc7516#section-7.1
TOKEN = re.compile(
    r"(?P<token>eyJ[\w-]{8,}+\.[\w-]*+\.[\w-]*+(?:\.[\w-]++){0,2}+)|eyJ[\w-]*+",
)


def bounded(text: object, longest: int = LONGEST_DETAIL) -> str:
    """An outside value made safe to store and print: one line, no tokens, cut.

    Line ends, tabs and wide spaces are spaces, the rest is `visible`. Raises nothing: what cannot
    be told as text is named by its kind.
    """
    whole = text if isinstance(text, str) else _told(text)
    if len(whole) <= longest and whole.isascii() and whole.isprintable() and "eyJ" not in whole:
        return whole.strip()  # as most are
    flat = whole[: longest + LONGEST_TOKEN]
    if not _is_visible(flat):
        flat = visible(_LAYOUT.sub(" ", flat))
    return _cut(flat, longest, whole)


def kept(text: object, longest: int = LONGEST_DETAIL) -> str:
    """An outside fact, for routes and parameters: no control characters, no tokens, cut.

    It is true rather than fit for the eye: whatever prints it makes it `bounded` or `visible`.
    """
    whole = text if isinstance(text, str) else _told(text)
    if len(whole) <= longest and whole.isprintable() and "eyJ" not in whole:
        return whole.strip()  # as most are
    flat = whole[: longest + LONGEST_TOKEN]
    return _cut(flat if flat.isprintable() else _CONTROL.sub(" ", flat), longest, whole)


def listed(names: Sequence[str]) -> str:
    """Outside names between commas: the first of them, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(bounded(name, LONGEST_NAME) for name in names[:MOST_NAMED]) + more


def visible(text: str) -> str:
    """The text with each character that is not seen as what it is as its escape. Twice is once."""
    if _is_visible(text):
        return text
    return "".join(c if _is_visible(c) else _escape(c) for c in text)


def exact(text: str) -> str:
    """The text such that, also once it is `visible`, `meant` gives it back."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: _escape("\\") + found[0][1:], text)


def meant(text: str) -> str:
    """The text that was shown `exact` and `visible`, or was typed with such escapes."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], base=16)), text)


def _is_visible(text: str) -> bool:
    return text.isprintable() and (text.isascii() or not _UNSEEN.search(text))


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"  # noqa: PLR2004


def _cut(flat: str, longest: int, whole: str) -> str:
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
    return HIDDEN if found["token"] else found[0]
