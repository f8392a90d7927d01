"""The environment, as far as the functions' declarations depend on it; read when they are indexed.

Nothing else is imported then: a worker that starts for one event waits for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from functions.configuration import schedules

if TYPE_CHECKING:
    from collections.abc import Mapping

EVERY_MINUTE = "0 * * * * *"
EVERY_HOUR = "0 0 * * * *"
MOST_PARTS = 64  # as in functions/core/terms/part.py
OFF, ON = frozenset({"0", "false", "no", "off"}), frozenset({"1", "true", "yes", "on"})
LONGEST_SHOWN = 200
# https://github.com/Azure/azure-functions-host/blob/dev/src/WebJobs.Script/Environment/EnvironmentSettingNames.cs
BY_EVENT = frozenset({"dynamic", "flexconsumption"})  # plans that wake for what is due only
_NAMED = re.compile(r"%([^%]*)%")
_SITE = re.compile(
    r"/subscriptions/[0-9a-fA-F-]{36}/resourceGroups/[\w.()-]{1,90}"
    r"/providers/Microsoft\.Web/sites/[A-Za-z0-9-]{1,60}"
)
# a connection string, a query, a user in an address, a token
_SECRET = re.compile(r"=|.@|(?=[A-Za-z]{0,19}[0-9])(?=[0-9]{0,19}[A-Za-z])[A-Za-z0-9]{20}")


class Environment:
    """An environment, read with defaults; what does not parse is complained about, not fatal.

    `complaints` tell what is not in force, `doubts` what is, though it may not be meant.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.complaints: list[str] = []
        self.doubts: list[str] = []

    def reconcile_schedule(self) -> str:
        """NCRONTAB of the reconciler."""
        return self._schedule("RECONCILE_SCHEDULE", EVERY_MINUTE)

    def sweep_schedule(self) -> str:
        """NCRONTAB of the sweep."""
        return self._schedule("SWEEP_SCHEDULE", EVERY_HOUR)

    def reconcile_parts(self) -> int:
        """Into how many parts the schedule is divided; 1: it is not, and there is no queue."""
        value = self.text("RECONCILE_PARTS", "1")
        if not re.fullmatch("[1-9][0-9]?", value) or int(value) > MOST_PARTS:
            why = f"{told('RECONCILE_PARTS', value)} is no whole number from 1 to {MOST_PARTS}"
            return int(self.refuse(why, "1"))
        if int(value) > 1 and self._given("LEDGER_URL"):
            why = "RECONCILE_PARTS is for a ledger in Table storage, and LEDGER_URL names a file"
            return int(self.refuse(why, "1"))
        return int(value)

    def parts_queue(self) -> str:
        """The queue of the parts: another one for each ledger that shares a storage account.

        https://learn.microsoft.com/rest/api/storageservices/naming-queues-and-metadata
        """
        table = re.sub("[^a-z0-9]", "", self._given("LEDGER_TABLE").lower()) or "continuations"
        return f"parts-{table[:57]}"

    def operations_entra(self) -> bool:
        """Whether people sign in to the operations page; otherwise it asks for a key."""
        return self.choice("OPERATIONS_AUTH", "key", "entra") == "entra"

    def waits_on(self) -> bool:
        """Whether agentless tasks may register."""
        return self.flag("WAITS")

    def text(self, name: str, default: str = "") -> str:
        """The text, stripped; the default where it is missing, blank, or only a reference yet."""
        value = self._given(name)
        if is_reference(value):
            return self.refuse(f"{name} is a reference that was not resolved", default)
        return value or default

    def flag(self, name: str) -> bool:
        """Whether it is on; what cannot be meant is on."""
        value = self._given(name).lower() or "0"
        if value not in OFF | ON:
            self.refuse(f"{told(name, value)} is neither 0 nor 1", "1")
        return value not in OFF

    def choice(self, name: str, default: str, *others: str) -> str:
        """One of the words, in any case."""
        value = self.text(name, default)
        known = {word.lower(): word for word in (default, *others)}
        if value.lower() in known:
            return known[value.lower()]
        allowed = ", ".join((default, *others))
        return self.refuse(f"{told(name, value)} is not one of {allowed}", default)

    def refuse(self, why: str, default: str) -> str:
        """The default, after the complaint, which is made once."""
        complaint = f"{why}; {default or 'none'} is used"
        if complaint not in self.complaints:
            self.complaints.append(complaint)
        return default

    def own_id(self) -> str:
        """The app's own resource id, as its deployment says; "" where it says none.

        On Flex Consumption Azure tells an app its name, and not its resource group.
        https://github.com/Azure/azure-functions-host/issues/10441
        """
        given = self._given("RUN_RELAY_APP")
        return given if _SITE.fullmatch(given) else ""

    def _given(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def _schedule(self, name: str, default: str) -> str:
        """As the host takes it, that is with the settings filled in that it names: `%NAME%`.

        https://learn.microsoft.com/azure/azure-functions/functions-bindings-expressions-patterns#binding-expressions---app-settings
        """
        given = self.text(name)
        if not given:
            return default
        meant = _NAMED.sub(lambda found: self._given(found[1]) or found[0], given)
        if why := schedules.fault(meant) or self._unkept(name, meant):
            return self.refuse(f"{told(name, given)} {why}", default)
        return meant

    def _unkept(self, name: str, schedule: str) -> str:
        """Why this plan keeps no interval. Elsewhere than in the app the plan is not known."""
        if not schedules.is_interval(schedule):
            return ""
        plan = self._given("WEBSITE_SKU").lower()
        if not plan:
            self.doubts.append(f"{name} is an interval, which only an App Service plan keeps")
        return "is an interval, which only an App Service plan keeps" if plan in BY_EVENT else ""


def told(name: str, value: str) -> str:
    """A setting as a complaint names it, with its value where that may be shown."""
    return name if _SECRET.search(value) else f"{name}={shown(value)}"


def shown(value: str) -> str:
    """The value in quotes, cut; what may hold a secret is left out."""
    return "(not shown)" if _SECRET.search(value) else repr(value[:LONGEST_SHOWN])


def is_reference(value: str) -> bool:
    """Whether it only says where the value is; the platform puts the value in its place.

    https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
    """
    return value.lower().startswith("@microsoft.")
