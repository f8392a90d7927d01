"""The organizations, projects and pipelines that a local Azure DevOps has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local.devops.errors import Refusal, broken, invalid
from local.devops.pipelines import declared
from local.devops.pipelines.defined import Parameter, Pipeline

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True)
class Project:
    """A project of an organization; the service does not tell capitals in their names apart."""

    organization: str
    name: str

    @property
    def key(self) -> tuple[str, str]:
        """What the project is found by."""
        return self.organization.lower(), self.name.lower()


class Catalogue:
    """Projects and pipelines by name and id; what is missing is refused as the service does."""

    def __init__(self) -> None:
        self._projects: dict[tuple[str, str], Project] = {}
        self._pipelines: dict[tuple[str, str, int], Pipeline] = {}

    def add_project(self, organization: str, name: str) -> Project:
        """Make a project, and its organization with it."""
        project = Project(organization, name)
        return self._projects.setdefault(project.key, project)

    def add_pipeline(  # noqa: PLR0913 - one keyword for each thing a pipeline declares
        self,
        organization: str,
        project: str,
        id: int,  # noqa: A002 - the service's own word
        name: str,
        *,
        parameters: Mapping[str, Parameter | str | None] | None = None,
        settable_variables: Collection[str] = (),
        branches: Collection[str] = ("refs/heads/main",),
        stages: Collection[str] = (),
        revision: int = 1,
        yaml: str | None = None,
    ) -> Pipeline:
        """Make a pipeline and what it stands in, or replace it.

        `parameters` maps a name to a Parameter, to the default of a string parameter, or to
        None for a required string; without it, they are those that the YAML declares. The first
        of `branches` is the default branch.
        """
        if parameters is None and yaml is not None:
            parameters = declared.parameters(yaml)
        where = self.add_project(organization, project)
        pipeline = Pipeline(
            organization=where.organization,
            project=where.name,
            id=id,
            name=name,
            parameters={n: _parameter(p) for n, p in (parameters or {}).items()},
            settable_variables=frozenset(settable_variables),
            branches=tuple(branches),
            stages=tuple(stages),
            revision=revision,
            yaml=yaml,
        )
        self._pipelines[*where.key, id] = pipeline
        return pipeline

    def organizations(self) -> set[str]:
        """The organizations' names in lower case."""
        return {organization for organization, _ in self._projects}

    def project(self, organization: str, name: str) -> Project:
        """The project, or a 404 Refusal."""
        found = self._projects.get(Project(organization, name).key)
        if found is None:
            raise _no_project(name)
        return found

    def pipelines(self, where: Project) -> list[Pipeline]:
        """The project's pipelines, by name."""
        mine = [p for key, p in self._pipelines.items() if key[:2] == where.key]
        return sorted(mine, key=lambda pipeline: pipeline.name.lower())

    def pipeline(self, where: Project, pipeline_id: int) -> Pipeline:
        """The pipeline, or a 404 Refusal."""
        found = self._pipelines.get((*where.key, pipeline_id))
        if found is None:
            message = f"The pipeline {pipeline_id} could not be found."
            raise Refusal(404, "PipelineNotFoundException", message)
        return found

    def runnable(self, where: Project, pipeline_id: int, version: str | None) -> Pipeline:
        """The pipeline at a version, to run or preview.

        A missing pipeline is a 500 Refusal, not 404: the service does not look before it works.
        A version that never was is a 400.
        """
        found = self._pipelines.get((*where.key, pipeline_id))
        if found is None:
            raise broken()
        if not version:
            return found
        if not version.isdecimal() or not 1 <= int(version) <= found.revision:
            raise invalid(f"The pipeline {pipeline_id} has no version {version}.")
        return replace(found, revision=int(version))


def _parameter(given: Parameter | str | None) -> Parameter:
    return given if isinstance(given, Parameter) else Parameter(default=given)


def _no_project(name: str) -> Refusal:
    message = (
        f"TF200016: The following project does not exist: {name}. Verify that the name of the "
        "project is correct and that the project exists on the specified Azure DevOps Server."
    )
    return Refusal(404, "ProjectDoesNotExistWithNameException", message)
