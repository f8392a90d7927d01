"""What `make up` tells: addresses, and commands for a shell that do something by hand."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING

from local.cloud import ORGANIZATION, PROJECT, WORKSPACE
from local.deployment import ROOT
from local.trainings import COMPLETED, EXPERIMENT, STATUS_CHANGED

if TYPE_CHECKING:
    from pathlib import Path

    from local.deployment import Deployment

_CODE = r'-w "%{http_code}\n"'  # so that also what answers nothing says how it went
GUIDE = """
Host          {host}
Operations    {host}/api/operations?code={function_key}
Event Grid    {topic}
MLflow        {mlflow}
Azure DevOps  {devops}/{organization}/{project}
Key Vault     {vault}    Resource Manager {arm}    identity {identity}
Ledger, logs  {directory}

In another terminal, from {root}, for addresses and local keys:

  . {env}

Train for real (prints the run's id; try --epochs 4 and --fail as well):

  RUN=$("$PYTHON" examples/training/train.py)

Tell the Event Grid topic that it was completed:

  {publish}

See what became of the run and why, and all that there is (the app's settings tell which ledger):

  . {settings}
  bin/relay why $RUN
  bin/relay list

Tell the host itself, straight and as a CloudEvent, that it failed (the app reads the run back):

  {deliver}

List the pipeline runs at Azure DevOps:

  curl -sS -u ":$PAT" "$DEVOPS/_apis/pipelines/42/runs?api-version=7.1"

Commit a fault: Azure DevOps queues the next run, but answers 503; every service has this path.
The second command tells which are still to come, the third takes them back:

  curl -sS {code} "$DEVOPS_URL/_local/faults" -d '{fault}'
  curl -sS {code} "$DEVOPS_URL/_local/faults"
  curl -sS {code} "$DEVOPS_URL/_local/faults" -X DELETE

Let Azure DevOps refuse the access token, as if it had expired; then accept it again:

  curl -sS {code} "$DEVOPS_URL/_local/devops" -d '{{"refuse": {{"pat": "'$PAT'", "shape": "203"}}}}'
  curl -sS {code} "$DEVOPS_URL/_local/devops" -d '{{"accept": {{"pat": "'$PAT'"}}}}'

Fire the reconciler's timer now (it answers 202):

  curl -sS {code} "$HOST_URL/admin/functions/reconcile" -d '{{"input": ""}}'

The sweep starts what no event told of, and coverage tells what became of every run:

  curl -sS {code} "$HOST_URL/admin/functions/sweep" -d '{{"input": ""}}'
  bin/relay coverage --since 1h
"""


def guide(deployment: Deployment) -> str:
    """All of it, ready to be pasted."""
    cloud, directory = deployment.cloud, deployment.directory
    return GUIDE.format(
        host=deployment.host_url,
        function_key=deployment.function_key,
        topic=deployment.topic.endpoint,
        mlflow=deployment.mlflow.url,
        devops=cloud.devops.url,
        organization=ORGANIZATION,
        project=PROJECT,
        vault=cloud.vault.url,
        arm=cloud.arm.url,
        identity=cloud.identity.url,
        directory=directory,
        root=shlex.quote(str(ROOT)),
        env=_file(directory / "env"),
        settings=_file(directory / "settings"),
        code=_CODE,
        publish=_publish(),
        deliver=_deliver(),
        fault=json.dumps({"method": "POST", "path": "*/runs", "status": 503, "after": True}),
    ).rstrip()


def write_files(deployment: Deployment) -> None:
    """`env` with the names that the commands use, `settings` with those of the app."""
    variables = {
        "HOST_URL": deployment.host_url,
        "FUNCTION_KEY": deployment.function_key,
        "TOPIC": deployment.topic.endpoint,
        "TOPIC_KEY": deployment.key,
        "DEVOPS_URL": deployment.cloud.devops.url,
        "DEVOPS": f"{deployment.cloud.devops.url}/{ORGANIZATION}/{PROJECT}",
        "PAT": deployment.cloud.pat,
        "WORKSPACE": WORKSPACE,
        "MLFLOW_TRACKING_URI": deployment.mlflow.url,
        "PYTHON": sys.executable,
    }
    _write(deployment.directory / "env", variables)
    _write(deployment.directory / "settings", deployment.settings())


def _write(path: Path, variables: dict[str, str]) -> None:
    """A file for a shell to read, for its owner only."""
    path.touch(mode=0o600)
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    path.write_text("".join(lines), "utf-8")


def _publish() -> str:
    event = {
        "id": "by-hand-$(date +%s)",
        "eventType": COMPLETED,
        "subject": "experiments/1/runs/$RUN",
        "eventTime": "$(date -u +%FT%TZ)",
        "dataVersion": "2",
        "data": _data(),
    }
    headers = ("aeg-sas-key: $TOPIC_KEY", "Content-Type: application/json")
    return _curl("$TOPIC?api-version=2018-01-01", headers, [event])


def _deliver() -> str:
    event = {
        "specversion": "1.0",
        "id": "by-hand-$(date +%s)",
        "source": "$WORKSPACE",
        "type": STATUS_CHANGED,
        "subject": "experiments/1/runs/$RUN",
        "time": "$(date -u +%FT%TZ)",
        "data": _data() | {"runStatus": "Failed"},
    }
    headers = ("aeg-event-type: Notification", "Content-Type: application/cloudevents+json")
    path = "/runtime/webhooks/EventGrid?functionName=on_run_status_changed"
    return _curl(f"$HOST_URL{path}", headers, event)


def _data() -> dict[str, object]:
    named = {"experimentId": "1", "experimentName": EXPERIMENT, "runId": "$RUN"}
    return {**named, "runType": "azureml.scriptrun", "runTags": {}, "runProperties": {}}


def _curl(url: str, headers: tuple[str, ...], body: object) -> str:
    """A command that sends JSON in which the shell fills in its variables."""
    given = " ".join(f'-H "{header}"' for header in headers)
    call = f'curl -sS {_CODE} "{url}" {given} -d @-'
    return f"{call} <<EVENT\n{json.dumps(body)}\nEVENT"


def _file(path: Path) -> str:
    """As it is written in the project's folder."""
    return shlex.quote(str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path))
