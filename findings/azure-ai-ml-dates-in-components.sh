#!/bin/sh
# azure-ai-ml 1.35.2: a date without quotes in a component's YAML, where a text belongs, is a
# TypeError of json and no word about the component. So is an input that is called `on`: TypeError
# of join().
#
# The library reads YAML 1.1, in which these are a date and true; in YAML 1.2 both are texts. A
# number there is the ValidationError that it should be, which names the place; a date as `version`
# is fine.
#
# Installs the packages into a temporary environment; nothing leaves the machine after that. Exits
# with 0 if it still behaves so, 1 if that has changed, 2 if it could not be tried. PYTHON names the
# interpreter (python3).
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 2' HUP INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv" || exit 2
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    "azure-ai-ml==1.35.2" "marshmallow==3.26.2" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import logging
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

from azure.ai.ml import load_component

LINES = {
    "version: 2026-11-29": "loaded",
    "description: 12": "ValidationError names it",
    "description: 2026-11-29": "TypeError: Object of type date is not JSON serializable",
    "tags: {day: 12}": "ValidationError names it",
    "tags: {day: 2026-11-29}": "TypeError: Object of type date is not JSON serializable",
    "tags: {day: '2026-11-29'}": "loaded",
    "inputs: {first: {type: string, default: 2026-11-29}}": (
        "TypeError: Object of type date is not JSON serializable"
    ),
    "inputs: {'on': {type: string}}": "loaded",
    "inputs: {on: {type: string}}": (
        "TypeError: sequence item 1: expected str instance, bool found"
    ),
}
COMPONENT = "type: command\nname: step\ncommand: echo\nenvironment: azureml:env:1\n"
there = Path(__file__).with_name("component.yml")


def seen(line):
    there.write_text(f"{COMPONENT}{line}\n")
    try:
        load_component(there)
    except Exception as error:
        kind, said = type(error).__name__, str(error)
        named = line.split(":")[0] in said
        return f"{kind} names it" if named else f"{kind}: {said}"
    return "loaded"


print("azure-ai-ml", version("azure-ai-ml"), "on Python", sys.version.split()[0])
found = {line: seen(line) for line in LINES}
for line, answer in found.items():
    print(f"{line:55} {answer}")
sys.exit(0 if found == LINES else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
