"""A port that does one thing otherwise than the real one."""

from __future__ import annotations

from typing import Any


class Wrapped:
    """Hands every call on to `real`, but for what a subclass does itself."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)
