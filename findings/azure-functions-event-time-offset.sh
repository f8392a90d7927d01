#!/bin/sh
# azure-functions 1.26.0: an event whose eventTime has an offset other than zero never reaches a
# function that takes azure.functions.EventGridEvent: the converter raises while it makes the
# parameter. Seven digits after the point, and no zone at all, are fine.
#
# The host of Azure rewrites the time to UTC before; a worker that is driven by another host meets
# it. Event Grid takes what RFC 3339 allows:
# https://learn.microsoft.com/azure/event-grid/event-schema
#
# Installs the package into a temporary environment; nothing leaves the machine after that. Exits
# with 0 if it still behaves so, 1 if that has changed, 2 if it could not be tried. PYTHON names the
# interpreter (python3).
set -eu

version=1.26.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 2' HUP INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv" || exit 2
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    "azure-functions==$version" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import json
import sys
from importlib.metadata import version

from azure.functions import meta
from azure.functions.eventgrid import EventGridEventInConverter

TIMES = {
    "2026-11-29T10:00:00Z": True,
    "2026-11-29T10:00:00.1234567Z": True,
    "2026-11-29T10:00:00": True,
    "2026-11-29T12:00:00+02:00": False,
    "2026-11-29T12:00:00.5+02:00": False,
}


def taken(time):
    event = {"id": "1", "topic": "/t", "subject": "s", "eventType": "t", "eventTime": time}
    text = json.dumps({**event, "data": {}, "dataVersion": "1"})
    try:
        EventGridEventInConverter.decode(meta.Datum(text, "json"), trigger_metadata=None)
    except ValueError as error:
        print(f"{time:32}", "ValueError:", error)
        return False
    print(f"{time:32}", "taken")
    return True


print("azure-functions", version("azure-functions"), "on Python", sys.version.split()[0])
found = {time: taken(time) for time in TIMES}
sys.exit(0 if all(TIMES[time] == was for time, was in found.items()) else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
