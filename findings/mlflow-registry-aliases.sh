#!/bin/sh
# mlflow-skinny 3.17.2, its registry over SQLite: whether a model version says its aliases depends
# on who is asked, and an alias that is not set is another kind of error than all else that is not
# there.
#
# * The version, asked for by number or by alias, says `champion`; the same version as an answer of
#   search_model_versions, or as a latest version of its registered model, says no alias at all.
# * An alias that nobody set is INVALID_PARAMETER_VALUE, a 400; a model or a version that nobody
#   made is RESOURCE_DOES_NOT_EXIST, a 404. To delete an alias that is not set is no error.
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
from pathlib import Path

os.chdir(Path(__file__).parent)
os.environ |= {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
logging.disable(logging.CRITICAL)

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException


def refused(call):
    try:
        return call()
    except MlflowException as error:
        return f"{error.error_code} {error.get_http_status_code()}"


client = MlflowClient(f"sqlite:///{os.getcwd()}/ml.db")
run = client.create_run("0").info
client.create_registered_model("m")
client.create_model_version("m", f"{run.artifact_uri}/model", run_id=run.run_id)
client.set_registered_model_alias("m", "champion", "1")

(searched,) = client.search_model_versions("name = 'm'")
(latest,) = client.get_registered_model("m").latest_versions
found = {
    "aliases of get_model_version": client.get_model_version("m", "1").aliases,
    "of get_model_version_by_alias": client.get_model_version_by_alias("m", "champion").aliases,
    "of search_model_versions": searched.aliases,
    "of get_registered_model": latest.aliases,
    "no such alias": refused(lambda: client.get_model_version_by_alias("m", "none")),
    "no such model": refused(lambda: client.get_model_version_by_alias("none", "champion")),
    "no such version": refused(lambda: client.get_model_version("m", "9")),
    "no such alias to delete": refused(lambda: client.delete_registered_model_alias("m", "none")),
}
print("mlflow-skinny", version("mlflow-skinny"), "on Python", sys.version.split()[0])
for what, answer in found.items():
    print(f"{what:30}", answer)
absent = "RESOURCE_DOES_NOT_EXIST 404"
told, untold = [["champion"]] * 2, [[]] * 2
expected = [*told, *untold, "INVALID_PARAMETER_VALUE 400", absent, absent, None]
sys.exit(0 if list(found.values()) == expected else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
