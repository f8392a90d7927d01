#!/bin/sh
# azure-data-tables 12.7.0: create_entity raises AttributeError where the credential has no token;
# every other call raises the ClientAuthenticationError that the credential raised.
#
# Installs the package into a temporary environment; nothing leaves the machine after that. Exits
# with 0 if it still behaves so, 1 if that has changed, 2 if it could not be tried. PYTHON names the
# interpreter (python3).
set -eu

version=12.7.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 2' HUP INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv" || exit 2
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    "azure-data-tables==$version" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import sys
from importlib.metadata import version

from azure.core.exceptions import ClientAuthenticationError
from azure.data.tables import TableClient

ROW = {"PartitionKey": "a", "RowKey": "b"}


class NoToken:
    """Fails as azure-identity's credentials do: before there is any answer of a service."""

    def get_token(self, *_scopes, **_options):
        raise ClientAuthenticationError(message="there is no managed identity here")

    def get_token_info(self, *_scopes, **_options):
        return self.get_token()


def raised(call):
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


table = TableClient(endpoint="https://127.0.0.1:9/account", table_name="rows", credential=NoToken())
calls = {
    "get_entity": lambda: table.get_entity("a", "b"),
    "update_entity": lambda: table.update_entity(ROW),
    "upsert_entity": lambda: table.upsert_entity(ROW),
    "delete_entity": lambda: table.delete_entity("a", "b"),
    "submit_transaction": lambda: table.submit_transaction([("create", ROW)]),
    "create_entity": lambda: table.create_entity(ROW),
}
print("azure-data-tables", version("azure-data-tables"), "on Python", sys.version.split()[0])
found = {name: raised(call) for name, call in calls.items()}
for name, what in found.items():
    print(f"{name:20}", what)
created = found.pop("create_entity")
told = all(what.startswith("ClientAuthenticationError: there is no") for what in found.values())
sys.exit(0 if told and created.startswith("AttributeError: 'NoneType'") else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
