#!/bin/sh
# mlflow-skinny 3.17.2, its tracking store over SQLite: which of two metrics of the same step and
# time is the run's depends on the other one's sign where one is NaN. The greater one is, and NaN
# counts as 0 there: 0.5 hides a NaN that was logged after it, -0.5 is hidden by a NaN that was
# logged before.
#
# The history has both. A loss that ended as NaN is then 0.5 for whoever reads the run or searches.
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
    "mlflow-skinny==3.17.2" "SQLAlchemy==2.1.9" "alembic==1.20.1" "pandas==3.1.1" \
    "numpy==2.4.6" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import logging
import os
import sys
from importlib.metadata import version
from math import nan
from pathlib import Path

os.chdir(Path(__file__).parent)
os.environ |= {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
logging.disable(logging.CRITICAL)

from mlflow import MlflowClient

LOGGED = {
    "positive, then NaN": ((0.5, nan), "0.5"),
    "NaN, then positive": ((nan, 0.5), "0.5"),
    "negative, then NaN": ((-0.5, nan), "nan"),
    "NaN, then negative": ((nan, -0.5), "nan"),
}
client = MlflowClient(f"sqlite:///{os.getcwd()}/ml.db")
run = client.create_run("0").info.run_id
found = {}
print("mlflow-skinny", version("mlflow-skinny"), "on Python", sys.version.split()[0])
for name, (values, _) in LOGGED.items():
    key = name.replace(",", "")
    for value in values:
        client.log_metric(run, key, value, timestamp=1, step=0)
    found[name] = str(client.get_run(run).data.metrics[key])
    history = sorted(str(metric.value) for metric in client.get_metric_history(run, key))
    print(f"{name}: the run has {found[name]}, the history", *history)
    assert history == sorted(map(str, values))
seen = client.search_runs(["0"], "metrics.`positive then NaN` <= 1")
print("runs found with <= 1 where NaN was the last:", len(seen))
as_stated = all(found[name] == answer for name, (_, answer) in LOGGED.items())
sys.exit(0 if as_stated and len(seen) == 1 else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
