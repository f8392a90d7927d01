"""The repository that the local GitHub has where nobody sets up another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.github.state import GitHubState

REGISTER = """\
name: Register the model
run-name: Register ${{ inputs.model_name }} ${{ inputs.relay_id }}
on:
  workflow_dispatch:
    inputs:
      run_id: {description: The run whose model it is, required: true}
      status: {}
      experiment: {}
      model_name: {}
      model_version: {}
      accuracy: {}
      relay_id: {description: Who started it}
jobs:
  register:
    runs-on: ubuntu-latest
    steps:
      - run: echo "$RUN_ID"
        env:
          RUN_ID: ${{ inputs.run_id }}
"""
FAILURE = REGISTER.replace("Register the model", "Report the failure").replace("Register", "Report")


def add_example(github: GitHubState, owner: str, name: str) -> None:
    """A private repository with the workflows register.yml and failure.yml."""
    github.add_repository(owner, name)
    github.add_workflow(owner, name, "register.yml", REGISTER)
    github.add_workflow(owner, name, "failure.yml", FAILURE)
