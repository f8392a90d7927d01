"""Errors that say whether something happened and who may try again.

Adapters raise these and nothing else; no SDK's or HTTP library's exception passes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.texts.bounds import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.terms.reasons import Reason


class RelayError(Exception):
    """The root of all errors that Run Relay raises on purpose."""


class _Reasoned(RelayError):
    def __init__(self, reason: Reason, detail: str, retry_after: float | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after


class Retryable(_Reasoned):
    """Nothing happened yet; the continuation is parked, for `retry_after` seconds if given."""


class NoWorkspace(Retryable):
    """Resource Manager knows no such workspace, or no such resource group."""


class NoSecret(Retryable):
    """The vault has no such secret, or no such version of it."""


class Permanent(_Reasoned):
    """It can never succeed as configured: recorded, acknowledged, alerted."""


class InDoubt(_Reasoned):
    """The request left and no usable answer came: it may or may not have been queued.

    With the reason `refused` somebody refused it, and nothing shows that this was the service; with
    `answered` the service took it, and did not say which run it became.
    """


class Ambiguous(RelayError):
    """Several child runs have what the route needs, and nothing tells which of them is meant."""

    def __init__(self, what: str, runs: Sequence[str], do: str) -> None:
        super().__init__(f"{what} on several child runs: {listed(runs)}; {do}")


class SeveralModels(Ambiguous):
    """One run registered several models, and the route names none."""

    def __init__(self, run: str, names: Sequence[str]) -> None:
        RelayError.__init__(
            self, f"run {run} registered several models: {listed(names)}; name one with `model`"
        )


class Lost(RelayError):
    """Another writer changed the row first. Nothing was written: stop, and send nothing."""


class LedgerUnavailable(RelayError):
    """The ledger could not be read or written. The only error that makes Event Grid redeliver."""


class Unreadable(LedgerUnavailable):
    """A row is there, and this version cannot read it: it stays as it is."""


class ConfigurationError(RelayError):
    """A setting is missing or wrong; the message names it and what is allowed."""


class RoutesUnreadable(RelayError):
    """The route file cannot be used; `problems` holds one line per mistake."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class NotARunEvent(RelayError):
    """The payload is no run event of an AML workspace; nothing is to be done."""

    def __init__(self, why: str, event_id: str, event_type: str) -> None:
        super().__init__(why)
        self.event_id = event_id
        self.event_type = event_type


def in_words(error: Exception) -> str:
    """What is said of an error: of one that nobody raises on purpose its type, too."""
    return str(error) if isinstance(error, RelayError) else f"{type(error).__name__}: {error}"
