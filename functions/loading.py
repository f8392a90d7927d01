"""All that an event may need, loaded at once: what was built for another Python shows then.

An app loads little when it is indexed, and the rest when it is first needed, so an app whose
packages do not fit its Python looks well until an event comes. Who deploys asks it with a probe.
https://github.com/Azure/azure-dev/issues/8538
"""

from __future__ import annotations

import pkgutil
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

import functions

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.ports.services import Ports

# What functions import of others when they are called; telemetry, which costs a second, is loaded
# where it is on, before any event.
LATER = (
    "azure.core.messaging",
    "azure.eventgrid._legacy",
    "cel_expr_python.cel",
    "cel_expr_python.ext",
    "cryptography.fernet",
    "jwt",
)


def everything() -> None:
    """Import each module of the app and all that they import; raises what an import raises."""
    for module in pkgutil.walk_packages(functions.__path__, "functions."):
        import_module(module.name)
    for name in LATER:
        import_module(name)


def meet(ports: Ports, began: datetime) -> None:
    """Let the ledger know of the route file, as the first round of this version will.

    Who deploys asks with a probe whether the app is ready: from then on instances of the version
    before leave to it what an operator opens again. So they do where its file was met long ago, if
    its process `began` since theirs was: it is deployed again. Two requests for such a file, and
    for a new one. Raises LedgerUnavailable.
    """
    from functions.core.memory import file_order  # noqa: PLC0415 - for probes, not for events
    from functions.core.terms.errors import RoutesUnreadable  # noqa: PLC0415 - the same

    with suppress(RoutesUnreadable):  # which the doctor says
        if file := ports.routes.routes().file:
            file_order.note(ports.ledger, file, ports.clock.now(), began)
