"""The alerts: whether there are any, and whether somebody is told.

https://learn.microsoft.com/rest/api/monitor/scheduled-query-rules/list-by-resource-group
https://learn.microsoft.com/rest/api/monitor/action-groups/get
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.texts.bounds import bounded, listed
from relay.deployment.arm import members
from relay.deployment.refusals import Missing
from relay.doctor.findings import ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

RULES_VERSION, GROUPS_VERSION = "2023-12-01", "2023-01-01"
READ_RULES = "Microsoft.Insights/scheduledQueryRules/read"
READ_GROUPS = "Microsoft.Insights/actionGroups/read"
OURS = "run relay:"  # how the name of each rule begins: infra/modules/alerts.bicep
_DEPLOY = "set RELAY_ALERT_EMAILS, then: sh infra/hooks/deploy.sh resources"


def reaching_somebody(case: Case) -> Iterator[Finding]:
    """Whether the rules of the app's resource group lead to an action group with a receiver."""
    rules = [rule for rule in _rules(case) if rule.get("enabled") is not False]
    if not rules:
        said = "the app's resource group has no alert rule of Run Relay: nobody is told of anything"
        yield warning(said, _DEPLOY)
        return
    named = {group.lower() for rule in rules for group in _groups(rule)}
    receivers = {group: _receivers(case, group) for group in sorted(named)}
    deaf = [rule for rule in rules if not any(receivers[g.lower()] for g in _groups(rule))]
    if deaf:
        names = listed([str(rule.get("displayName")) for rule in deaf])
        yield warning(f"alerts reach nobody: {len(deaf)} of {len(rules)} ({names})", _DEPLOY)
    else:
        yield ok(f"{len(rules)} alerts reach {sum(receivers.values())} receivers")


def _rules(case: Case) -> Iterator[dict[str, Any]]:
    group = case.app.id.partition("/providers/")[0]
    path = f"{group}/providers/Microsoft.Insights/scheduledQueryRules"
    for found in case.app.arm.every(path, RULES_VERSION, READ_RULES):
        rule = members(found.get("properties"))
        if str(rule.get("displayName")).lower().startswith(OURS):
            yield rule


def _groups(rule: dict[str, Any]) -> list[str]:
    groups = members(rule.get("actions")).get("actionGroups")
    return [str(group) for group in groups] if isinstance(groups, list) else []


def _receivers(case: Case, group: str) -> int:
    """How many the action group tells: none if it is gone, or switched off."""
    try:
        found = case.app.arm.get(group, GROUPS_VERSION, READ_GROUPS)
    except Missing:
        return 0
    properties = members(found.get("properties"))
    if properties.get("enabled") is False:
        return 0
    lists = [v for name, v in properties.items() if name.endswith("Receivers") and v]
    return sum(_is_told(one) for each in lists if isinstance(each, list) for one in each)


def _is_told(receiver: object) -> bool:
    """Whether a receiver has not said that it wants no more: that is known of e-mail and SMS."""
    return bounded(members(receiver).get("status")).lower() != "disabled"
