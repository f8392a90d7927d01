"""Every check, in the order in which one thing needs the other; and what befalls while checking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.terms.errors import (
    ConfigurationError,
    LedgerUnavailable,
    RelayError,
    Retryable,
    RoutesUnreadable,
)
from functions.core.terms.reasons import Reason
from relay.deployment.refusals import ArmError, Forbidden, Missing, NeedsApp, NotSignedIn
from relay.doctor.app import channels, groups, health, ledger, parts, probe, rounds, timers, waits
from relay.doctor.azure import alerts, aml, devops, events, pipelines, rights, signin, vault
from relay.doctor.findings import failure, ok, unreachable, warning
from relay.doctor.github import credentials, workflows
from relay.doctor.routes import expected, promoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from relay.doctor.case import Case
    from relay.doctor.findings import Finding


class Check(NamedTuple):
    """A question, and how it is answered."""

    name: str
    asks: Callable[[Case], Iterator[Finding]]


PROBE = Check("probe", probe.recorded)
CHECKS = (
    Check("settings", health.settings),
    Check("timers", timers.scheduled),
    Check("running", health.running),
    Check("paused", health.paused),
    Check("right to the secret", rights.secret),
    Check("right to the workspaces", rights.workspaces),
    Check("secret", vault.secrets),
    Check("Azure DevOps", devops.accepted),
    Check("one organization", devops.bounded_to_one),
    Check("pipelines", pipelines.accepted),
    Check("GitHub", credentials.accepted),
    Check("workflows", workflows.compared),
    Check("waits", waits.answered),
    Check("sign-in", signin.believed),
    Check("people told", channels.told),
    Check("ledger", ledger.writable),
    Check("rounds", rounds.going_on),
    Check("parts", parts.worked_off),
    Check("groups", groups.going_on),
    Check("expected", expected.awaited),
    Check("promotions", promoted.found),
    Check("what stops", rounds.stopping),
    Check("workspace", aml.readable),
    Check("subscriptions", events.subscribed),
    Check("no second app", events.alone),
    Check("alerts", alerts.reaching_somebody),
    PROBE,
    Check("version", probe.deployed),
)


def made(check: Check, case: Case) -> Iterator[Finding]:
    """What the check finds; what keeps it from being made is a finding, too.

    Raises NotSignedIn and NeedsApp.
    """
    found = None
    try:
        for found in check.asks(case):
            yield found
    except (NotSignedIn, NeedsApp):
        raise
    except (ArmError, RelayError) as error:
        found = next(read(error) for kind, read in _KEPT if isinstance(error, kind))
        yield found
    if found is None:
        yield ok("there is nothing to look at")


def _forbidden(error: Any) -> Finding:  # noqa: ANN401 - one of the errors below, like the next
    return warning(f"not checked: {error}", "ask for that right, or let somebody look")


def _missing(error: Any) -> Finding:  # noqa: ANN401
    return failure(str(error), "see that the settings and the app's id are right")


def _incomplete(error: Any) -> Finding:  # noqa: ANN401
    return failure(f"not checked: {error}", "complete the settings first")


def _unreadable(error: Any) -> Finding:  # noqa: ANN401
    return failure(f"not checked: {error.problems[0]}", "bin/relay check")


def _no_ledger(error: Any) -> Finding:  # noqa: ANN401
    how = "ask for Storage Table Data Contributor, and see that the account lets you in"
    return failure(f"the ledger: {error}", how)


def _unread(error: Any) -> Finding:  # noqa: ANN401
    if error.reason is Reason.SECRET_UNREADABLE:
        return warning(f"not checked: {error.detail}", "see what is said of the secret")
    return unreachable(error.detail)


def _wrong(error: Any) -> Finding:  # noqa: ANN401
    return failure(str(error), "mend it")


_KEPT: tuple[tuple[type[Exception], Callable[[Any], Finding]], ...] = (
    (Forbidden, _forbidden),
    (Missing, _missing),
    (ArmError, lambda error: unreachable(str(error))),
    (ConfigurationError, _incomplete),
    (RoutesUnreadable, _unreadable),
    (LedgerUnavailable, _no_ledger),
    (Retryable, _unread),
    (RelayError, _wrong),
)
