"""Alert rules on logs, and the action groups that they call, as Resource Manager shows them.

https://learn.microsoft.com/rest/api/monitor/scheduled-query-rules/list-by-resource-group
https://learn.microsoft.com/rest/api/monitor/action-groups/get
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import jsonify

from local.arm.errors import not_found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.arm.errors import Answer

RULE, GROUP = "microsoft.insights/scheduledqueryrules", "Microsoft.Insights/ActionGroups"
_IN_GROUP = r"/subscriptions/[^/]+/resourceGroups/(?P<group>[^/]+)/providers/Microsoft\.Insights"
RECEIVERS = (
    *("emailReceivers", "smsReceivers", "webhookReceivers", "itsmReceivers"),
    *("azureAppPushReceivers", "automationRunbookReceivers", "voiceReceivers"),
    *("logicAppReceivers", "azureFunctionReceivers", "armRoleReceivers", "eventHubReceivers"),
)


@dataclass(frozen=True)
class Rule:
    """A scheduled query rule, and the ids of the action groups that it calls."""

    id: str
    title: str
    groups: Sequence[str] = ()
    enabled: bool = True

    def wire(self) -> dict[str, Any]:
        """The rule as the service writes it, but for what it asks."""
        return {
            "id": self.id,
            "name": self.id.rpartition("/")[2],
            "type": RULE,
            "kind": "LogAlert",
            "location": "westeurope",
            "properties": {
                "displayName": self.title,
                "severity": 1,
                "enabled": self.enabled,
                "evaluationFrequency": "PT5M",
                "windowSize": "PT15M",
                "actions": {"actionGroups": list(self.groups)},
            },
        }


@dataclass(frozen=True)
class ActionGroup:
    """An action group with e-mail receivers; of those who unsubscribed the service says so."""

    id: str
    emails: Sequence[str] = ()
    unsubscribed: Sequence[str] = ()
    enabled: bool = True

    def wire(self) -> dict[str, Any]:
        """The group as the service writes it."""
        emails = [
            {
                "name": f"email-{number}",
                "emailAddress": address,
                "useCommonAlertSchema": True,
                "status": "Disabled" if address in self.unsubscribed else "Enabled",
            }
            for number, address in enumerate(self.emails)
        ]
        return {
            "id": self.id,
            "name": self.id.rpartition("/")[2],
            "type": GROUP,
            "location": "Global",
            "properties": {
                "groupShortName": "relay",
                "enabled": self.enabled,
                **{name: [] for name in RECEIVERS},
                "emailReceivers": emails,
            },
        }


class Rules:
    """The rules, listed by resource group."""

    path = re.compile(f"{_IN_GROUP}/scheduledQueryRules", re.IGNORECASE)
    versions = ("2023-12-01", "2022-06-15", "2021-08-01")

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}

    def add(self, *rules: Rule) -> None:
        """Have rules, or replace those of the same ids."""
        self._rules |= {rule.id.lower(): rule for rule in rules}

    def answer(self, asked: re.Match[str]) -> Answer:
        """Those of a resource group."""
        above = asked[0].lower()
        mine = [rule.wire() for id_, rule in self._rules.items() if id_.startswith(f"{above}/")]
        return jsonify({"value": mine})


class ActionGroups:
    """The action groups; ids match in any case."""

    path = re.compile(f"{_IN_GROUP}/actionGroups/(?P<name>[^/]+)", re.IGNORECASE)
    versions = ("2023-01-01", "2022-06-01", "2021-09-01")

    def __init__(self) -> None:
        self._groups: dict[str, ActionGroup] = {}

    def add(self, group: ActionGroup) -> None:
        """Have a group, or replace the one of that id."""
        self._groups[group.id.lower()] = group

    def answer(self, asked: re.Match[str]) -> Answer:
        """One of them."""
        group = self._groups.get(asked[0].lower())
        return jsonify(group.wire()) if group else not_found(GROUP, asked["name"], asked["group"])
