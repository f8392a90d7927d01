"""Pipelines, runs and builds as the JSON that the service sends.

https://learn.microsoft.com/rest/api/azure/devops/pipelines/runs/get and
https://learn.microsoft.com/rest/api/azure/devops/build/builds/get. Keys that the service sends
as null are left out: the published schemas know no null.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from datetime import datetime

    from local.devops.pipelines.defined import Pipeline
    from local.devops.pipelines.runs import QueuedRun

    Json = dict[str, object]


_RESULTS = {"partiallySucceeded": "unknown"}  # of a build, and no word of a pipeline run


def told(moment: datetime) -> str:
    """A time as the service writes it: UTC with seven digits."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "0Z")


def same_guid(*parts: object) -> str:
    """The GUID that stands for this thing, the same in every process."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(str(part).lower() for part in parts)))


def base(host: str, pipeline: Pipeline) -> str:
    """The project's URL."""
    return f"{host}{quote(pipeline.organization)}/{quote(pipeline.project)}"


def pipeline_reference(host: str, pipeline: Pipeline, revision: int) -> Json:
    """A pipeline as it stands inside a run."""
    return {
        "url": f"{base(host, pipeline)}/_apis/pipelines/{pipeline.id}?revision={revision}",
        "id": pipeline.id,
        "revision": revision,
        "name": pipeline.name,
        "folder": pipeline.folder,
    }


def pipeline_json(host: str, pipeline: Pipeline) -> Json:
    """A pipeline on its own."""
    reference = pipeline_reference(host, pipeline, pipeline.revision)
    web = f"{base(host, pipeline)}/_build/definition?definitionId={pipeline.id}"
    links = {"self": {"href": reference["url"]}, "web": {"href": web}}
    return {**reference, "_links": links, "configuration": {"type": "yaml"}}


def run_json(host: str, run: QueuedRun, *, parameters: bool = True) -> Json:
    """A pipeline run. Runs - List leaves the parameters out."""
    asked = run.pipeline.effective(run.template_parameters)
    times: Json = {"finishedDate": told(run.finish_time)} if run.finish_time else {}
    return {
        "_links": _run_links(host, run),
        **({"templateParameters": asked} if parameters else {}),
        **({"variables": _variables(run)} if run.variables else {}),
        "pipeline": pipeline_reference(host, run.pipeline, run.pipeline_version),
        "state": "completed" if run.result else "inProgress",
        **({"result": _RESULTS.get(run.result, run.result)} if run.result else {}),
        "createdDate": told(run.queue_time),
        **times,
        "url": f"{base(host, run.pipeline)}/_apis/pipelines/{run.pipeline_id}/runs/{run.id}",
        "resources": {"repositories": {"self": _self(run)}},
        "id": run.id,
        "name": run.number,
    }


def preview_json(host: str, pipeline: Pipeline, text: str) -> Json:
    """What Run Pipeline answers to `previewRun`: a run that does not exist, with the YAML."""
    return {
        "pipeline": pipeline_reference(host, pipeline, pipeline.revision),
        "state": "unknown",
        "url": f"{base(host, pipeline)}/_apis/pipelines/{pipeline.id}/runs/-1",
        "finalYaml": text,
        "id": -1,
    }


def build_json(host: str, run: QueuedRun, *, parameters: bool, typed: bool) -> Json:
    """The same run as the Builds API tells it: one that asked for no parameter shows none."""
    url = f"{base(host, run.pipeline)}/_apis/build/builds/{run.id}"
    plan = {"planId": same_guid("plan", run.id)}
    asked = _template_parameters(run, typed=typed)
    return {
        "_links": {"self": {"href": url}, "web": _run_links(host, run)["web"]},
        "properties": {},
        "tags": list(run.tags),
        "validationResults": [],
        "plans": [plan],
        **({"templateParameters": asked} if parameters and run.template_parameters else {}),
        **({"deleted": True} if run.deleted else {}),
        "triggerInfo": {},
        "id": run.id,
        "buildNumber": run.number,
        **_progress(run),
        "url": url,
        "definition": _definition(host, run),
        "project": _project(host, run),
        "uri": f"vstfs:///Build/Build/{run.id}",
        "sourceBranch": run.branch,
        "sourceVersion": _commit(run),
        **_queued(run),
        **({"parameters": _queue_time_variables(run)} if run.variables else {}),
        "orchestrationPlan": plan,
        "logs": {"id": 0, "type": "Container", "url": f"{url}/logs"},
        "repository": {**_repository(run), "type": "TfsGit", "checkoutSubmodules": False},
        "retainedByRelease": False,
    }


def _run_links(host: str, run: QueuedRun) -> dict[str, dict[str, str]]:
    project = base(host, run.pipeline)
    api = f"{project}/_apis/pipelines/{run.pipeline_id}"
    return {
        "self": {"href": f"{api}/runs/{run.id}"},
        "web": {"href": f"{project}/_build/results?buildId={run.id}"},
        "pipeline.web": {"href": f"{project}/_build/definition?definitionId={run.pipeline_id}"},
        "pipeline": {"href": f"{api}?revision={run.pipeline_version}"},
    }


def _variables(run: QueuedRun) -> Json:
    return {
        name: {"isSecret": True} if variable.is_secret else {"value": variable.value}
        for name, variable in run.variables.items()
    }


def _queue_time_variables(run: QueuedRun) -> str:
    return json.dumps({n: None if v.is_secret else v.value for n, v in run.variables.items()})


def _template_parameters(run: QueuedRun, *, typed: bool) -> Json:
    asked = run.pipeline.effective(run.template_parameters)
    declared = run.pipeline.parameters
    return {name: declared[name].typed(text) if typed else text for name, text in asked.items()}


def _queued(run: QueuedRun) -> Json:
    """Where it was queued, why and by whom."""
    return {
        "queue": {"id": 1, "name": "Azure Pipelines"},
        "priority": "normal",
        "reason": "manual",
        "requestedFor": _identity(run),
        "requestedBy": _identity(run),
    }


def _progress(run: QueuedRun) -> Json:
    """How far it has come, and when."""
    times = {
        "queueTime": run.queue_time,
        "startTime": run.start_time,
        "finishTime": run.finish_time,
        "lastChangedDate": run.finish_time or run.queue_time,
    }
    result = {"result": run.result} if run.result else {}
    known = {name: told(moment) for name, moment in times.items() if moment is not None}
    return {"status": run.status, **result, **known}


def _commit(run: QueuedRun) -> str:
    return same_guid("commit", run.project, run.branch).replace("-", "") + "00000000"


def _repository(run: QueuedRun) -> Json:
    return {"id": same_guid("repository", run.organization, run.project), "name": run.project}


def _self(run: QueuedRun) -> Json:
    repository = {**_repository(run), "type": "azureReposGit"}
    return {"repository": repository, "refName": run.branch, "version": _commit(run)}


def _definition(host: str, run: QueuedRun) -> Json:
    return {
        "id": run.pipeline_id,
        "name": run.pipeline.name,
        "url": f"{base(host, run.pipeline)}/_apis/build/Definitions/{run.pipeline_id}",
        "uri": f"vstfs:///Build/Definition/{run.pipeline_id}",
        "path": run.pipeline.folder,
        "type": "build",
        "queueStatus": "enabled",
        "revision": run.pipeline_version,
        "project": _project(host, run),
    }


def _project(host: str, run: QueuedRun) -> Json:
    guid = same_guid("project", run.organization, run.project)
    return {
        "id": guid,
        "name": run.project,
        "url": f"{host}{run.organization}/_apis/projects/{guid}",
        "state": "wellFormed",
        "visibility": "private",
    }


def _identity(run: QueuedRun) -> Json:
    return {
        "displayName": "Run Relay",
        "id": same_guid("identity", run.organization),
        "uniqueName": f"relay@{run.organization}.example",
    }
