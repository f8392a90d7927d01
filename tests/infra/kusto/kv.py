"""What KQL's parse-kv takes out of a line, as its documentation says.

https://learn.microsoft.com/kusto/query/parse-kv-operator
"""

from __future__ import annotations

import re

_PAIR = re.compile(r'(?P<key>\w+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^ ]*))(?: |$)')
_ESCAPED = re.compile(r"\\(.)")


def fields(line: str) -> dict[str, str]:
    """With pair_delimiter=' ', kv_delimiter='=', quote='"', escape='\\'; the first of a key counts.

    An escaped character stands for itself: that is JSON's meaning of a quote and of a backslash,
    the only two that the logger's values can have escaped.
    """
    found: dict[str, str] = {}
    for pair in _PAIR.finditer(line):
        quoted = pair["quoted"]
        value = pair["plain"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
        found.setdefault(pair["key"], value.strip())
    return found
