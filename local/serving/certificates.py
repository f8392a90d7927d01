"""Certificates for the services that must speak TLS: one authority of our own.

Key Vault's client refuses plain http, so the local services need certificates that the
clients trust: `ca.pem` goes to REQUESTS_CA_BUNDLE, which requests and azure-core both read.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("localhost", "127.0.0.1")


class Authority:
    """A certificate authority kept in a directory: made when absent, used again when there.

    Writes `ca.pem` (its certificate) and `ca.key` (readable by the owner only).
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.bundle = directory / "ca.pem"
        self._key = directory / "ca.key"
        self._authority = self._kept() or self._made()

    def server_context(self) -> ssl.SSLContext:
        """A TLS context for a server at localhost and 127.0.0.1."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*NAMES).configure_cert(context)
        return context

    def _kept(self) -> trustme.CA | None:
        if not (self.bundle.exists() and self._key.exists()):
            return None
        return trustme.CA.from_pem(self.bundle.read_bytes(), self._key.read_bytes())

    def _made(self) -> trustme.CA:
        made = trustme.CA(organization_name="Run Relay local services")
        self._key.touch(mode=0o600)
        self._key.write_bytes(made.private_key_pem.bytes())
        made.cert_pem.write_to_path(str(self.bundle))
        return made
