"""What clients ask first: where each resource is. Microsoft's own client libraries start here.

https://learn.microsoft.com/azure/devops/extend/develop/work-with-urls
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Response, jsonify, request

from local.devops.pipelines.wire import same_guid

if TYPE_CHECKING:
    from flask import Flask

    from local.devops.pipelines.wire import Json

BUILD_AREA = "965220d5-5bb9-42cf-8d67-9b146df2a5a4"
PROFILE = "/_apis/profile/profiles/me"  # at https://app.vssps.visualstudio.com
PIPELINES_AREA = "2e0bf237-8973-4ec9-a581-9c3d679d1776"


@dataclass(frozen=True)
class _Location:
    id: str
    area: str
    resource: str
    route: str
    version: int = 1
    released: str = "7.1"
    oldest: str = "5.0"

    def wire(self) -> Json:
        return {
            "id": self.id,
            "area": self.area,
            "resourceName": self.resource,
            "routeTemplate": self.route,
            "resourceVersion": self.version,
            "minVersion": self.oldest,
            "maxVersion": "7.2",
            "releasedVersion": self.released,
        }


def _of_plan(identifier: str, resource: str, route: str, version: int = 1) -> _Location:
    """A resource of a pipeline run's execution plan."""
    plans = "{scopeIdentifier}/_apis/{area}/hubs/{hubName}/"
    return _Location(identifier, "distributedtask", resource, plans + route, version, oldest="2.0")


_LOCATIONS = (
    _Location(
        "00d9565f-ed9c-4a06-9a50-00e7896ccab4",
        "Location",
        "connectionData",
        "_apis/{resource}",
        released="0.0",
    ),
    _Location(
        "e81700f7-3be2-46de-8624-2eb35882fcaa",
        "Location",
        "ResourceAreas",
        "_apis/{resource}/{areaId}",
        released="0.0",
    ),
    _Location(
        "28e1305e-2afe-47bf-abaf-cbb0e6a91988",
        "pipelines",
        "pipelines",
        "{project}/_apis/{resource}/{pipelineId}",
    ),
    _Location(
        "7859261e-d2e9-4a68-b820-a5d84cc5bb3d",
        "pipelines",
        "runs",
        "{project}/_apis/pipelines/{pipelineId}/{resource}/{runId}",
    ),
    _Location(
        "53df2d18-29ea-46a9-bee0-933540f80abf",
        "pipelines",
        "preview",
        "{project}/_apis/pipelines/{pipelineId}/{resource}",
    ),
    _Location(
        "0cd358e1-9217-4d94-8269-1c1ee6f93dcf",
        "build",
        "builds",
        "{project}/_apis/{area}/{resource}/{buildId}",
        version=7,
    ),
    _Location(
        "6e6114b2-8161-44c8-8f6c-c5505782427f",
        "build",
        "tags",
        "{project}/_apis/{area}/builds/{buildId}/{resource}/{*tag}",
        version=3,
    ),
    _of_plan("5cecd946-d704-471e-a45f-3b4064fcfaba", "plans", "{resource}/{planId}", version=2),
    _of_plan("557624af-b29e-4c20-8ab0-0399d2204f3f", "events", "plans/{planId}/{resource}"),
    _of_plan("46f5667d-263a-4684-91b1-dff7fdcf64e2", "logs", "plans/{planId}/{resource}/{logId}"),
    _of_plan(
        "8893bc5b-35b2-4be7-83cb-99e683551db4",
        "records",
        "plans/{planId}/timelines/{timelineId}/{resource}/{recordId}",
    ),
    _of_plan(
        "858983e4-19bd-4c5e-864c-507b59b58b12",
        "feed",
        "plans/{planId}/timelines/{timelineId}/records/{recordId}/{resource}",
    ),
)


def install(app: Flask) -> None:
    """Serve the discovery endpoints of every organization on this app."""
    base = "/<organization>/_apis"
    app.add_url_rule(base, "options", _options, methods=["OPTIONS"])
    app.add_url_rule(f"{base}/ResourceAreas", "areas", _list_areas)
    app.add_url_rule(f"{base}/ResourceAreas/<area>", "area", _area)
    app.add_url_rule(f"{base}/connectionData", "connection", _connection)
    app.add_url_rule(PROFILE, "profile", _profile)


def _options(organization: str) -> Response:
    """Every resource with its route."""
    del organization
    return _collection([location.wire() for location in _LOCATIONS])


def _list_areas(organization: str) -> Response:
    return _collection(_areas(organization))


def _area(organization: str, area: str) -> Response:
    found = [a for a in _areas(organization) if a["id"] == area.lower()]
    return jsonify(found[0] if found else None)


def _areas(organization: str) -> list[Json]:
    """The resource areas, all at the organization's own URL."""
    named = {BUILD_AREA: "build", PIPELINES_AREA: "pipelines"}
    url = f"{request.host_url}{organization}/"
    return [{"id": i, "name": n, "locationUrl": url} for i, n in named.items()]


def _collection(items: list[Json]) -> Response:
    return jsonify({"count": len(items), "value": items})


def _connection(organization: str) -> Response:
    """Who is signed in."""
    identity = {
        "id": same_guid("identity", organization),
        "providerDisplayName": "Run Relay",
        "isActive": True,
        "properties": {},
    }
    return jsonify(
        {
            "authenticatedUser": identity,
            "authorizedUser": identity,
            "instanceId": same_guid("organization", organization),
            "deploymentId": same_guid("deployment"),
            "deploymentType": "hosted",
        }
    )


def _profile() -> Response:
    """Who is signed in, beyond any organization."""
    return jsonify({"id": same_guid("identity"), "displayName": "Run Relay", "coreRevision": 1})
