"""All that an event may need, loaded at once: what was built for another Python shows then.

An app loads little when it is indexed, and the rest when it is first needed, so an app whose
packages do not fit its Python looks well until an event comes. Who deploys asks it with a probe.
https://github.com/Azure/azure-dev/issues/8538
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

import functions

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
