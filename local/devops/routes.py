"""The HTTP face of the local Azure DevOps: one table of routes, one short function for each.

https://learn.microsoft.com/rest/api/azure/devops/pipelines and
https://learn.microsoft.com/rest/api/azure/devops/build
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response, g, jsonify, request

from local.devops.errors import Refusal, bad_argument, malformed, unsupported
from local.devops.pipelines.builds import page
from local.devops.pipelines.defined import Pipeline, RunRequest
from local.devops.pipelines.wire import build_json, pipeline_json, preview_json, run_json
from local.serving.faults import cut

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from local.devops.pipelines.catalogue import Project
    from local.devops.pipelines.runs import QueuedRun
    from local.devops.pipelines.wire import Json
    from local.devops.state import DevOpsState

_PROJECT = "/<organization>/<project>/_apis/"


class _Dropped(Response):
    """No answer at all: the connection is closed under the client."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Cut instead of answering."""
        del start_response
        cut(environ)


class Routes:
    """Every operation; each takes the project and what else its path names."""

    def __init__(self, state: DevOpsState) -> None:
        self._state = state

    def list_pipelines(self, where: Project) -> Response:
        """Pipelines - List, by name, paged by `$top`."""
        every = self._state.catalogue.pipelines(where)
        start, top = _number("continuationToken", 0), _number("$top", len(every))
        answer = _collection([pipeline_json(_host(), p) for p in every[start : start + top]])
        if start + top < len(every):
            answer.headers["X-MS-ContinuationToken"] = str(start + top)
        return answer

    def get_pipeline(self, where: Project, pipeline_id: int) -> Response:
        """Pipelines - Get."""
        return jsonify(pipeline_json(_host(), self._state.catalogue.pipeline(where, pipeline_id)))

    def run_pipeline(self, where: Project, pipeline_id: int) -> Response:
        """Runs - Run Pipeline; every request that gets through queues one more run."""
        _need_execute("Queue builds", where)
        pipeline, asked = self._asked(where, pipeline_id)
        if asked.preview_run:
            return jsonify(preview_json(_host(), pipeline, pipeline.final_yaml(asked)))
        run = self._state.start(pipeline, asked)
        return _Dropped() if run is None else jsonify(run_json(_host(), run))

    def preview(self, where: Project, pipeline_id: int) -> Response:
        """Preview - Preview: the final YAML; nothing is queued."""
        pipeline, asked = self._asked(where, pipeline_id, preview=True)
        return jsonify({"finalYaml": pipeline.final_yaml(asked)})

    def list_runs(self, where: Project, pipeline_id: int) -> Response:
        """Runs - List: the newest 10,000, without their template parameters."""
        self._state.catalogue.pipeline(where, pipeline_id)
        there = [run for run in self._state.visible(where) if not run.deleted]
        mine = [run for run in there if run.pipeline_id == pipeline_id]
        newest = mine[::-1][:10_000]
        return _collection([run_json(_host(), run, parameters=False) for run in newest])

    def get_run(self, where: Project, pipeline_id: int, run_id: int) -> Response:
        """Runs - Get."""
        run = self._state.run(where, run_id)
        if run.pipeline_id != pipeline_id:
            raise Refusal(404, "RunNotFoundException", f"Pipeline {pipeline_id} has no such run.")
        shown = not self._state.builds_never_show_parameters
        return jsonify(run_json(_host(), run, parameters=shown))

    def list_builds(self, where: Project) -> Response:
        """Builds - List; more pages are told by the header X-MS-ContinuationToken."""
        found = page(self._state.visible(where), request.args, self._state.page_size)
        shown = not self._state.builds_list_without_parameters
        answer = _collection([self._build(run, parameters=shown) for run in found.builds])
        if found.continuation:
            answer.headers["X-MS-ContinuationToken"] = found.continuation
        return answer

    def get_build(self, where: Project, build_id: int) -> Response:
        """Builds - Get."""
        return jsonify(self._build(self._state.run(where, build_id), parameters=True))

    def delete_build(self, where: Project, build_id: int) -> Response:
        """Builds - Delete."""
        _need_execute("Delete builds", where)
        self._state.delete(self._state.run(where, build_id).id, where.organization)
        return Response(status=204)

    def get_tags(self, where: Project, build_id: int) -> Response:
        """Tags - Get Build Tags."""
        return _collection(list(self._state.run(where, build_id).tags))

    def add_tag(self, where: Project, build_id: int, tag: str) -> Response:
        """Tags - Add Build Tag."""
        return self._tagged(where, build_id, [tag])

    def add_tags(self, where: Project, build_id: int) -> Response:
        """Tags - Add Build Tags: the body is a list of strings."""
        try:
            tags = msgspec.json.decode(request.get_data(), type=list[str])
        except msgspec.MsgspecError as error:
            raise malformed() from error
        return self._tagged(where, build_id, tags)

    def _tagged(self, where: Project, build_id: int, tags: list[str]) -> Response:
        _need_execute("Edit build quality", where)
        self._state.run(where, build_id)
        return _collection(list(self._state.tag(build_id, tags, where.organization).tags))

    def _asked(
        self, where: Project, pipeline_id: int, *, preview: bool = False
    ) -> tuple[Pipeline, RunRequest]:
        _need_json()
        asked = RunRequest.parse(request.get_data())
        asked.preview_run = asked.preview_run or preview
        version = request.args.get("pipelineVersion")
        pipeline = self._state.catalogue.runnable(where, pipeline_id, version)
        pipeline.check(asked)
        return pipeline, asked

    def _build(self, run: QueuedRun, *, parameters: bool) -> Json:
        shown = parameters and not self._state.builds_never_show_parameters
        typed = self._state.builds_show_typed_parameters
        return build_json(_host(), run, parameters=shown, typed=typed)


_RULES = (
    ("GET", "pipelines", Routes.list_pipelines),
    ("GET", "pipelines/<int:pipeline_id>", Routes.get_pipeline),
    ("POST", "pipelines/<int:pipeline_id>/runs", Routes.run_pipeline),
    ("GET", "pipelines/<int:pipeline_id>/runs", Routes.list_runs),
    ("GET", "pipelines/<int:pipeline_id>/runs/<int:run_id>", Routes.get_run),
    ("POST", "pipelines/<int:pipeline_id>/preview", Routes.preview),
    ("GET", "build/builds", Routes.list_builds),
    ("GET", "build/builds/<int:build_id>", Routes.get_build),
    ("DELETE", "build/builds/<int:build_id>", Routes.delete_build),
    ("GET", "build/builds/<int:build_id>/tags", Routes.get_tags),
    ("POST", "build/builds/<int:build_id>/tags", Routes.add_tags),
    ("PUT", "build/builds/<int:build_id>/tags/<path:tag>", Routes.add_tag),
)


def install(app: Flask, state: DevOpsState) -> None:
    """Serve every operation on this app."""
    routes = Routes(state)
    for method, path, operation in _RULES:
        view = _in_project(state, routes, operation)
        app.add_url_rule(_PROJECT + path, operation.__name__, view, methods=[method])


def _in_project(
    state: DevOpsState, routes: Routes, operation: Callable[..., Response]
) -> Callable[..., Response]:
    def view(organization: str, project: str, **rest: Any) -> Response:
        return operation(routes, state.catalogue.project(organization, project), **rest)

    return view


def _need_execute(permission: str, where: Project) -> None:
    if g.scope != "execute":
        message = (
            f"TF215106: Access denied. The identity needs {permission} permissions in team "
            f"project {where.name} to perform the action. For more information, contact the "
            "Azure DevOps administrator."
        )
        raise Refusal(403, "AccessDeniedException", message)


def _need_json() -> None:
    if not request.is_json:
        types = ("application/json", "application/json-patch+json")
        raise unsupported(request.method, request.content_type, *types)


def _number(name: str, default: int) -> int:
    text = request.args.get(name) or str(default)
    if not text.isdecimal():
        raise bad_argument(name, text)
    return int(text)


def _host() -> str:
    return request.host_url


def _collection(items: list[Any]) -> Response:
    return jsonify({"count": len(items), "value": items})
