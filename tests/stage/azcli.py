"""An Azure CLI for tests: `az account get-access-token` with the tokens of the local identity."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.identity import Identity

# What `az` writes: https://learn.microsoft.com/cli/azure/account#az-account-get-access-token
_SCRIPT = """#!{python} -IS
import json, socket, sys, time

resource = sys.argv[sys.argv.index("--resource") + 1]
with open({log!r}, "a", encoding="utf-8") as log:
    log.write(resource + "\\n")
if sys.argv[1:3] != ["account", "get-access-token"]:
    sys.exit("ERROR: " + " ".join(sys.argv[1:]) + " is no command that is known here.")
if not {signed_in}:
    sys.exit("ERROR: Please run 'az login' to setup account.")
with socket.create_connection(("127.0.0.1", {port}), timeout=30) as server:
    path = "/msi/token?api-version=2019-08-01&resource=" + resource
    call = "GET " + path + " HTTP/1.0\\r\\nX-IDENTITY-HEADER: {header}\\r\\n\\r\\n"
    server.sendall(call.encode())
    given = json.loads(server.makefile("rb").read().partition(b"\\r\\n\\r\\n")[2])
ends = int(given["expires_on"])
print(json.dumps({{
    "accessToken": given["access_token"],
    "expiresOn": time.strftime("%Y-%m-%d %H:%M:%S.000000", time.localtime(ends)),
    "expires_on": ends,
    "subscription": "11111111-2222-3333-4444-555555555555",
    "tenant": "00000000-0000-4000-8000-00000000000f",
    "tokenType": "Bearer",
}}))
"""


class AzureCli:
    """An `az` in a folder of its own; `environ()` puts it first on the PATH, and nothing else
    of this process can sign in."""

    def __init__(self, directory: Path, identity: Identity) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._identity = directory, identity
        self._log = directory / "log"
        self.sign_in()

    def sign_in(self) -> None:
        self._write(signed_in=True)

    def sign_out(self) -> None:
        self._write(signed_in=False)

    def environ(self) -> Mapping[str, str]:
        path = os.pathsep.join([str(self._directory), os.environ["PATH"]])
        nobody = {"IDENTITY_ENDPOINT": f"{self._identity.url}/msi/token", "IDENTITY_HEADER": "-"}
        return {**nobody, "PATH": path}

    def asked_for(self) -> list[str]:
        """The resources that tokens were asked for, in order."""
        return self._log.read_text("utf-8").split() if self._log.exists() else []

    def _write(self, *, signed_in: bool) -> None:
        known = self._identity.environment()
        script = self._directory / "az"
        text = _SCRIPT.format(
            python=sys.executable,
            log=str(self._log),
            signed_in=signed_in,
            port=self._identity.server.port,
            header=known["IDENTITY_HEADER"],
        )
        script.write_text(text, "utf-8")
        script.chmod(0o755)
