"""The shapes that the schema of the route file is made of."""

from __future__ import annotations

from typing import Any, Final

Shape = dict[str, Any]


def of(kind: str, about: str, **more: object) -> Shape:
    """Any value of a kind, with words for the author of a route."""
    return {"description": about, "type": kind, **more}


def text(about: str, pattern: str = r"\S") -> Shape:
    """A text that fits a pattern; without one, any but an empty one."""
    # Python's `$` would let a line break pass, and ECMAScript has no `\Z`
    return of("string", about, pattern=pattern.replace("$", r"$(?!\n)"))


def mapping(about: str, entry: object) -> Shape:
    """A mapping with keys that the author chooses."""
    return of("object", about, propertyNames=KEY, additionalProperties=entry)


def closed(about: str, /, *required: str, **keys: Shape) -> Shape:
    """A mapping with these keys and no others."""
    more = {"required": list(required), "additionalProperties": False}
    return of("object", about, properties=keys, **more)


ID: Final = {"minimum": 1, "maximum": 2**31 - 1}
KEY: Final = text(
    "1 to 256 printable characters", r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,256}$"
)
PATTERN: Final = text("text where `*` and `?` are wildcards, in any case; leave it out for any")
SCALARS: Final = [{"type": kind} for kind in ("string", "number", "boolean")]
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SECRET: Final = "^[A-Za-z0-9-]{1,127}$"

OF_START: Final = closed(
    "what `start` says unless a route says otherwise",
    # https://learn.microsoft.com/azure/devops/organizations/settings/naming-restrictions
    organization=text(
        "Azure DevOps organization (or collection, on a server): 1 to 64 letters, digits, blanks, "
        "`-`, `.` or `_`, no `..`, letters or digits at both ends",
        r"^(?!.*\.\.)[A-Za-z0-9]([A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?$",
    ),
    project=text(
        "Azure DevOps project: 1 to 64 characters, none of /\\:~&%;@'\"?<>|#$*{},+=[], no `..`, no "
        "`_` or `.` in front, no `.` at the end",
        r"""^(?!.*\.\.)(?![_. ])[^\x00-\x1f\x7f/\\:~&%;@'"?<>|#\x24*{},+=\[\]]{1,64}(?<![. ])$""",
    ),
    # https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
    secret=text("Key Vault secret with its token: 1 to 127 letters, digits or `-`", SECRET),
)
_LONG = "^([1-9][0-9]{0,4}m|[1-9][0-9]{0,2}h|[1-9][0-9]?d)$"
EXPECT: Final = closed(
    "by when a run of the route should have ended, and how long one may be held: people are told, "
    "once, where it is otherwise",
    by=text(
        "time of day and zone by which one has ended since the time before: 06:00 Europe/Berlin",
        "^([01]?[0-9]|2[0-3]):[0-5][0-9] [A-Za-z][A-Za-z0-9_+/-]{0,63}$",
    ),
    days={
        "description": "on which days: `weekdays`, or a list; default: on each",
        "anyOf": [
            {"type": "string", "enum": ["weekdays"]},
            {
                "type": "array",
                "items": {"type": "string", "enum": list(DAYS)},
                "minItems": 1,
            },
        ],
    },
    within=text("so long after the one before: 26h, at most 99d", _LONG),
    held=text("none is held for longer than that: 2h", _LONG),
)
MOST_JOINED: Final = 50
JOIN: Final = closed(
    "start once for several runs, when all of them have ended, and not once for each",
    *("by", "all_of", "within"),
    by=text("the fact of a run whose value they share: run.tags.batch"),
    all_of={
        "description": "which runs: a list of experiments, one run of each, or how many",
        "anyOf": [
            {"type": "integer", "minimum": 2, "maximum": MOST_JOINED},
            {
                "type": "array",
                "items": text("name of an experiment, in any case; no wildcards"),
                "minItems": 2,
                "maxItems": MOST_JOINED,
            },
        ],
    },
    within=text("how long all of them may take, from the first end on: 12h, at most 99d", _LONG),
    if_one_fails=of(
        "string",
        "if one fails or never comes: `hold` (the default), `start` all the same, or `fail`",
        enum=["hold", "start", "fail"],
    ),
)
_VARIABLE = closed(
    "a value with its secrecy",
    "value",
    value={"description": "text, number or truth value; may name facts", "anyOf": SCALARS},
    secret=of("boolean", "whether Azure DevOps hides it in logs"),
)
_INPUTS = mapping("may name facts, {{ run.id }}; what is no text is sent as JSON", entry=True)
_PIPELINE: Final = closed(
    "the Azure DevOps pipeline to start",
    "pipeline",
    **OF_START["properties"],
    pipeline=of("integer", "id of the pipeline: definitionId in its URL", **ID),
    pipeline_version=of("integer", "version of the pipeline; default: the newest", **ID),
    # https://git-scm.com/docs/git-check-ref-format
    branch=text(
        "where the pipeline's YAML is read, default its default branch: a full name such as "
        "refs/heads/main, refs/tags/v1 or refs/pull/7/merge",
        r"^refs/(heads|tags|pull)/(?!.*(\.\.|//|@\{|/\.|\.lock$|\.lock/))"
        r"[^\x00-\x20\x7f~^:?*\[\\{}.][^\x00-\x20\x7f~^:?*\[\\{}]{0,199}(?<![/.])$",
    ),
    parameters=_INPUTS,
    correlation=text(
        "parameter that gets 12 hex digits which only this start has: 1 to 100 letters, digits, "
        "`_`, `-` or `.`, the first a letter or `_`",
        "^[A-Za-z_][A-Za-z0-9_.-]{0,99}$",
    ),
    variables=mapping("variables, settable at queue time", {"anyOf": [*SCALARS, _VARIABLE]}),
    skip_stages=of("array", "names of stages to skip", items=KEY),
)
_WORKFLOW: Final = closed(
    "the workflow of GitHub Actions to start",
    *("github", "workflow", "ref"),
    # https://docs.github.com/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication
    github=text(
        "repository at GitHub, OWNER/NAME",
        r"^[A-Za-z0-9](-?[A-Za-z0-9_]){0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$",
    ),
    workflow=text(
        "file below .github/workflows that has the trigger `workflow_dispatch`: deploy.yml",
        r"^(?!\.)[A-Za-z0-9 ._-]{1,100}\.ya?ml$",
    ),
    ref=text(
        "branch or tag by which the workflow runs: main",
        r"^(?!.*(\.\.|//|@\{|/\.|\.lock$|\.lock/))"
        r"[^\x00-\x20\x7f~^:?*\[\\{}./-][^\x00-\x20\x7f~^:?*\[\\{}]{0,199}(?<![/.])$",
    ),
    secret=text("Key Vault secret with a token of GitHub, or the key of a GitHub App", SECRET),
    inputs=_INPUTS,
    correlation=text(
        "input that gets 12 hex digits which only this start has: the `run-name` of the workflow "
        "must show it; 1 to 100 letters, digits, `_` or `-`, the first a letter or `_`",
        "^[A-Za-z_][A-Za-z0-9_-]{0,99}$",
    ),
)
START: Final[Shape] = {
    "description": "what to start: a pipeline of Azure DevOps, or a workflow of GitHub Actions",
    "type": "object",
    "if": {"required": ["github"]},
    "then": _WORKFLOW,
    "else": _PIPELINE,
}
