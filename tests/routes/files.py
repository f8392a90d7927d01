"""Route files for the tests."""

from __future__ import annotations

from textwrap import dedent, indent
from typing import TYPE_CHECKING

import pytest

from functions.core.routes.file.interpreting import decode
from functions.core.terms.errors import RoutesUnreadable

if TYPE_CHECKING:
    from functions.core.routes.definition import Route, Routes

FULL = """\
# yaml-language-server: $schema=./routes.schema.json
version: 1
defaults: {organization: contoso, project: mlops, secret: azure-devops-pat}
routes:
  - name: register-model
    outcome: Completed
    match:
      workspace: "*"
      experiment: "defect-*"
      tags: {stage: production}
    when: run.metrics.accuracy >= 0.9
    step: train
    wait_for_facts: 10m
    limit: 20/h
    mode: active
    start:
      pipeline: 42
      pipeline_version: 3
      branch: refs/heads/main
      parameters: {model_name: "{{ model.name }}", model_version: "{{ model.version }}", \
run_id: "{{ run.id }}"}
      correlation: relay_id
      variables: {}
      skip_stages: []
  - name: report-failure
    outcome: [Failed, Canceled]
    start: {pipeline: 43, parameters: {run_id: "{{ run.id }}", status: "{{ run.status }}"}}
"""

HEAD = """\
version: 1
defaults: {organization: contoso, project: mlops}
routes:
"""
"""What stands above the routes; the first route begins on line 4."""


def routes(text: str) -> Routes:
    """Routes decoded from what stands below `routes:`."""
    return decode(HEAD + indent(dedent(text), "  "))


def route(text: str) -> Route:
    """The first of the routes."""
    return routes(text).routes[0]


def problems(text: str) -> list[str]:
    """What is wrong with a whole file."""
    with pytest.raises(RoutesUnreadable) as caught:
        decode(text)
    return list(caught.value.problems)


def problems_in(text: str) -> list[str]:
    """What is wrong with what stands below `routes:`."""
    return problems(HEAD + indent(dedent(text), "  "))
