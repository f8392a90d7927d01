"""The environment, as far as the functions' declarations depend on it; read when they are indexed.

Nothing else is imported then: a worker that starts for one event waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EVERY_MINUTE = "0 * * * * *"
EVERY_HOUR = "0 0 * * * *"


class Environment:
    """An environment, read with defaults; what does not parse is complained about, not fatal."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.complaints: list[str] = []

    def reconcile_schedule(self) -> str:
        """NCRONTAB of the reconciler."""
        return self.text("RECONCILE_SCHEDULE", EVERY_MINUTE)

    def sweep_schedule(self) -> str:
        """NCRONTAB of the sweep."""
        return self.text("SWEEP_SCHEDULE", EVERY_HOUR)

    def operations_entra(self) -> bool:
        """Whether people sign in to the operations page; otherwise it asks for a key."""
        return self.choice("OPERATIONS_AUTH", "key", "entra") == "entra"

    def waits_on(self) -> bool:
        """Whether agentless tasks may register."""
        return self.flag("WAITS")

    def text(self, name: str, default: str = "") -> str:
        """The text, stripped; the default where it is missing or blank."""
        return self._environ.get(name, "").strip() or default

    def flag(self, name: str) -> bool:
        """Whether it is on; what cannot be meant is on."""
        value = self.text(name, "0").lower()
        if value not in {"0", "false", "no", "off", "1", "true", "yes", "on"}:
            self.complaints.append(f"{name}={value[:50]!r} is neither 0 nor 1; 1 is used")
        return value not in {"0", "false", "no", "off"}

    def choice(self, name: str, default: str, *others: str) -> str:
        """One of the words, in any case."""
        value = self.text(name, default)
        known = {word.lower(): word for word in (default, *others)}
        if value.lower() in known:
            return known[value.lower()]
        allowed = ", ".join((default, *others))
        self.complaints.append(f"{name}={value[:50]!r} is not one of {allowed}; {default} is used")
        return default
