"""Sets up what observes the app. Nothing waits for it, and so nothing fails with it either."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential

    from functions.adapters.telling.telemetry import Telemetry


def begun(insights: str, signed: Callable[[], TokenCredential] | None) -> Telemetry | None:
    """What observes; None where it could not be set up, which the log tells.

    It exports where Application Insights is named, `signed` by an identity if there is one.
    """
    try:
        from functions.adapters.telling.telemetry import Telemetry  # noqa: PLC0415 - if wanted

        if insights:
            _export(insights, signed)
        return Telemetry()
    except Exception as error:  # noqa: BLE001 - whatever an SDK raises, the app works without it
        _unset("RELAY_OTEL", error)
        return None


def _export(where: str, signed: Callable[[], TokenCredential] | None) -> None:
    from functions.adapters.telling.telemetry import export  # noqa: PLC0415 - the same

    try:
        export(where, signed() if signed else None)
    except Exception as error:  # noqa: BLE001 - the same; its text may hold the setting's
        _unset("APPLICATIONINSIGHTS_CONNECTION_STRING", error)


def _unset(name: str, error: Exception) -> None:
    from functions.adapters.telling import log  # noqa: PLC0415 - the same

    why = f"{name}: telemetry could not be set up, and is not sent: {type(error).__name__}"
    log.tell([why], ())
