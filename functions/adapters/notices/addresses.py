"""Where a message may be sent to: an address of the vault is used only if its host is allowed.

Whoever may write secrets must not choose which machine the app sends to.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOPBACK = frozenset({"127.0.0.1", "localhost"})
# A workflow "When a Teams webhook request is received" is a flow of Power Automate, whose addresses
# are below its environment, and were below Logic Apps before November 2025.
# https://learn.microsoft.com/power-automate/oauth-authentication
# https://learn.microsoft.com/power-platform/admin/programmability-authentication-v2
# https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
HOSTS = {
    "teams": (
        "*.logic.azure.com",
        "*.logic.azure.us",
        "*.logic.azure.cn",
        "*.environment.api.powerplatform.com",
        "*.environment.api.gov.powerplatform.microsoft.us",
        "*.environment.api.high.powerplatform.microsoft.us",
        "*.environment.api.appsplatform.us",
        "*.environment.api.powerplatform.partner.microsoftonline.cn",
    ),
    "slack": ("hooks.slack.com", "hooks.slack-gov.com"),
    "webhook": (),
}
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?::[0-9]{1,5})?"
    r"(?:[/?][!$-;=?-Z_a-z~]*)?"
)


def refused(kind: str, address: str, others: Iterable[str]) -> str:
    """Why nothing is sent to this address, without a word of it but its host; empty if it is."""
    found = _ADDRESS.fullmatch(address)
    if not found:
        return "is no address of the form https://HOST/PATH"
    host = found["host"].lower()
    if not any(_fits(host, pattern) for pattern in (*HOSTS.get(kind, ()), *others)):
        return f"is at {host[:100]}, which is no host of {kind}: NOTIFY_HOSTS may name it"
    if found["scheme"] != "https" and host not in LOOPBACK:
        return "is not https"
    return ""


def _fits(host: str, pattern: str) -> bool:
    """Whether it is that host, or below `*.DOMAIN`."""
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
