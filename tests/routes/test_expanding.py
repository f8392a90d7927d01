"""What a service would expand or obey, written out in a route file: told by `check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from relay.__main__ import app
from tests.routes.files import HEAD, routes

if TYPE_CHECKING:
    from pathlib import Path

WOULD = {
    "$(": "which the agent of Azure Pipelines would replace by a variable",
    "$[": "which Azure Pipelines may evaluate as an expression",
    "##vso[": "which the agent of Azure Pipelines would obey where it is printed",
}


def start(text: str) -> str:
    """A route with this below `start`, on the file's fifth line."""
    return f"- {{name: a, start: {{pipeline: 1, correlation: id,\n    {text}}}}}\n"


@pytest.mark.parametrize("begin", WOULD)
@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("parameters: {x: 'a HOLDS b'}", "parameters.x"),
        ("parameters: {x: 'HOLDS{{ run.id }})'}", "parameters.x"),
        ("parameters: {x: {a: [1, 'HOLDS']}}", "parameters.x"),
        ("parameters: {x: {'HOLDS': 1}}", "parameters.x"),
        ("variables: {x: HOLDS}", "variables.x"),
        ("variables: {x: {value: HOLDS, secret: true}}", "variables.x"),
    ],
)
def test_what_would_be_expanded_is_told_with_its_place(text: str, where: str, begin: str) -> None:
    quoted = text.replace("HOLDS", f"'{begin}'" if "'" not in text else begin)

    found = routes(start(quoted))

    said = f"routes.yaml:5: routes[0].start.{where}: holds `{begin}`, {WOULD[begin]}: "
    assert found.mistakes == (said + "it is never sent",)
    assert [route.name for route in found.routes] == ["a"]


@pytest.mark.parametrize(
    "text", ["$", "(", "$ (", "a$b", "$$", "{{ run.id }}", "#[", "##[group]", "$100", "5 $", "^a$"]
)
def test_what_is_nothing_to_azure_pipelines_may_be_sent(text: str) -> None:
    assert routes(start(f"parameters: {{x: '{text}', y: {{a: '{text}'}}}}")).mistakes == ()


WORKFLOW = "start: {github: contoso/mlops, workflow: a.yml, ref: main, correlation: id,"
ON_GITHUB = {
    "$(date)": "holds `$(`, which a shell would run where a script spells the input out",
    "x ##[group]a": "holds `##[`, which GitHub's runner would obey where it is printed",
    "::notice::a": "holds `::notice`, which GitHub's runner would obey where it is printed",
    " ::Error file=a::b": "holds `::Error`, which GitHub's runner would obey where it is printed",
}


@pytest.mark.parametrize("text", ON_GITHUB)
def test_of_a_workflow_s_inputs_is_told_what_its_runner_would_obey(text: str) -> None:
    found = routes(f"- {{name: a, {WORKFLOW}\n    inputs: {{x: '{text}'}}}}}}\n")
    said = f"routes.yaml:5: routes[0].start.inputs.x: {ON_GITHUB[text]}: it is never sent"
    assert found.mistakes == (said,)


@pytest.mark.parametrize("end", [r"\n", r"\r", r"\r\n "], ids=["LF", "CR", "CRLF"])
def test_so_it_is_at_the_beginning_of_any_line_as_the_runner_reads_lines(end: str) -> None:
    found = routes(f'- {{name: a, {WORKFLOW}\n    inputs: {{x: "a{end}::notice::b"}}}}}}\n')
    assert len(found.mistakes) == 1
    assert "holds `::notice`, " in found.mistakes[0]


@pytest.mark.parametrize("text", ["std::sort", "$[a]", "##vso[a]", "a ::notice::b", "::", "#["])
def test_what_is_nothing_to_github_may_be_sent_there(text: str) -> None:
    assert routes(f"- {{name: a, {WORKFLOW} inputs: {{x: '{text}'}}}}}}").mistakes == ()


def test_the_name_of_a_fact_is_not_what_is_sent() -> None:
    assert routes(start("parameters: {x: '{{ run.tags.$(a) }}'}")).mistakes == ()


def test_check_says_no(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"{HEAD}  {start('parameters: {x: $(a)}')}", "utf-8")

    done = CliRunner().invoke(app, ["check", str(path)])

    assert (done.exit_code, done.stdout) == (1, "")
    assert f"{path}:5: routes[0].start.parameters.x: holds `$(`, " in done.stderr
