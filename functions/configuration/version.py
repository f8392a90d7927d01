"""Which commit this is, as `git archive` wrote it into what was packed.

https://git-scm.com/docs/gitattributes#_export_subst
"""

from __future__ import annotations

import re
from pathlib import Path

NOT_TOLD = "not told by what was deployed"
FILE = Path(__file__).with_name("commit.txt")
_PACKED = re.compile(r"(?P<commit>[0-9a-f]{4,64}) (?P<day>\d{4}-\d\d-\d\d)")


def packed(file: Path = FILE) -> str:
    """`COMMIT of YYYY-MM-DD`; "" where it was not packed by `git archive`."""
    try:
        found = _PACKED.fullmatch(file.read_text("utf-8").strip())
    except (OSError, ValueError):
        return ""
    return f"{found['commit']} of {found['day']}" if found else ""
