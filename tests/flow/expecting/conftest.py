"""The same people, told in the same ways, as in tests/flow/notices."""

from __future__ import annotations

from tests.flow.notices.conftest import chat, stage

__all__ = ["chat", "stage"]
