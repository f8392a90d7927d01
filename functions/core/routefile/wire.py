"""What a route file looks like: the shapes that are decoded and that the JSON Schema describes.

Types are checked when decoding. Patterns and allowed words stand here for editors; `meaning`
checks them, so that all mistakes are reported at once.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from functions.core.routefile import words
from functions.core.values import Outcome

T = TypeVar("T")


def or_none(value: T | UnsetType) -> T | None:
    """None for what the file does not say; it cannot say null."""
    return None if isinstance(value, UnsetType) else value


def _text(description: str, *examples: str, **schema: object) -> Meta:
    return Meta(description=description, examples=list(examples), extra_json_schema=schema)


_Outcome = Annotated[str, Meta(extra_json_schema={"enum": [str(o) for o in Outcome]})]
_Pattern = Annotated[str, Meta(extra_json_schema={"minLength": 1})]
_Id = Meta(extra_json_schema={"minimum": 1, "maximum": words.LARGEST_ID})

_ORGANIZATION = _text(
    "Azure DevOps organization (or collection, on a server).",
    "contoso",
    pattern=words.ORGANIZATION.pattern,
)
_PROJECT = _text("Azure DevOps project.", "mlops", pattern=words.PROJECT.pattern)
_SECRET = _text(
    "Name of the Key Vault secret that holds the personal access token; one per organization.",
    "azure-devops-pat",
    pattern=words.SECRET.pattern,
)


class Closed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping with no other keys than these."""


class Defaults(Closed, frozen=True, kw_only=True):
    """What `start` says unless a route says otherwise."""

    organization: Annotated[str, _ORGANIZATION] | UnsetType = UNSET
    project: Annotated[str, _PROJECT] | UnsetType = UNSET
    secret: Annotated[str, _SECRET] | UnsetType = UNSET


class MatchEntry(Closed, frozen=True, kw_only=True):
    """Which runs the route is for. All must fit; `*` and `?` are wildcards; any case."""

    workspace: Annotated[_Pattern, _text("Name of the workspace.", "ml-*")] | UnsetType = UNSET
    experiment: Annotated[_Pattern, _text("Name of the experiment.", "defect-*")] | UnsetType = (
        UNSET
    )
    run_type: (
        Annotated[
            _Pattern,
            _text(
                "Type of the run. Only the event tells it: such a route cannot be swept.",
                "azureml.PipelineRun",
            ),
        ]
        | UnsetType
    ) = UNSET
    tags: Annotated[
        dict[str, str],
        Meta(description="Tags of the run: name and pattern.", examples=[{"stage": "production"}]),
    ] = field(default_factory=dict)
    properties: Annotated[
        dict[str, str],
        Meta(
            description="Properties of the run: name and pattern. Only the event tells them: "
            "such a route cannot be swept.",
            examples=[{"azureml.runsource": "azureml.PipelineRun"}],
        ),
    ] = field(default_factory=dict)


class VariableEntry(Closed, frozen=True, kw_only=True):
    """A queue-time variable with its secrecy."""

    value: Annotated[
        str | int | float | bool, Meta(description="The value; may name facts, {{ run.id }}.")
    ]
    secret: Annotated[bool, Meta(description="Whether Azure DevOps hides it in logs.")] = False


class StartEntry(Closed, frozen=True, kw_only=True):
    """The Azure DevOps pipeline to start."""

    pipeline: Annotated[
        int, _Id, Meta(description="Id of the pipeline: definitionId in its URL.", examples=[42])
    ]
    organization: Annotated[str, _ORGANIZATION] | UnsetType = UNSET
    project: Annotated[str, _PROJECT] | UnsetType = UNSET
    secret: Annotated[str, _SECRET] | UnsetType = UNSET
    pipeline_version: (
        Annotated[int, _Id, Meta(description="Version of the pipeline; default: the newest.")]
        | UnsetType
    ) = UNSET
    branch: (
        Annotated[
            str,
            _text(
                "Where the pipeline's YAML is read; default: its default branch.",
                "refs/heads/main",
                pattern=words.BRANCH.pattern,
            ),
        ]
        | UnsetType
    ) = UNSET
    parameters: Annotated[
        dict[str, Any],
        Meta(
            description="Parameters of the pipeline. Values may name facts, {{ run.id }}; what "
            "is no text is sent as JSON text.",
            examples=[{"run_id": "{{ run.id }}", "accuracy": "{{ run.metrics.accuracy }}"}],
        ),
    ] = field(default_factory=dict)
    correlation: (
        Annotated[
            str,
            _text(
                "Parameter that gets 12 hex digits which only this start has.",
                "relay_id",
                pattern=words.PARAMETER.pattern,
            ),
        ]
        | UnsetType
    ) = UNSET
    variables: Annotated[
        dict[str, str | int | float | bool | VariableEntry],
        Meta(
            description="Queue-time variables; they must be settable at queue time.",
            examples=[{"STAGE": "production"}],
        ),
    ] = field(default_factory=dict)
    skip_stages: Annotated[
        list[str], Meta(description="Names of stages to skip.", examples=[["Deploy"]])
    ] = field(default_factory=list)


class RouteEntry(Closed, frozen=True, kw_only=True):
    """Which runs are followed by which pipeline."""

    name: Annotated[
        str,
        _text(
            "Name of the route. What it started is remembered by it, so do not reuse it.",
            "register-model",
            pattern=words.NAME.pattern,
        ),
    ]
    outcome: (
        Annotated[
            _Outcome | list[_Outcome],
            Meta(description="How the run ended, or a list; default: Completed."),
        ]
        | UnsetType
    ) = UNSET
    event: (
        Annotated[
            str,
            Meta(
                description="A model event, instead of `outcome`.",
                extra_json_schema={"enum": list(words.EVENTS)},
            ),
        ]
        | UnsetType
    ) = UNSET
    match: Annotated[MatchEntry, Meta(description="Which runs the route is for; default: all.")] = (
        field(default_factory=MatchEntry)
    )
    children: Annotated[
        bool, Meta(description="Also follow child runs (steps, sweep trials), not only roots.")
    ] = False
    when: (
        Annotated[
            str,
            _text(
                "A CEL expression over the facts that must hold.",
                "run.metrics.accuracy >= 0.9",
                'run.tags["azureml.git.branch"] == "main"',
            ),
        ]
        | UnsetType
    ) = UNSET
    step: (
        Annotated[
            str, _text("Name of the child run that has metrics and model, if several do.", "train")
        ]
        | UnsetType
    ) = UNSET
    wait_for_facts: Annotated[
        str,
        _text("How long facts may take to appear.", "10m", "1h", pattern=words.DURATION.pattern),
    ] = "10m"
    limit: (
        Annotated[
            str,
            _text(
                "Starts per hour or day; beyond it continuations wait.",
                *("20/h", "100/d"),
                pattern=words.LIMIT.pattern,
            ),
        ]
        | UnsetType
    ) = UNSET
    mode: Annotated[
        str,
        Meta(
            description="`shadow` decides and records, and starts nothing.",
            extra_json_schema={"enum": list(words.MODES)},
        ),
    ] = "active"
    complete: Annotated[
        bool, Meta(description="Finish the agentless task that waits for the run.")
    ] = False
    start: (
        Annotated[StartEntry, Meta(description="The Azure DevOps pipeline to start.")] | UnsetType
    ) = UNSET


class RouteFile(Closed, frozen=True, kw_only=True):
    """The route file of Run Relay."""

    version: Annotated[
        int, Meta(description="Version of this format.", extra_json_schema={"enum": [1]})
    ]
    defaults: Annotated[
        Defaults, Meta(description="What `start` says unless a route says otherwise.")
    ] = field(default_factory=Defaults)
    routes: Annotated[
        list[RouteEntry],
        Meta(description="The routes.", extra_json_schema={"minItems": 1}),
    ]


SHAPES: Final[dict[str, type[Closed]]] = {
    "": RouteFile,
    "defaults": Defaults,
    "routes": RouteEntry,
    "match": MatchEntry,
    "start": StartEntry,
    "variables": VariableEntry,
}
"""Which mapping stands under which key."""


def keys_of(shape: str) -> tuple[str, ...]:
    """The keys that are allowed there."""
    return SHAPES[shape].__struct_fields__


def schema() -> dict[str, Any]:
    """The JSON Schema of the route file, for editors and for checks elsewhere."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Run Relay: routes.yaml",
        **msgspec.json.schema(RouteFile),
    }
