"""What the files of `pipelines/` refuse, and that what they take from outside has a version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml

from local.devops import DevOps
from tests.patterns.pipelines import FOLDER, Pipeline
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = sorted(file.name for file in FOLDER.glob("*.yml"))
STARTED = ("register.yml", "report-failure.yml", "deploy-model.yml")
"""What a route starts, with values that a run has."""


def texts(file: str) -> list[str]:
    """The parameters of a file that are any text."""
    declared = Pipeline(file).read["parameters"]
    return [p["name"] for p in declared if p["type"] == "string" and "values" not in p]


EACH = [(file, name) for file in STARTED for name in texts(file)]


@pytest.fixture
def devops() -> Iterator[DevOps]:
    with DevOps(pats=["a-pat"]) as running:
        yield running


def run(devops: DevOps, file: str, **parameters: str) -> requests.Response:
    """Have a pipeline started, with `x` for what has no default."""
    devops.add_pipeline("contoso", "mlops", 7, "example", yaml=Pipeline(file).text)
    declared = Pipeline(file).read["parameters"]
    required = {p["name"]: "x" for p in declared if "default" not in p}
    return requests.post(
        f"{devops.url}/contoso/mlops/_apis/pipelines/7/runs?api-version=7.1",
        json={"templateParameters": {**required, **parameters}},
        auth=("", "a-pat"),
        timeout=10,
    )


def test_whatever_takes_a_value_that_it_must_be_given_is_among_those_that_refuse_some() -> None:
    alone = {file: p for file in FILES if "trigger" in (p := Pipeline(file).read)}
    needing = {f for f, p in alone.items() if any("default" not in one for one in p["parameters"])}
    assert needing == {*STARTED}


@pytest.mark.parametrize(("file", "name"), EACH)
@pytest.mark.parametrize("text", ["$(relayKey)", "defects-$(relayKey)", "$($("])
def test_a_text_that_the_agent_would_expand_is_refused_before_anything_is_queued(
    devops: DevOps, file: str, name: str, text: str
) -> None:
    answer = run(devops, file, **{name: text})
    assert (answer.status_code, devops.runs) == (400, [])
    said = f"Unexpected value '{name} holds $( which the agent would expand'"
    assert said in answer.json()["message"]


@pytest.mark.parametrize(("file", "name"), EACH)
def test_any_other_text_is_taken(devops: DevOps, file: str, name: str) -> None:
    assert run(devops, file, **{name: "a $ (b) $[c] $d ##vso[e]"}).status_code == 200
    assert len(devops.runs) == 1


def scalars(found: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a file, with the key that it stands at."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield "key", str(key)
            yield from scalars(value, str(key))
    elif isinstance(found, list):
        for value in found:
            yield from scalars(value, at)
    else:
        yield at, str(found)


@pytest.mark.parametrize("file", FILES)
def test_images_tasks_and_extensions_have_a_version(file: str) -> None:
    found = list(scalars(yaml.load(Pipeline(file).text, yaml.BaseLoader)))  # noqa: S506 - texts
    images = [text for at, text in found if at in {"vmImage", "container", "image"}]
    assert [image for image in images if not re.fullmatch(r"[a-z]+-[0-9.]+", image)] == []
    tasks = [text for at, text in found if at == "task"]
    assert [task for task in tasks if not re.fullmatch(r"[A-Za-z]+@[0-9]+", task)] == []
    assert [text for _, text in found if "latest" in text or "USE_DYNAMIC_INSTALL" in text] == []


def test_whatever_calls_an_extension_has_installed_that_version_for_itself() -> None:
    steps = [step for file in FILES for step in Pipeline(file).steps() if "inputs" in step]
    scripts = [(step["inputs"].get("inlineScript", ""), step.get("env", {})) for step in steps]
    calling = [one for one in scripts if re.search(r"\baz ml (?!job cancel)|relay wait", one[0])]
    added = [re.findall(r"az extension add --name (\S+) --version (\S+)", s) for s, _ in calling]
    assert added == [[("ml", "2.44.1")]] * 5
    assert {env["AZURE_EXTENSION_DIR"] for _, env in calling} == {
        "$(Agent.TempDirectory)/az-extensions"
    }


def test_no_key_stands_in_an_address() -> None:
    named = {*FOLDER.iterdir(), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*")}
    for file in (f for f in named if f.is_file() and f.suffix in {".yml", ".md", ".py"}):
        text = file.read_text("utf-8")
        assert re.search(r"[?&](code|key|sig)=", text) is None, file
        assert "task: AzureFunction@" not in text, f"{file}: this task puts its key there"
