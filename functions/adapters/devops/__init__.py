"""Azure DevOps: run a pipeline, and find the run of a request whose answer was lost."""

from functions.adapters.devops.pipelines import DevOpsPipelines

__all__ = ["DevOpsPipelines"]
