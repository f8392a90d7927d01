"""A request to run a pipeline as people and programs see it: nothing secret is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relay.printing import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.configuration.settings import Settings
    from functions.core.terms.pipelines import PipelineRequest

LONGEST_VALUE = 2_000  # characters of one value, where it is shown to people


def request(asked: PipelineRequest, settings: Settings) -> dict[str, Any]:
    """The exact request, with the values of secret variables hidden."""
    from relay.forecasts.previewing import run_url  # noqa: PLC0415 - loads what speaks HTTP

    url = run_url(settings.devops_url, settings.devops_version, asked)
    return {"method": "POST", "url": url, "secret": asked.secret, "body": asked.shown}


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
