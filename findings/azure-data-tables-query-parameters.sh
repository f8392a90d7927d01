#!/bin/sh
# azure-data-tables 12.7.0: the parameters of query_entities are put in word by word. With any
# given, a bracket that touches one is KeyError ('x)'), and two spaces next to each other are
# IndexError; with a space before the bracket, or the value in the text, the same filter is sent as
# it should be.
#
# No request is made in either case, and the error comes from the call, not from the iteration.
#
# Installs the package into a temporary environment; nothing leaves the machine after that. Exits
# with 0 if it still behaves so, 1 if that has changed, 2 if it could not be tried. PYTHON names the
# interpreter (python3).
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 2' HUP INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv" || exit 2
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    "azure-data-tables==12.7.0" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import sys
from importlib.metadata import version
from urllib.parse import parse_qs, urlsplit

from azure.core.credentials import AzureNamedKeyCredential
from azure.core.pipeline.transport import HttpTransport
from azure.data.tables import TableClient

FILTERS = {
    "(a eq @x )": "(a eq 'v' )",
    "(a eq @x)": "KeyError: 'x)'",
    "(a eq @x) or (b eq 'w')": "KeyError: 'x)'",
    "a eq @x and b eq 'w'": "a eq 'v' and b eq 'w'",
    "a eq @x  and b eq 'w'": "IndexError: string index out of range",
    "a eq @x and b eq 'two  spaces'": "IndexError: string index out of range",
}


class Sent(Exception):
    """What would have been asked for."""


class Nowhere(HttpTransport):
    def send(self, request, **_):
        raise Sent(parse_qs(urlsplit(request.url).query)["$filter"][0])

    def open(self):
        pass

    def close(self):
        pass

    def __exit__(self, *_):
        pass


table = TableClient(
    endpoint="https://127.0.0.1:9/account",
    table_name="rows",
    credential=AzureNamedKeyCredential("account", "a2V5"),
    transport=Nowhere(),
)


def seen(text, parameters):
    try:
        found = table.query_entities(text, parameters=parameters)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    try:
        list(found)
    except Sent as sent:
        return str(sent)
    return "nothing"


print("azure-data-tables", version("azure-data-tables"), "on Python", sys.version.split()[0])
found = {text: seen(text, {"x": "v"}) for text in FILTERS}
for text, answer in found.items():
    print(f"{text:32} {answer}")
plain = {text.replace("@x", "'v'"): None for text in FILTERS}
unchanged = all(seen(text, None) == text for text in plain)
print("without parameters each is sent as it is:", unchanged)
sys.exit(0 if found == FILTERS and unchanged else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
