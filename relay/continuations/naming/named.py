"""The pipeline run of a number, at the service that a continuation's request was sent to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.terms.pipelines import PipelineRun, is_github

if TYPE_CHECKING:
    from functions.configuration.settings import Settings
    from functions.core.kept.continuation import Continuation
    from functions.core.ports.services import Ports
    from functions.core.terms.pipelines import PipelineRequest


def unchecked(settings: Settings, request: PipelineRequest | None, number: int) -> PipelineRun:
    """The one of that number, with its page where it is known whose it is."""
    if request is None:
        return PipelineRun(id=number)
    from relay.continuations.naming import builds, runs  # noqa: PLC0415 - these load what speaks HTTP

    page = runs.page if is_github(request.organization) else builds.page
    return PipelineRun(id=number, url=page(settings, request, number))


def checked(
    ports: Ports, settings: Settings, c: Continuation, request: PipelineRequest, number: int
) -> PipelineRun:
    """The one of that number, if it can be what the request became. Raises NotIts and Unknown."""
    from relay.continuations.naming.builds import Builds  # noqa: PLC0415 - these load what speaks HTTP
    from relay.continuations.naming.runs import Runs  # noqa: PLC0415 - the same

    asked = Runs if is_github(request.organization) else Builds
    asked(ports, settings).insist(c, request, number)
    return unchecked(settings, request, number)
