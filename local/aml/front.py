"""Azure Machine Learning's MLflow front: its paths, its tokens, its refusals, over a backend.

https://learn.microsoft.com/azure/machine-learning/how-to-track-experiments-mlflow
The base is `https://HOST/mlflow/v1.0{workspace id}/api/2.0/mlflow`, the token one for
https://management.azure.com:
https://github.com/Azure/azureml-examples/blob/main/sdk/python/using-mlflow/using-rest-api/using_mlflow_rest_api.ipynb
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import requests
from flask import Response, jsonify, request

from local.aml import dialect
from local.aml.dialect import CALLS, mlflow_status
from local.aml.filter import Clause, RefusedError
from local.identity import MANAGEMENT, Accepts
from local.serving.running import Running, bearer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from local.serving.listener import Listener

PATH = re.compile(
    r"/mlflow/v[12]\.0(?P<workspace>/subscriptions/.+?/workspaces/[^/]+)"
    r"/api/2\.0/mlflow/(?P<call>.+)",
    re.IGNORECASE,
)
LISTS = ("order_by", "experiment_ids")
TIMES = {"start_time": "start_time", "end_time": "end_time", "creation_time": "start_time"}
Answer = tuple[int, dict[str, Any]]


class Backend(Protocol):
    """Where the runs really are. Answers a call that the dialect allows."""

    def answer(self, method: str, call: str, arguments: dict[str, Any]) -> Answer:
        """HTTP status and JSON of a call such as `runs/get`."""


@dataclass(frozen=True)
class Overlay:
    """What to say of a run instead of what the backend says; tags are added or replaced."""

    tags: Mapping[str, str] = field(default_factory=dict)
    status: str | None = None
    name: str | None = None

    def laid(self, run: dict[str, Any]) -> dict[str, Any]:
        """The run with this laid over it."""
        info = dict(run["info"])
        if self.status:
            info["status"] = mlflow_status(self.status)
        if self.name:
            info["run_name"] = self.name
        tags = {t["key"]: t["value"] for t in run["data"].get("tags", [])} | dict(self.tags)
        data = run["data"] | {"tags": [{"key": k, "value": v} for k, v in tags.items()]}
        return run | {"info": info, "data": data if tags else run["data"]}


class AML(Running):
    """One workspace's MLflow as AML serves it.

    `by_run` also allows to search model versions by run id; AML's pages do not say it can.
    """

    def __init__(
        self,
        workspace_id: str,
        backend: Backend,
        accepts: Accepts,
        tls: ssl.SSLContext | None = None,
        port: int | Listener = 0,
        *,
        by_run: bool = False,
    ) -> None:
        super().__init__(port, tls)
        self.workspace_id = workspace_id
        self._backend = backend
        self._accepts = accepts
        self._by_run = by_run
        self._overlays: dict[str, Overlay] = {}
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        self.app.add_url_rule("/<path:_>", view_func=self._answer, methods=methods)

    @property
    def url(self) -> str:
        """The base under which MLflow's `/api/2.0/mlflow` lies."""
        return f"{self.server.url}/mlflow/v1.0{self.workspace_id}"

    @property
    def tracking_uri(self) -> str:
        """The workspace's `mlFlowTrackingUri`, which spells https as azureml."""
        return self.url.replace("https://", "azureml://", 1)

    def overlay(
        self,
        run_id: str,
        tags: Mapping[str, str] | None = None,
        status: str | None = None,
        name: str | None = None,
    ) -> None:
        """Say this of a run from now on; `status` in AML's words or MLflow's.

        Searches still filter and order by what the backend has.
        """
        self._overlays[run_id] = Overlay(tags or {}, status, name)

    def _answer(self, _: str) -> Response | tuple[Response, int]:
        asked = PATH.fullmatch(request.path)
        if asked is None or asked["call"] not in CALLS:
            return Response(status=404)
        if request.method not in CALLS[asked["call"]]:
            return Response(status=405)
        try:
            return jsonify(self._served(asked["workspace"], asked["call"]))
        except RefusedError as refused:
            return jsonify(refused.wire()), refused.status

    def _served(self, workspace: str, call: str) -> dict[str, Any]:
        if not self._accepts(bearer(), MANAGEMENT):
            raise RefusedError("The bearer token is missing or not valid.", "UNAUTHENTICATED", 401)
        if workspace.lower() != self.workspace_id.lower():
            missing = f"Workspace {workspace} not found."
            raise RefusedError(missing, "RESOURCE_DOES_NOT_EXIST", 404)
        arguments = _arguments()
        dialect.check(call, arguments, by_run=self._by_run)
        status, body = self._backend.answer(request.method, call, arguments)
        if status != requests.codes.ok:
            code = str(body.get("error_code", "INTERNAL_ERROR"))
            raise RefusedError(str(body.get("message", "")), code, status)
        return self._overlaid(body)

    def _overlaid(self, body: dict[str, Any]) -> dict[str, Any]:
        if "run" in body:
            return body | {"run": self._laid(body["run"])}
        if "runs" in body:
            return body | {"runs": [self._laid(run) for run in body["runs"]]}
        return body

    def _laid(self, run: dict[str, Any]) -> dict[str, Any]:
        overlay = self._overlays.get(run["info"]["run_id"])
        return overlay.laid(run) if overlay else run


class Forwarded:
    """A backend that asks a plain MLflow server at `url`, in that server's own dialect."""

    def __init__(self, url: str) -> None:
        self._base = f"{url}/api/2.0/mlflow"
        self._session = requests.Session()
        self._session.trust_env = False

    def answer(self, method: str, call: str, arguments: dict[str, Any]) -> Answer:
        """The server's status and JSON."""
        if call == "runs/search" and arguments.get("filter"):
            clauses = dialect.run_filter(arguments["filter"])
            arguments = arguments | {"filter": " AND ".join(map(plain, clauses))}
        sent = {"params": arguments} if method == "GET" else {"json": arguments}
        got = self._session.request(
            method,
            f"{self._base}/{call}",
            timeout=30,
            **sent,  # type: ignore[arg-type]
        )
        return got.status_code, got.json()


def plain(clause: Clause) -> str:
    """A clause as MLflow itself writes it: times are numbers and statuses upper case there."""
    key, values = clause.key, clause.values
    if clause.kind == "attributes" and key in TIMES:
        return f"attributes.{TIMES[key]} {clause.operator} {values[0]}"
    if (clause.kind, key) == ("attributes", "status"):
        values = tuple(v.upper() for v in values)
    written = [f"'{v}'" if clause.quoted else v for v in values]
    shown = f"({', '.join(written)})" if clause.operator == "IN" else written[0]
    return f"{clause.kind}.{key} {clause.operator} {shown}"


def _arguments() -> dict[str, Any]:
    if request.method != "GET":
        body: dict[str, Any] = request.get_json(silent=True) or {}
        return body
    args = request.args
    return {k: args.getlist(k) if k in LISTS else args[k] for k in args}
