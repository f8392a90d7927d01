"""Agentless tasks: the key that seals their tokens, a route that answers, and who may register."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.adapters.sealing import SHORTEST
from functions.core.waits.admitting import organizations
from relay.doctor.azure import vault
from relay.doctor.findings import failure, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.keyvault.secrets import SecretProperties

    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

NEW_KEY = f"put any text of {SHORTEST} characters or more there"


def answered(case: Case) -> Iterator[Finding]:
    """Whether a task that registers is taken, and can be answered."""
    if not case.settings.waits:
        yield ok("no task may register: WAITS=0")
        return
    yield _key(case)
    yield _route(case)
    yield _organizations(case)


def _key(case: Case) -> Finding:
    name = case.settings.waits_key

    def judged(text: str | None, _: SecretProperties) -> Finding:
        if text is None:
            how = "ask for Key Vault Secrets User, or let somebody look who has it"
            return warning(f"{name} is there; its length was not checked", how)
        if len(text) < SHORTEST:
            return failure(f"{name} has fewer than {SHORTEST} characters", NEW_KEY)
        return ok(f"{name} can seal the tasks' tokens")

    return vault.looked_at(case, name, judged)


def _route(case: Case) -> Finding:
    names = [one.name for one in case.routes.routes if one.complete and not one.shadow]
    if names:
        return ok(f"tasks are answered by {', '.join(names)}")
    how = "add it to the route that answers, or set WAITS=0"
    return failure("no active route has `complete: true`: no task can register", how)


def _organizations(case: Case) -> Finding:
    known = case.settings
    found = sorted(organizations(case.routes, known.devops_url, known.waits_organizations))
    if found:
        return ok(f"tasks may register of {', '.join(found)}")
    how = "name yours in WAITS_ORGANIZATIONS, or in the route file; or set WAITS=0"
    return failure("no organization is named: no task can register", how)
