from __future__ import annotations

from tests.relay.waiting.conftest import az as az  # noqa: PLC0414 - a fixture, for both
