"""Organizations of Azure DevOps, and collections of a server: each by the one address that is told.

An organization of Microsoft's service has two addresses, `https://dev.azure.com/NAME` and
`https://NAME.visualstudio.com`, which until 2018 ended in `/DefaultCollection`; the first is told.
https://learn.microsoft.com/azure/devops/extend/develop/work-with-urls
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

SERVICES = "https://dev.azure.com"
_OLD = ".visualstudio.com"
_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
# Nothing that two readers of addresses could read differently: no user, query, fragment, backslash,
# and no dot at the host's end
_ADDRESS = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?P<path>(?:/[a-z0-9._~%-]+)*)",
    re.IGNORECASE | re.ASCII,
)
# what a route may name
# https://learn.microsoft.com/azure/devops/organizations/settings/naming-restrictions
_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?", re.ASCII)
_OF_SERVICE = re.compile(r"[a-z0-9-]+")


def organization(url: str) -> str:
    """The one address of the organization, or collection, that has this one too; "" if none has.

    Hosts and names are the same in any case, and with the port that is theirs anyway.
    """
    found = _ADDRESS.fullmatch(url)
    if not found:
        return ""
    scheme, host = found["scheme"].lower(), found["host"].lower()
    names = [_name(part) for part in found["path"].split("/")[1:]]
    usual = int(found["port"] or _PORTS[scheme]) == _PORTS[scheme]
    if not all(names):
        return ""
    if f".{host}".endswith((".dev.azure.com", _OLD)):
        name = _of_service(host, names)
        return f"{SERVICES}/{name}" if name and usual and scheme == "https" else ""
    base = f"{scheme}://{host}" if usual else f"{scheme}://{host}:{int(found['port'])}"
    return "/".join((base, *names)) if names else ""


def named(text: str, devops_url: str) -> str:
    """The address of what somebody names: by its name at this Azure DevOps, or by an address.

    "" for what is none there, nor of Microsoft's service.
    """
    text = text.rstrip("/")
    if "/" not in text and not text.lower().endswith(_OLD):
        return organization(f"{devops_url}/{quote(text, safe='%')}")
    found = organization(text if "://" in text else f"https://{text}")
    return found if is_known(found, devops_url) else ""


def is_known(address: str, devops_url: str) -> bool:
    """Whether what `organization` told is of this Azure DevOps, or of Microsoft's service."""
    own = organization(f"{devops_url}/any")
    return bool(address) and _above(address) in {SERVICES, _above(own)}


def _of_service(host: str, names: list[str]) -> str:
    """The name of an organization of the service; "" if the address has none, or more than it."""
    label = host.removesuffix(_OLD)
    if host == "dev.azure.com" and len(names) == 1:
        label = names[0]
    elif label == host or names not in ([], ["defaultcollection"]):
        return ""
    return label if _OF_SERVICE.fullmatch(label) else ""


def _name(part: str) -> str:
    """A part of a path as it is compared; "" for what is no name."""
    name = unquote(part, errors="replace")
    return quote(name.lower()) if _NAME.fullmatch(name) else ""


def _above(address: str) -> str:
    return address.rpartition("/")[0]
