"""`/_local/github`: runs, workflows and misbehaviour by hand.

`POST` does what its JSON object names, `GET` tells the switches and the runs, `DELETE` makes the
service behave again. For example `{"finish": {"run_id": 21000000008, "conclusion": "failure"}}`.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from flask import Response, jsonify, request

from local.github.access.limits import Limit  # noqa: TC001 - msgspec reads the annotations
from local.github.actions.dispatching import Details  # noqa: TC001 - the same
from local.github.actions.runs import Conclusion  # noqa: TC001 - the same
from local.github.errors import Refusal
from local.github.repositories import State  # noqa: TC001 - the same
from local.github.state import Switches

if TYPE_CHECKING:
    from flask import Flask

    from local.github.actions.runs import Run
    from local.github.state import GitHubState

PATH = "/_local/github"


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    """The arguments of one call, by name."""


class _Switches(_Strict, omit_defaults=True):
    details: Details | msgspec.UnsetType = msgspec.UNSET
    born_seconds: float | msgspec.UnsetType = msgspec.UNSET
    hidden_seconds: float | msgspec.UnsetType = msgspec.UNSET
    cancels_slowly: bool | msgspec.UnsetType = msgspec.UNSET


class _Run(_Strict):
    run_id: int


class _Finish(_Strict):
    run_id: int
    conclusion: Conclusion = "success"


class _Limit(_Strict):
    times: int = 1
    kind: Limit = "primary"
    status: Literal[403, 429] = 403
    seconds: int = 60
    method: str = "*"


class _Accept(_Strict):
    token: str
    repositories: list[str] | None = None
    permissions: dict[str, str] | None = None


class _Refuse(_Strict):
    token: str


class _Repository(_Strict):
    owner: str
    name: str
    private: bool = True
    branches: list[str] = msgspec.field(default_factory=lambda: ["main"])
    tags: list[str] = msgspec.field(default_factory=list)
    environments: list[str] = msgspec.field(default_factory=list)


class _Workflow(_Strict):
    owner: str
    name: str
    file: str
    text: str
    refs: list[str] | None = None


class _Rename(_Strict):
    owner: str
    name: str
    new: str


class _State(_Strict):
    owner: str
    name: str
    workflow: str
    state: State


class _Calls(_Strict, omit_defaults=True):
    """What a `POST` may do besides setting switches; each is the method of the same name."""

    begin: _Run | None = None
    wait: _Run | None = None
    finish: _Finish | None = None
    delete: _Run | None = None
    limit: _Limit | None = None
    accept: _Accept | None = None
    refuse: _Refuse | None = None
    add_repository: _Repository | None = None
    add_workflow: _Workflow | None = None
    rename: _Rename | None = None
    set_state: _State | None = None


# what is decoded later is described before requests come, see functions/core/ledger/decoding.py
_DESCRIBED = [msgspec.json.Decoder(kind) for kind in (_Switches, _Calls)]


def install(app: Flask, state: GitHubState) -> None:
    """Serve the control path on this app."""

    def control() -> tuple[Response, int] | Response:
        if request.method == "DELETE":
            state.reset()
        if request.method == "POST":
            try:
                _obey(state, msgspec.json.decode(request.get_data(), type=dict[str, Any]))
            except (msgspec.MsgspecError, KeyError, ValueError, Refusal) as error:
                return jsonify({"error": str(error)}), 400
        return jsonify(_report(state))

    app.add_url_rule(PATH, "local_github", control, methods=["GET", "POST", "DELETE"])


def _obey(state: GitHubState, command: dict[str, Any]) -> None:
    names = {switch.name for switch in fields(Switches)}
    switches = msgspec.convert({n: v for n, v in command.items() if n in names}, _Switches)
    calls = msgspec.convert({n: v for n, v in command.items() if n not in names}, _Calls)
    for name, value in msgspec.structs.asdict(switches).items():
        if value is not msgspec.UNSET:
            setattr(state, name, value)
    for name, arguments in msgspec.structs.asdict(calls).items():
        if arguments is not None:
            getattr(state, name)(**msgspec.structs.asdict(arguments))


def _report(state: GitHubState) -> dict[str, object]:
    switches = {switch.name: getattr(state, switch.name) for switch in fields(Switches)}
    refused = [one.looks for one in state.seen.refused]
    return {"switches": switches, "refused": refused, "runs": [_run(run) for run in state.runs]}


def _run(run: Run) -> dict[str, object]:
    return {
        "id": run.id,
        "repository": run.repository.full_name,
        "workflow": run.workflow.file,
        "ref": run.ref,
        "inputs": dict(run.inputs),
        "title": run.title,
        "created_at": run.created_at.isoformat(),
        "status": run.status,
        "conclusion": run.conclusion,
        "cancelling": run.cancelling,
    }
