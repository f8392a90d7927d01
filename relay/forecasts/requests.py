"""A request to run a pipeline as people and programs see it: nothing secret is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.terms.pipelines import is_github
from relay.printing import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.configuration.settings import Settings
    from functions.core.terms.pipelines import PipelineRequest

LONGEST_VALUE = 2_000  # characters of one value, where it is shown to people


def request(asked: PipelineRequest, settings: Settings) -> dict[str, Any]:
    """The exact request, with the values of secret variables hidden.

    GitHub is asked beside it for the id of the run that it becomes, where the server can tell it.
    """
    told = {"method": "POST", "service": asked.service, "url": _url(asked, settings)}
    return {**told, "secret": asked.secret, "body": asked.shown}


def _url(asked: PipelineRequest, settings: Settings) -> str:
    if is_github(asked.organization):
        from functions.adapters.github.calls import workflow_url  # noqa: PLC0415 - loads HTTP

        return f"{workflow_url(settings.github_url.rstrip('/'), asked)}/dispatches"
    from relay.forecasts.previewing import run_url  # noqa: PLC0415 - the same

    return run_url(settings.devops_url, settings.devops_version, asked)


def request_lines(asked: PipelineRequest, settings: Settings) -> Iterator[str]:
    """The same for people; values that are very long are cut."""
    shown = request(asked, settings)
    yield f"POST {shown['url']}"
    yield from as_json(_cut(shown["body"])).splitlines()


def _cut(value: object) -> object:
    if isinstance(value, dict):
        return {key: _cut(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_cut(entry) for entry in value]
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        return f"{value[:LONGEST_VALUE]}… ({len(value)} characters)"
    return value
