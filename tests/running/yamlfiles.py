"""The project's own YAML, read by the C loader where there is one: ten times as fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(file: Path) -> Any:
    """What stands in the file."""
    return of(file.read_text("utf-8"))


def of(text: str) -> Any:
    """What stands in the text."""
    return yaml.load(text, LOADER)  # noqa: S506 - both are safe
