#!/bin/sh
# azure-monitor-opentelemetry-exporter 1.0.0b58: a connection string that ends with a semicolon is
# refused, and after a semicolon and a space an endpoint is passed over in silence: what is exported
# goes to the global endpoint instead.
#
# Key-value pairs, separated by semicolons:
# https://learn.microsoft.com/azure/azure-monitor/app/sdk-connection-string
#
# Installs the package into a temporary environment; nothing leaves the machine after that. Exits
# with 0 if it still behaves so, 1 if that has changed, 2 if it could not be tried. PYTHON names the
# interpreter (python3).
set -eu

version=1.0.0b58
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 2' HUP INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv" || exit 2
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    "azure-monitor-opentelemetry-exporter==$version" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import sys
from importlib.metadata import version

from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter

KEY = "InstrumentationKey=00000000-0000-4000-8000-000000000000"
PLACE = "IngestionEndpoint=https://westeurope.example"
GIVEN = {
    "plain": f"{KEY};{PLACE}",
    "ends with a semicolon": f"{KEY};{PLACE};",
    "a space after the semicolon": f"{KEY}; {PLACE}",
}


def goes_to(connection_string):
    try:
        made = AzureMonitorTraceExporter(
            connection_string=connection_string, disable_offline_storage=True
        )
    except ValueError as error:
        return f"ValueError: {error}"
    return made._endpoint.rstrip("/")


print("azure-monitor-opentelemetry-exporter", version("azure-monitor-opentelemetry-exporter"))
found = {name: goes_to(given) for name, given in GIVEN.items()}
for name, where in found.items():
    print(f"{name:30}", where)
plain, ended, spaced = found.values()
same = plain == "https://westeurope.example"
passed_over = spaced == "https://dc.services.visualstudio.com"
sys.exit(0 if same and ended.startswith("ValueError") and passed_over else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
