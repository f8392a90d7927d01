"""The app itself: its settings, whether it is paused, whether it runs.

https://learn.microsoft.com/rest/api/appservice/web-apps/get
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.terms.errors import ConfigurationError
from relay.doctor.findings import failure, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

RUNNING = "Running"


def settings(case: Case) -> Iterator[Finding]:
    """Every setting that is missing, or cannot be meant."""
    wrong = [*_missing(case), *_odd(case)]
    yield from wrong or [ok("complete")]


def _missing(case: Case) -> Iterator[Finding]:
    if not (case.settings.key_vault_url or case.settings.devops_entra):
        yield failure("KEY_VAULT_URL is not set", "set it to the vault, or DEVOPS_AUTH=entra")
    try:
        _ = case.ports
    except ConfigurationError as error:
        yield failure(str(error), "add it to the app's settings")


def _odd(case: Case) -> Iterator[Finding]:
    for complaint in case.settings.complaints:
        yield warning(complaint, "mend it: until then the default is in force")
    for doubt in case.settings.doubts:
        yield warning(doubt, "see that it is meant")
    if case.settings.ledger_file:
        why = "LEDGER_URL is a file, which instances of an app do not share"
        yield warning(why, "leave LEDGER_URL out, so that the ledger is in Table storage")


def paused(case: Case) -> Iterator[Finding]:
    """Whether anything is started at all."""
    if case.settings.policy.paused:
        yield warning("PAUSED=1: runs are recorded and nothing is started", "set PAUSED=0")
    else:
        yield ok("starts are not paused")


def running(case: Case) -> Iterator[Finding]:
    """Whether the app is switched on."""
    properties = case.site.get("properties") or {}
    state = properties.get("state")
    if state == RUNNING:
        yield ok(f"{case.site.get('name')} is running")
    else:
        yield failure(f"the app's state is {state}", f"az functionapp start --ids {case.app.id}")
