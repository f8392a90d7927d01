"""People who are told: their addresses are in the vault, at hosts that are sent to, and taken."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from functions.adapters.notices import addresses, webhook
from functions.core.rounds.notices import channels
from relay.doctor.azure import vault
from relay.doctor.findings import failure, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.keyvault.secrets import SecretProperties

    from functions.core.routes.channel import Channel
    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

LOOK = "ask for Key Vault Secrets User, or let somebody look who has it"
ADDRESS = "put the channel's address there; or name its host in NOTIFY_HOSTS"
KEY = f"put a key there: {webhook.PREFIX} and 24 to 64 random bytes in base64"
MEND = "mend the channel, then bin/relay notify --test"


def told(case: Case) -> Iterator[Finding]:
    """Each channel of the route file."""
    if not case.routes.channels:
        yield ok("nobody is told: the route file has no `notify`")
    for channel in case.routes.channels:
        yield vault.looked_at(case, channel.secret, partial(_address, case, channel))
        if channel.signing:
            yield vault.looked_at(case, channel.signing, partial(_key, channel.signing))
        known = channels.standing(case.ports.ledger.shared(channels.name(channel.name)).value)
        if known.why:
            yield warning(f"{channel.name} did not take the last message: {known.why}", MEND)


def _address(case: Case, channel: Channel, text: str | None, _: SecretProperties) -> Finding:
    if text is None:
        return warning(f"{channel.secret} is there; its host was not checked", LOOK)
    if why := addresses.refused(channel.kind, text, case.settings.notify_hosts):
        return failure(f"the address in {channel.secret} {why}", ADDRESS)
    return ok(f"{channel.name} is at a host that is sent to")


def _key(name: str, text: str | None, _: SecretProperties) -> Finding:
    if text is None:
        return warning(f"{name} is there; its form was not checked", LOOK)
    return ok(f"{name} can sign") if webhook.key_of(text) else failure(f"{name} is no key", KEY)
