"""`/_local/devops`: the misbehaviour by hand.

`POST` changes what its JSON object names, `GET` tells the switches and the runs, `DELETE`
makes the service behave again. For example
`{"queue_later": {"seconds": 30}, "builds_list_without_parameters": true}`.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response, jsonify, request

from local.devops.access import Scope, Shape  # noqa: TC001 - msgspec reads the annotations
from local.devops.pipelines.runs import Result  # noqa: TC001 - the same
from local.devops.state import Switches

if TYPE_CHECKING:
    from flask import Flask

    from local.devops.pipelines.runs import QueuedRun
    from local.devops.state import DevOpsState

PATH = "/_local/devops"


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    """The arguments of one call, by name."""


class _Later(_Strict):
    seconds: float
    times: int = 1


class _Throttle(_Strict):
    times: int = 1
    retry_after: int = 30
    method: str = "*"


class _Delay(_Strict):
    times: int = 1
    seconds: float = 5.0
    retry_after: int = 30
    method: str = "*"


class _Accept(_Strict):
    pat: str
    scope: Scope = "execute"


class _Refuse(_Strict):
    pat: str
    shape: Shape = "401-html"


class _Finish(_Strict):
    run_id: int
    result: Result = "succeeded"
    organization: str = ""


class _Run(_Strict):
    run_id: int
    organization: str = ""


class _Nothing(_Strict):
    pass


class _Pipeline(_Strict):
    organization: str
    project: str
    id: int
    name: str
    parameters: dict[str, str | None] = msgspec.field(default_factory=dict)
    settable_variables: list[str] = msgspec.field(default_factory=list)
    branches: list[str] = msgspec.field(default_factory=lambda: ["refs/heads/main"])
    stages: list[str] = msgspec.field(default_factory=list)


class _Calls(_Strict, omit_defaults=True):
    """What a `POST` may do besides setting switches; each is the method of the same name."""

    accept: _Accept | None = None
    refuse: _Refuse | None = None
    throttle: _Throttle | None = None
    delay: _Delay | None = None
    queue_later: _Later | None = None
    queue_now: _Nothing | None = None
    begin: _Run | None = None
    finish: _Finish | None = None
    delete: _Run | None = None
    destroy: _Run | None = None
    add_pipeline: _Pipeline | None = None


_Switches = msgspec.defstruct(
    "_Switches",
    [(f.name, msgspec.UnsetType | type(f.default), msgspec.UNSET) for f in fields(Switches)],
    bases=(_Strict,),
)
# what is decoded later is described before requests come, see functions/core/ledger/decoding.py
_DESCRIBED = [msgspec.json.Decoder(kind) for kind in (_Switches, _Calls)]


def install(app: Flask, state: DevOpsState) -> None:
    """Serve the control path on this app."""

    def control() -> tuple[Response, int] | Response:
        if request.method == "DELETE":
            state.reset()
        if request.method == "POST":
            try:
                _obey(state, msgspec.json.decode(request.get_data(), type=dict[str, Any]))
            except (msgspec.MsgspecError, KeyError) as error:
                return jsonify({"error": str(error)}), 400
        return jsonify(_report(state))

    app.add_url_rule(PATH, "local_devops", control, methods=["GET", "POST", "DELETE"])


def _obey(state: DevOpsState, command: dict[str, Any]) -> None:
    names = {switch.name for switch in fields(Switches)}
    switches = msgspec.convert({n: v for n, v in command.items() if n in names}, _Switches)
    calls = msgspec.convert({n: v for n, v in command.items() if n not in names}, _Calls)
    for name, value in msgspec.structs.asdict(switches).items():
        if value is not msgspec.UNSET:
            setattr(state, name, value)
    for name, arguments in msgspec.structs.asdict(calls).items():
        if arguments is not None:
            getattr(state, name)(**msgspec.structs.asdict(arguments))


def _report(state: DevOpsState) -> dict[str, object]:
    switches = {switch.name: getattr(state, switch.name) for switch in fields(Switches)}
    return {"switches": switches, "runs": [_run(run) for run in state.runs]}


def _run(run: QueuedRun) -> dict[str, object]:
    return {
        "id": run.id,
        "organization": run.organization,
        "project": run.project,
        "pipeline": run.pipeline_id,
        "branch": run.branch,
        "template_parameters": run.template_parameters,
        "queue_time": run.queue_time.isoformat(),
        "status": run.status,
        "result": run.result,
        "tags": list(run.tags),
    }
