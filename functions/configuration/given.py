"""How each kind of setting is read from the environment, and what is said of one that is none.

What is mistyped keeps its default, but for two: another ledger knows nothing of what was started,
and other routes start other pipelines, so that none stands in for those that were meant.
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from functions.configuration.declared import Environment, is_reference, shown, told
from functions.core.events.parsing import workspace
from functions.core.texts.times import CENTURY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.terms.runs import Workspace

T = TypeVar("T")
LARGEST = 10.0**7
MOST_PORTS = 65_535
SERVICES = "https://dev.azure.com"
GITHUB = "https://api.github.com"
FORM = "is no address of the form https://HOST[:PORT][/PATH]"
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_ADDRESS = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*\.?|\[(?P<six>[0-9a-f:.]+)\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>(?:/[\w.~%!$&'()*+,;=:-]*)*)",
    re.IGNORECASE | re.ASCII,
)
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|\*(?:\.{_LABEL}){{2,}}", re.IGNORECASE | re.ASCII)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?![0-9])|/", re.IGNORECASE)
_REST_VERSION = re.compile(r"[1-9][0-9]?\.[0-9](-preview(\.[1-9])?)?")
_APP = re.compile(r"[0-9]{1,12}|Iv[0-9A-Za-z.]{8,40}")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers
_SECRET_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
# https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate
_PAT = re.compile(r"[a-z2-7]{52}|[0-9A-Za-z]{76}AZDO[0-9A-Za-z]{4}")


class Given(Environment):
    """What only the app reads, once an event is there."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ)
        self.faults: dict[str, str] = {}

    def url(self, name: str, default: str = "") -> str:
        """An address without a slash at its end; https where none is said."""
        value = self.text(name).rstrip("/")
        if not value:
            return default
        whole = value if _SCHEME.match(value) else f"https://{value}"
        if not is_address(whole):
            return self.refuse(f"{told(name, value)} {FORM}", default)
        if whole != value:
            self.complaints.append(f"{told(name, value)} is no address; https is assumed")
        return _lowered(whole)

    def secure_url(self, name: str) -> str:
        """An address of which the SDK takes https only."""
        value = self.url(name)
        if not value.startswith("http://"):
            return value
        return self.refuse(f"{told(name, value)} is not https", f"https{value[4:]}")

    def vault(self, name: str) -> str:
        """A vault's address, which has no path."""
        value = self.secure_url(name)
        host = "/".join(value.split("/")[:3])
        return value if value == host else self.refuse(f"{told(name, value)} has a path", host)

    def devops(self, name: str) -> str:
        """The base of all organizations; a server's own has a path, and Microsoft's has none."""
        value = self.url(name, SERVICES)
        found = _ADDRESS.fullmatch(value)
        host = found["host"].rstrip(".") if found else ""
        own = host.endswith((".dev.azure.com", ".visualstudio.com")) or host == "dev.azure.com"
        if value == SERVICES or not own:
            return value
        why = "is for Azure DevOps Services, where routes name the organization"
        return self.refuse(f"{told(name, value)} {why}", SERVICES)

    def github(self, name: str) -> str:
        """The base of GitHub's REST interface: of github.com, of GHE.com, or a server's own."""
        value = self.url(name, GITHUB)
        why = f"is for people; programs use {GITHUB}"
        pages = "https://github.com"
        return value if value != pages else self.refuse(f"{told(name, value)} {why}", GITHUB)

    def github_app(self, name: str) -> str:
        """The client id of a GitHub App, or the number that it has as well."""
        return self._formed(name, _APP, "is no id of a GitHub App such as Iv23liAbC4dEfGh")

    def rest_version(self, name: str, default: str) -> str:
        """A version of Azure DevOps' REST interface.

        https://learn.microsoft.com/azure/devops/integrate/concepts/rest-api-versioning
        """
        return self._formed(name, _REST_VERSION, "is no REST version such as 7.0", default)

    def routes(self, name: str, default: str) -> str:
        """The route file's path, whatever it is: the default's routes are not those that are meant.

        Events wait for a file that can be read.
        """
        return self._given(name) or default

    def of_ledger(
        self, name: str, form: str, fits: Callable[[str], object], default: str = ""
    ) -> str:
        """A setting that says which ledger; one that cannot be meant is among the `faults`."""
        value = self._given(name) or default
        if is_reference(value):
            self.faults[name] = f"{name} is a reference that was not resolved"
        elif value and not fits(value):
            self.faults[name] = f"{told(name, value)} is not of the form {form}"
        return "" if name in self.faults else value

    def guid(self, name: str, default: str | None = None) -> str | None:
        """A client id."""
        return self._formed(name, _GUID, "is no client id", default or "") or None

    def _formed(self, name: str, form: re.Pattern[str], why: str, default: str = "") -> str:
        value = self.text(name, default)
        if not value or form.fullmatch(value):
            return value
        return self.refuse(f"{told(name, value)} {why}", default)

    def secret_name(self, name: str, default: str) -> str:
        """The name of a secret. Its text is not shown: it may be the secret."""
        value = self.text(name, default)
        if not _SECRET_NAME.fullmatch(value):
            return self.refuse(f"{name} is no secret's name: letters, digits and dashes", default)
        if _PAT.fullmatch(value):
            return self.refuse(f"{name} is a token, not the name of a secret", default)
        return value

    def number(
        self, name: str, default: float, at_most: float = LARGEST, usual: float = 0
    ) -> float:
        """Above 0; what is not above the `usual` is taken, and doubted."""
        value = self.text(name, str(default))
        try:
            parsed = float(value)
        except ValueError:
            parsed = -1.0
        if not 0 < parsed <= at_most:
            why = f"{told(name, value)} is no number above 0 and up to {at_most:g}"
            return float(self.refuse(why, f"{default:g}"))
        if parsed <= usual:
            self.doubts.append(f"{told(name, value)} should be above {usual:g}")
        return parsed

    def workspaces(self, name: str) -> tuple[Workspace, ...]:
        """Resource ids between commas or spaces."""
        return self._each(name, workspace, "is no AML workspace id")

    def organizations(self, name: str, devops_url: str) -> tuple[str, ...]:
        """Organizations between commas or spaces, each by the one address that is told of it."""

        def read(text: str) -> str:
            from functions.core.kept.organizations import named  # noqa: PLC0415 - few apps have waits

            return named(text, devops_url)

        return self._each(
            name, read, "is no organization, by name or address, of DEVOPS_URL or dev.azure.com"
        )

    def hosts(self, name: str) -> tuple[str, ...]:
        """Hosts between commas or spaces, or `*.DOMAIN` for all that are below it."""
        why = "is no host such as hooks.contoso.com or *.contoso.com"
        return self._each(name, lambda text: text.lower() if _HOST.fullmatch(text) else "", why)

    def _each(self, name: str, read: Callable[[str], T | None], why: str) -> tuple[T, ...]:
        """What stands between commas or spaces, without that which cannot be meant."""
        found = []
        for text in self.text(name).replace(",", " ").split():
            with suppress(ValueError):
                if one := read(text):
                    found.append(one)
                    continue
            self.complaints.append(f"{name}: {shown(text)} {why}; left out")
        return tuple(found)

    def seconds(self, name: str, default: float, usual: float = 0) -> timedelta:
        """So many seconds."""
        return timedelta(seconds=self.number(name, default, usual=usual))

    def span(self, name: str, default: float, unit: timedelta) -> timedelta:
        """So many of the unit, a century at most: no calendar goes back for ever."""
        return min(self.number(name, default), CENTURY / unit) * unit


def is_address(value: str) -> bool:
    """Whether it is an http address of a host: no user, no query, nothing that is read two ways."""
    found = _ADDRESS.fullmatch(value)
    if not found or (found["port"] and not 0 < int(found["port"]) <= MOST_PORTS):
        return False
    try:
        return not found["six"] or bool(ipaddress.IPv6Address(found["six"]))
    except ValueError:
        return False


def _lowered(address: str) -> str:
    """Scheme and host are the same in any case.

    https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2.1
    """
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"
