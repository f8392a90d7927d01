r"""What must not be told is taken out of an answer, should a service echo what it was sent.

A service that echoes writes as its own rules want it: as JSON with any letter as `\u0026`, JSON in
JSON, a header with `%26`, a page with `&amp;`. Whoever reads the answer undoes that, so that a
secret is looked for in all of these spellings.
"""

from __future__ import annotations

import base64
import html.entities
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from requests.structures import CaseInsensitiveDict

from functions.core.texts.bounds import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LONGEST_PIECE = 200  # characters that are looked for at once: what is longer is hidden in pieces
_PLAIN = re.compile(r"[\w.~-]*", re.ASCII)  # what is spelled alike everywhere
_NAMED = {chr(n): f"&{name};" for n, name in html.entities.codepoint2name.items()} | {" ": r"\+"}
_SHORT = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}  # after a backslash, in JSON


def secrets_in(authorization: str) -> list[str]:
    """The credential that a header holds, in each form that may come back.

    Without the `=` at its end, which tells nothing and is often written otherwise.
    """
    token = authorization.partition(" ")[2]
    if not authorization.startswith("Basic "):
        return [token]
    return [token.rstrip("="), base64.b64decode(token).decode(errors="replace").partition(":")[2]]


def concealed(
    headers: Mapping[str, str], body: bytes, secrets: Iterable[str]
) -> tuple[Mapping[str, str], bytes]:
    """Headers and body without these texts, the longest first: one may be a part of another."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        body = _without(body, secret)
        if not _PLAIN.fullmatch(secret) or secret in "\n".join(headers.values()):
            hidden = {name: _without_in(headers[name], secret) for name in headers}
            headers = CaseInsensitiveDict(hidden)
    return headers, body


def _without_in(header: str, secret: str) -> str:
    return _without(header.encode("latin-1", "replace"), secret).decode("latin-1")


def _without(text: bytes, secret: str) -> bytes:
    if _PLAIN.fullmatch(secret):
        return text.replace(secret.encode(), HIDDEN.encode())
    pieces = -(-len(secret) // LONGEST_PIECE)
    for at in range(pieces):
        piece = secret[len(secret) * at // pieces : len(secret) * (at + 1) // pieces]
        text = _in_any_spelling(piece).sub(HIDDEN.encode(), text)
    return text


@lru_cache(maxsize=32)
def _in_any_spelling(secret: str) -> re.Pattern[bytes]:
    """A pattern of the text, each of whose letters may be written in any way.

    However many backslashes there are, they are passed over once: nothing is tried twice.
    """
    runs = re.findall(r"\\+|[^\\]", secret, re.DOTALL)
    return re.compile("".join(_letter(run[0]) for run in runs).encode("utf-8", "surrogatepass"))


def _letter(letter: str) -> str:
    ways = "|".join(dict.fromkeys(_ways(letter)))
    if letter == "\\":
        return f"(?:{ways})++"
    return rf"\\*+(?:{ways})"


def _ways(letter: str) -> Iterator[str]:
    """How a letter may be written, but for the backslashes before it."""
    number, whole = ord(letter), letter.encode("utf-8", "surrogatepass")
    yield re.escape(letter)
    yield from filter(None, [_SHORT.get(letter), _NAMED.get(letter)])
    yield "(?i:{})".format(r"\\*+".join(f"u{unit:04x}" for unit in _units(letter)))
    yield "(?i:{})".format("".join(f"%{byte:02x}" for byte in whole))
    yield f"&#0*+{number};"
    yield f"(?i:&#x0*+{number:x};)"


def _units(letter: str) -> list[int]:
    """The letter in UTF-16, of which JSON's escapes are made."""
    pair = letter.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(pair[at : at + 2]) for at in range(0, len(pair), 2)]
