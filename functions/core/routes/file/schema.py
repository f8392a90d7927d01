"""What a route file looks like: one JSON Schema, for editors and for the reader alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from functions.core.terms.policy import FACTS_FOR
from functions.core.terms.words import ENDS, Happening, Outcome

Shape = dict[str, Any]


def _of(kind: str, about: str, **more: object) -> Shape:
    return {"description": about, "type": kind, **more}


def _text(about: str, pattern: str = r"\S") -> Shape:
    # Python's `$` would let a line break pass, and ECMAScript has no `\Z`
    return _of("string", about, pattern=pattern.replace("$", r"$(?!\n)"))


def _map(about: str, entry: object) -> Shape:
    return _of("object", about, propertyNames=_KEY, additionalProperties=entry)


def _closed(about: str, /, *required: str, **keys: Shape) -> Shape:
    more = {"required": list(required), "additionalProperties": False}
    return _of("object", about, properties=keys, **more)


_ID = {"minimum": 1, "maximum": 2**31 - 1}
_KEY = _text("1 to 256 printable characters", r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,256}$")
_PATTERN = _text("text where `*` and `?` are wildcards, in any case; leave it out for any")
_SCALARS = [{"type": kind} for kind in ("string", "number", "boolean")]
_OUTCOME = {"type": "string", "enum": list(map(str, ENDS))}
_SECRET = "^[A-Za-z0-9-]{1,127}$"
_MINUTES = FACTS_FOR // timedelta(minutes=1)
_EVENTS = [str(outcome) for outcome in Outcome if not outcome.ends_run]

_FOLLOW = _of(
    "boolean",
    "whether a started pipeline is followed until it ends, and its end told; default: true",
)
_OF_START = _closed(
    "what `start` says unless a route says otherwise",
    # https://learn.microsoft.com/azure/devops/organizations/settings/naming-restrictions
    organization=_text(
        "Azure DevOps organization (or collection, on a server): 1 to 64 letters, digits, blanks, "
        "`-`, `.` or `_`, no `..`, letters or digits at both ends",
        r"^(?!.*\.\.)[A-Za-z0-9]([A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?$",
    ),
    project=_text(
        "Azure DevOps project: 1 to 64 characters, none of /\\:~&%;@'\"?<>|#$*{},+=[], no `..`, no "
        "`_` or `.` in front, no `.` at the end",
        r"""^(?!.*\.\.)(?![_. ])[^\x00-\x1f\x7f/\\:~&%;@'"?<>|#\x24*{},+=\[\]]{1,64}(?<![. ])$""",
    ),
    # https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
    secret=_text("Key Vault secret with its token: 1 to 127 letters, digits or `-`", _SECRET),
)
_DEFAULTS = _closed(
    "what routes and their `start` say unless they say otherwise",
    **_OF_START["properties"],
    follow=_FOLLOW,
)
_MATCH = _closed(
    "which runs the route is for, default all: all of it must fit",
    workspace=_PATTERN,
    experiment=_PATTERN,
    run_type=_text("pattern; only the event tells the type: such a route cannot be swept"),
    tags=_map("tags of the run: name and pattern", _PATTERN),
    properties=_map("properties of the run; only the event tells them, see run_type", _PATTERN),
)
_VARIABLE = _closed(
    "a value with its secrecy",
    "value",
    value={"description": "text, number or truth value; may name facts", "anyOf": _SCALARS},
    secret=_of("boolean", "whether Azure DevOps hides it in logs"),
)
_START = _closed(
    "the Azure DevOps pipeline to start",
    "pipeline",
    **_OF_START["properties"],
    pipeline=_of("integer", "id of the pipeline: definitionId in its URL", **_ID),
    pipeline_version=_of("integer", "version of the pipeline; default: the newest", **_ID),
    # https://git-scm.com/docs/git-check-ref-format
    branch=_text(
        "where the pipeline's YAML is read, default its default branch: a full name such as "
        "refs/heads/main, refs/tags/v1 or refs/pull/7/merge",
        r"^refs/(heads|tags|pull)/(?!.*(\.\.|//|@\{|/\.|\.lock$|\.lock/))"
        r"[^\x00-\x20\x7f~^:?*\[\\{}.][^\x00-\x20\x7f~^:?*\[\\{}]{0,199}(?<![/.])$",
    ),
    parameters=_map("may name facts, {{ run.id }}; what is no text is sent as JSON", entry=True),
    correlation=_text(
        "parameter that gets 12 hex digits which only this start has: 1 to 100 letters, digits, "
        "`_`, `-` or `.`, the first a letter or `_`",
        "^[A-Za-z_][A-Za-z0-9_.-]{0,99}$",
    ),
    variables=_map("variables, settable at queue time", {"anyOf": [*_SCALARS, _VARIABLE]}),
    skip_stages=_of("array", "names of stages to skip", items=_KEY),
)
_CHAMPION = _closed(
    "the version with this alias, or the newest other one with this tag",
    # https://mlflow.org/docs/latest/ml/model-registry
    alias=_text(
        "alias of a version: 1 to 255 letters, digits, `_` or `-`; not `latest`, v1, v2 and so on",
        "^(?!([Ll][Aa][Tt][Ee][Ss][Tt]|[vV][0-9]+)$)[A-Za-z0-9_-]{1,255}$",
    ),
    tag=_map("name and value of a tag that the version has", _text("the value, exactly")),
)
_CONCURRENCY = _closed(
    "how many starts of a group may go on at once, over all routes that name it; more of them wait "
    "until a pipeline run has ended",
    "group",
    group=_text("name of the group, in any case; may name facts: {{ model.name }}"),
    at_most=_of("integer", "pipeline runs at once; default: 1", minimum=1, maximum=20),
    queue=_of(
        "string",
        "`all` (the default) starts all that wait, first come first served; `latest` only the one "
        "of the route whose run ended last, the others end as skipped",
        enum=["all", "latest"],
    ),
)
_CHANNEL = _closed(
    "a channel: the kind of its address, and the Key Vault secret that holds it",
    teams=_text("secret with the address of a Teams workflow that receives webhooks", _SECRET),
    slack=_text("secret with the address of an incoming webhook of Slack", _SECRET),
    webhook=_text("secret with any address that takes CloudEvents", _SECRET),
    signing=_text("secret with the key that signs what a `webhook` gets: whsec_...", _SECRET),
    about=_of(
        "array",
        "what it is told of; default: all but `gate`, a gate's no",
        items={"type": "string", "enum": list(map(str, Happening))},
        minItems=1,
    ),
)
_NEWEST = {"type": "string", "enum": ["newest"]}
_ROUTE = _closed(
    "which runs are followed by which pipeline",
    "name",
    name=_text(
        "what it started is remembered by this name, so do not reuse it: 1 to 63 letters, digits, "
        "`.`, `_` or `-`, the first a letter or digit",
        "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
    ),
    outcome={
        "description": "how the run ended, or a list; default: Completed",
        "anyOf": [_OUTCOME, {"type": "array", "items": _OUTCOME, "minItems": 1}],
    },
    event=_of("string", "a model event, instead of `outcome`", enum=_EVENTS),
    match=_MATCH,
    children=_of("boolean", "also follow child runs (steps, sweep trials), not only roots"),
    when=_of(
        "string",
        "CEL over the facts that must hold: run.metrics.accuracy >= 0.9; the facts and what they "
        "are: docs/facts.md, what check refuses: docs/gates.md",
        # no shape but some text: what is CEL and right is told by `bin/relay check`
        pattern=r"\S",
        patternErrorMessage="a CEL expression such as run.metrics.accuracy >= 0.9",
        examples=[
            "run.metrics.accuracy >= 0.9",
            "double(run.params.learning_rate) < 0.1",
            'has(run.tags.stage) && run.tags.stage == "production"',
            "!is_nan(run.metrics.loss) && run.metrics.loss < 0.5",
        ],
    ),
    step=_text(
        "name of the child run that has the metrics, parameters and model which the run itself has "
        "not, or has them below it; one within another: train/fit"
    ),
    model=_text("name of the registered model that is meant, if a run registers several"),
    champion={
        "description": "the version of the same model that `champion.*` is about: `newest` other "
        "one, or {alias: NAME}, or {tag: {NAME: VALUE}}",
        "anyOf": [_NEWEST, _CHAMPION],
    },
    wait_for_facts=_text(
        f"how long facts may take to appear: 30s, {_MINUTES}m (the default), 2h, at most 7d",
        "^([0-9]{1,5}s|[0-9]{1,4}m|((1[0-5]|[0-9])?[0-9]|16[0-8])h|[0-7]d)$",
    ),
    limit=_text(
        "starts per hour or day, 20/h or 100/d; more of them wait", "^[1-9][0-9]{0,4}/[hd]$"
    ),
    concurrency=_CONCURRENCY,
    mode=_of("string", "`shadow` only decides and records", enum=["active", "shadow"]),
    complete=_of("boolean", "finish the agentless task that waits for the run"),
    follow=_FOLLOW,
    notify=_of(
        "array",
        "who is told of what happens on it, instead of those of the file; [] for nobody",
        items=_CHANNEL,
    ),
    start=_START,
)
FILE: Final = _closed(
    "the route file of Run Relay",
    *("version", "routes"),
    version=_of("integer", "version of this format: 1", enum=[1]),
    defaults=_DEFAULTS,
    notify=_of("array", "who is told, unless a route says otherwise", items=_CHANNEL),
    routes=_of("array", "at least one route, each begins with `- name:`", items=_ROUTE, minItems=1),
)


def schema() -> Shape:
    """The JSON Schema of the route file, for editors and for checks elsewhere."""
    from functions.core.routes.file.snippets import SNIPPETS  # noqa: PLC0415 - editors need them

    keys = FILE["properties"]
    routes = {**keys["routes"], "defaultSnippets": SNIPPETS}
    file = {**FILE, "properties": {**keys, "routes": routes}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **file}
