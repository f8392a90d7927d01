"""What a token may ask for: one table of routes, one short function for each.

https://docs.github.com/rest/actions and https://docs.github.com/rest/repos
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, g, jsonify, request

from local.github.access.callers import Caller  # noqa: TC001 - `g` has no types
from local.github.actions import dispatching, listing
from local.github.errors import DOCS, not_found
from local.github.gate import RAW, is_raw
from local.github.shown import repositories as shown
from local.github.shown.basics import Urls
from local.github.shown.runs import dispatched, run_json, workflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from local.github.actions.runs import Run
    from local.github.repositories import Repository
    from local.github.state import GitHubState

STARTS = (("/repos/<owner>/<name>", "named"), ("/repositories/<int:repository_id>", "numbered"))
"""How a path begins that is about one repository."""

_RUNS = "actions/workflow-runs"
_WORKFLOWS = "actions/workflows"


class Routes:
    """Every operation; each takes the repository and what else its path names."""

    def __init__(self, state: GitHubState, web: str, most_inputs: int) -> None:
        self._state, self._web, self._most_inputs = state, web, most_inputs

    @property
    def urls(self) -> Urls:
        """Where the service is, as whoever asks came to it."""
        return Urls(request.url_root.rstrip("/"), self._web)

    def get_repository(self, where: Repository) -> Response:
        """Get a repository."""
        return jsonify(shown.full(self.urls, where, g.version))

    def get_content(self, where: Repository, path: str) -> Response:
        """Get repository content: a workflow's file."""
        _caller().need(where, "contents", "read")
        ref = request.args.get("ref") or where.default_branch
        text = where.text(path, ref)
        if is_raw():
            return Response(text, content_type=f"{RAW}; charset=utf-8")
        return jsonify(shown.file(self.urls, where, path, ref, text))

    def list_workflows(self, where: Repository) -> Response:
        """List repository workflows."""
        _caller().need(where, "actions", "read")
        found = listing.page(where.workflows, request.args)
        told = [workflow(self.urls, where, one) for one in found.items]
        return self._paged(where, "actions/workflows", found, "workflows", told)

    def get_workflow(self, where: Repository, workflow_id: str) -> Response:
        """Get a workflow, by its id or its file's name."""
        _caller().need(where, "actions", "read")
        return jsonify(workflow(self.urls, where, where.workflow(workflow_id)))

    def dispatch(self, where: Repository, workflow_id: str) -> Response:
        """Create a workflow dispatch event; each that gets through starts one more run."""
        _caller().need(where, "actions", "write")
        asked_for = where.workflow(workflow_id)
        body, known = request.get_data(), self._state.details
        asked = dispatching.read(body, known, g.version, self._most_inputs)
        run = self._state.dispatch(where, asked_for, asked, _caller())
        if not asked.details:
            return Response(status=204)
        return jsonify(dispatched(self.urls, run))

    def list_runs_of(self, where: Repository, workflow_id: str) -> Response:
        """List workflow runs for a workflow."""
        _caller().need(where, "actions", "read")
        mine = where.workflow(workflow_id)
        found = [run for run in self._state.listed(where) if run.workflow is mine]
        return self._runs(where, f"actions/workflows/{workflow_id}/runs", found)

    def list_runs(self, where: Repository) -> Response:
        """List workflow runs for a repository."""
        _caller().need(where, "actions", "read")
        return self._runs(where, "actions/runs", self._state.listed(where))

    def get_run(self, where: Repository, run_id: int) -> Response:
        """Get a workflow run."""
        _caller().need(where, "actions", "read")
        return jsonify(run_json(self.urls, self._state.run(where, run_id)))

    def cancel(self, where: Repository, run_id: int) -> Response:
        """Cancel a workflow run."""
        _caller().need(where, "actions", "write")
        self._state.cancel(self._state.run(where, run_id))
        answer = jsonify({})
        answer.status_code = 202
        return answer

    def _runs(self, where: Repository, path: str, every: list[Run]) -> Response:
        found = listing.runs(every, request.args)
        told = [run_json(self.urls, run) for run in found.items]
        return self._paged(where, path, found, "workflow_runs", told)

    def _paged(
        self, where: Repository, path: str, found: listing.Page[Any], name: str, told: list[Any]
    ) -> Response:
        answer = jsonify({"total_count": found.total, name: told})
        link = found.header(f"{self.urls.api}/repositories/{where.id}/{path}")
        if link:
            answer.headers["Link"] = link
        return answer


_RULES: tuple[tuple[str, str, Callable[..., Response], str], ...] = (
    ("GET", "", Routes.get_repository, "repos/repos#get-a-repository"),
    ("GET", "/contents/<path:path>", Routes.get_content, "repos/contents#get-repository-content"),
    (
        "GET",
        "/actions/workflows",
        Routes.list_workflows,
        f"{_WORKFLOWS}#list-repository-workflows",
    ),
    (
        "GET",
        "/actions/workflows/<workflow_id>",
        Routes.get_workflow,
        f"{_WORKFLOWS}#get-a-workflow",
    ),
    (
        "POST",
        "/actions/workflows/<workflow_id>/dispatches",
        Routes.dispatch,
        f"{_WORKFLOWS}#create-a-workflow-dispatch-event",
    ),
    (
        "GET",
        "/actions/workflows/<workflow_id>/runs",
        Routes.list_runs_of,
        f"{_RUNS}#list-workflow-runs-for-a-workflow",
    ),
    ("GET", "/actions/runs", Routes.list_runs, f"{_RUNS}#list-workflow-runs-for-a-repository"),
    ("GET", "/actions/runs/<int:run_id>", Routes.get_run, f"{_RUNS}#get-a-workflow-run"),
    (
        "POST",
        "/actions/runs/<int:run_id>/cancel",
        Routes.cancel,
        f"{_RUNS}#cancel-a-workflow-run",
    ),
)


def install(app: Flask, state: GitHubState, web: str, most_inputs: int) -> None:
    """Serve every operation on this app, by a repository's name and by its id."""
    routes = Routes(state, web, most_inputs)
    for method, path, operation, page in _RULES:
        view = _in_repository(state, routes, operation, f"{DOCS}/{page}")
        for start, kind in STARTS:
            app.add_url_rule(start + path, f"{operation.__name__} {kind}", view, methods=[method])


def _in_repository(
    state: GitHubState, routes: Routes, operation: Callable[..., Response], page: str
) -> Callable[..., Response]:
    def view(owner: str = "", name: str = "", repository_id: int = 0, **rest: Any) -> Response:
        g.operation = page
        known = state.repositories
        where = known.by_id(repository_id) if repository_id else known.find(owner, name)
        if where is not None:
            _caller().see(where)
            return operation(routes, where, **rest)
        moved = known.formerly(owner, name)
        if moved is None:
            raise not_found()
        _caller().see(moved)
        return redirected(routes.urls, moved, f"/repos/{owner}/{name}")

    return view


def redirected(urls: Urls, where: Repository, called: str) -> Response:
    """The redirect of a repository that was renamed: 307 where the method must stay."""
    rest = request.full_path.rstrip("?")[len(called) :]
    target = f"{urls.api}/repositories/{where.id}{rest}"
    is_get = request.method == "GET"
    message = "Moved Permanently" if is_get else "Temporary Redirect"
    answer = jsonify({"message": message, "url": target, "documentation_url": DOCS})
    answer.status_code = 301 if is_get else 307
    answer.headers["Location"] = target
    return answer


def _caller() -> Caller:
    caller: Caller = g.caller
    return caller
