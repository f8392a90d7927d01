"""Which versions of Python this is for: pyproject.toml says it, and all else says the same."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tests.infra.predicted import nested, properties, template
from tests.running.shipping import ROOT, requirements

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
REQUIRED = SpecifierSet(PROJECT["requires-python"])
PYTHONS = [python for python in (f"3.{minor}" for minor in range(30)) if python in REQUIRED]
LAZY = "3.13"  # from there on Azure's worker imports lazily: a shorter cold start
SAID_TO_PEOPLE = ("README.md", "docs/deploy.md", "pipelines/validate.yml")


def read(file: str) -> Any:
    return yaml.safe_load((ROOT / file).read_text("utf-8"))


@pytest.mark.parametrize("python", PYTHONS)
def test_the_programming_model_fits_the_worker_of_each_python(python: str) -> None:
    named = [r for r in requirements("requirements.in") if r.name == "azure-functions"]
    (fits,) = (r for r in named if r.marker and r.marker.evaluate({"python_version": python}))
    major = 2 if PYTHONS.index(python) >= PYTHONS.index(LAZY) else 1
    assert str(fits.specifier).startswith(f"=={major}.")


@pytest.mark.parametrize("file", SAID_TO_PEOPLE)
def test_people_are_told_the_same_versions_everywhere(file: str) -> None:
    words = " ".join((ROOT / file).read_text("utf-8").replace("#", " ").split())
    assert f"Python {PYTHONS[0]} to {PYTHONS[-1]}" in words


def test_a_deployment_may_run_on_the_newest_of_them_and_runs_on_one_that_starts_fast() -> None:
    assert properties("existing", "Web/sites")["functionAppConfig"]["runtime"]["version"] == LAZY
    app = nested(template())["app"]["properties"]["template"]
    for where in (template(), app):
        assert where["parameters"]["pythonVersion"]["allowedValues"] == PYTHONS[1:]


def test_the_pipeline_that_deploys_checks_the_routes_on_the_python_of_the_app() -> None:
    text = (ROOT / "pipelines" / "deploy.yml").read_text("utf-8")
    assert text.count("UsePythonVersion") == text.count(f'versionSpec: "{LAZY}"') == 2


def test_what_pull_requests_run_may_run_on_each_of_them() -> None:
    for file in ("pipelines/preview.yml", "pipelines/what-if.yml"):
        (python,) = (p for p in read(file)["parameters"] if p["name"] == "python")
        assert (python["values"], python["default"]) == (PYTHONS, LAZY)
