"""Starts of a workflow at GitHub: what a route says of one, and what is wrong with it."""

from __future__ import annotations

import pytest

from functions.core.terms.errors import RoutesUnreadable
from functions.core.terms.pipelines import GITHUB
from tests.routes.files import route, routes

GOOD = "github: acme/churn, workflow: deploy.yml, ref: main"


def start(text: str) -> str:
    return f"- {{name: a, start: {{{text}}}}}"


def wrong(entries: str) -> list[str]:
    """What is wrong, without the line that it stands in."""
    try:
        routes(entries)
    except RoutesUnreadable as error:
        return [line.partition(": ")[2] for line in error.problems]
    return []


def said(text: str) -> list[str]:
    """The same of a start."""
    return wrong(start(text))


def test_a_start_names_owner_repository_workflow_and_ref_and_takes_no_defaults() -> None:
    found = route(start(f"{GOOD}, inputs: {{x: 1}}, correlation: relay_id")).start
    assert found is not None
    assert found.where == f"{GITHUB}acme/churn/deploy.yml"
    assert (found.organization, found.project, found.pipeline) == (
        f"{GITHUB}acme",
        "churn",
        "deploy.yml",
    )
    assert (found.branch, found.parameters, found.secret) == ("main", {"x": 1}, None)


def test_with_a_correlation_it_can_be_told_apart_and_without_it_cannot() -> None:
    assert route(start(f"{GOOD}, correlation: relay_id")).distinct
    assert not route(start(f"{GOOD}, inputs: {{run_id: '{{{{ run.id }}}}'}}")).distinct


def test_its_owner_is_no_organization_whose_tasks_may_wait() -> None:
    assert routes(start(GOOD)).organizations == {"contoso"}


@pytest.mark.parametrize(
    "name",
    ["acme/churn", "a/b", "Acme-1/Churn.Model_2", "octo-org_shop/.github", "0/0"],
)
def test_names_that_github_gives_are_taken(name: str) -> None:
    assert said(f"github: {name}, workflow: deploy.yml, ref: main") == []


@pytest.mark.parametrize(
    "name",
    ["acme", "acme/", "/churn", "acme/churn/x", "-acme/churn", "ac me/churn", "acme/..", "a%2f/b"],
)
def test_what_is_no_repository_is_told(name: str) -> None:
    (what,) = said(f"github: '{name}', workflow: deploy.yml, ref: main")
    assert (
        what == f"routes[0].start.github: `{name}` does not fit: repository at GitHub, OWNER/NAME"
    )


@pytest.mark.parametrize("file", ["deploy", "../deploy.yml", ".yml", "a/b.yml", "7", "a%2f.yml"])
def test_what_is_no_workflows_file_is_told(file: str) -> None:
    (what,) = said(f"github: acme/churn, workflow: '{file}', ref: main")
    assert what.startswith(f"routes[0].start.workflow: `{file}` does not fit: ")


@pytest.mark.parametrize("ref", ["main", "v1.2", "release/2026", "refs/heads/main", "feature_x"])
def test_branches_and_tags_are_refs(ref: str) -> None:
    assert said(f"github: acme/churn, workflow: deploy.yml, ref: {ref}") == []


@pytest.mark.parametrize("ref", ["a b", "a..b", "/a", "a/", "a.lock", "-a", "a~1", "@{1}"])
def test_what_no_branch_can_be_called_is_told(ref: str) -> None:
    (what,) = said(f"github: acme/churn, workflow: deploy.yml, ref: '{ref}'")
    assert what.startswith(f"routes[0].start.ref: `{ref}` does not fit: ")


def test_the_keys_of_one_service_are_none_of_the_other() -> None:
    (what,) = said(f"{GOOD}, pipeline: 42")
    assert what == (
        "routes[0].start.pipeline: is no known key; allowed: github, workflow, ref, secret, "
        "inputs, correlation"
    )
    assert said("github: acme/churn") == [
        "routes[0].start.ref: is required: branch or tag by which the workflow runs: main",
        (
            "routes[0].start.workflow: is required: file below .github/workflows that has the "
            "trigger `workflow_dispatch`: deploy.yml"
        ),
    ]
    (what,) = said("pipeline: 42, workflow: deploy.yml")
    assert what.startswith("routes[0].start.workflow: is no known key; allowed: organization, ")


def test_one_secret_is_never_for_both_services() -> None:
    both = (
        "- {name: a, start: {pipeline: 42, secret: shared}}\n"
        f"- {{name: b, start: {{{GOOD}, secret: shared}}}}"
    )
    (what,) = wrong(both)
    assert what.endswith(
        "routes[1].start.secret: `shared` is a secret of Azure DevOps as well: no token is of both"
    )
    assert wrong(both.replace("secret: shared", "secret: other", 1)) == []


def test_the_correlation_stands_in_no_input_as_well_and_inputs_are_counted() -> None:
    (what,) = said(f"{GOOD}, correlation: id, inputs: {{ID: x}}")
    assert what == "routes[0].start.correlation: names `ID`, which stands among the inputs as well"
    many = ", ".join(f"i{n}: x" for n in range(25))
    assert said(f"{GOOD}, inputs: {{{many}}}") == []
    (what,) = said(f"{GOOD}, correlation: id, inputs: {{{many}}}")
    assert what == "routes[0].start.inputs: are more than the 25 that a workflow takes"


def test_an_input_names_facts_that_there_are_and_writes_nothing_that_is_never_sent() -> None:
    (what,) = said(f"{GOOD}, inputs: {{x: '{{{{ run.nope }}}}'}}")
    assert what.startswith("routes[0].start.inputs.x: ")
    (what,) = routes(start(f"{GOOD}, inputs: {{x: '$(secret)'}}")).mistakes
    assert "routes[0].start.inputs.x: " in what
    assert what.endswith("it is never sent")
