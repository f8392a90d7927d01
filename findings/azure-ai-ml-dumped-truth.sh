#!/bin/sh
# azure-ai-ml 1.35.2: a pipeline that was loaded and dumped has its `true` and `false` as 1 and 0,
# the pipeline's inputs' and the steps'. Loaded again it sends the service "1" where it sent "True"
# before.
#
# Seen for a step's input that is declared a boolean, in a pipeline job and in a pipeline
# component; numbers and texts stay what they were.
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

import yaml

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

from azure.ai.ml import load_component, load_job

STEP = """
type: command
name: step
inputs: {flag: {type: boolean}, other: {type: boolean}, n: {type: integer}, s: {type: string}}
environment: azureml:env:1
command: echo ${{inputs.flag}} ${{inputs.other}} ${{inputs.n}} ${{inputs.s}}
"""
JOBS = """
jobs:
  a:
    type: command
    component: ./step.yml
    inputs: {flag: true, other: false, n: 5, s: "yes"}
"""
PIPELINES = {
    "job": (load_job, "type: pipeline\ninputs: {p: true}\n" + JOBS),
    "component": (load_component, "type: pipeline\nname: pipe\n" + JOBS),
}
there = Path(__file__).parent
(there / "step.yml").write_text(STEP)


def sent(pipeline):
    made = pipeline._to_rest_object().properties
    jobs = made.jobs if hasattr(made, "jobs") else made.component_spec["jobs"]
    return {name: given["value"] for name, given in jobs["a"]["inputs"].items()}


def seen(name):
    load, text = PIPELINES[name]
    first, second = there / f"{name}.yml", there / f"{name}-dumped.yml"
    first.write_text(text)
    loaded = load(first)
    loaded.dump(second)
    dumped = yaml.safe_load(second.read_text())
    print(name, "dumped:", dumped["jobs"]["a"]["inputs"], "its own:", dumped.get("inputs"))
    before, after = sent(loaded), sent(load(second))
    print(name, "sends", before, "and then", after)
    return before, after, [type(value) for value in dumped["jobs"]["a"]["inputs"].values()]


print("azure-ai-ml", version("azure-ai-ml"), "on Python", sys.version.split()[0])
expected = (
    {"flag": "True", "other": "False", "n": "5", "s": "yes"},
    {"flag": "1", "other": "0", "n": "5", "s": "yes"},
    [int, int, int, str],
)
sys.exit(0 if all(seen(name) == expected for name in PIPELINES) else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
