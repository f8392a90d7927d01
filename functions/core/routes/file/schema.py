"""What a route file looks like: one JSON Schema, for editors and for the reader alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from functions.core.routes.file.shapes import (
    EXPECT,
    JOIN,
    OF_START,
    PATTERN,
    SECRET,
    START,
    Shape,
    closed,
    mapping,
    of,
    text,
)
from functions.core.terms.policy import FACTS_FOR
from functions.core.terms.words import ENDS, Ending, Happening, Outcome

MOST_STEPS: Final = 3  # pipelines that go on by the end of one before, behind the first

_OUTCOME = {"type": "string", "enum": list(map(str, ENDS))}
_MINUTES = FACTS_FOR // timedelta(minutes=1)
_ABOUT = [str(about) for about in Happening if about is not Happening.ENDED]
_EVENTS = [str(o) for o in Outcome if not o.ends_run and o is not Outcome.JOINED]

_FOLLOW = of(
    "boolean",
    "whether a started pipeline is followed until it ends, and its end told; default: true",
)
_DEFAULTS = closed(
    "what routes and their `start` say unless they say otherwise",
    **OF_START["properties"],
    follow=_FOLLOW,
)
_MATCH = closed(
    "which runs the route is for, default all: all of it must fit",
    workspace=PATTERN,
    experiment=PATTERN,
    run_type=text("pattern; only the event tells the type: such a route cannot be swept"),
    tags=mapping("tags of the run: name and pattern", PATTERN),
    properties=mapping("properties of the run; only the event tells them, see run_type", PATTERN),
)
_CHAMPION = closed(
    "the version with this alias, or the newest other one with this tag",
    # https://mlflow.org/docs/latest/ml/model-registry
    alias=text(
        "alias of a version: 1 to 255 letters, digits, `_` or `-`; not `latest`, v1, v2 and so on",
        "^(?!([Ll][Aa][Tt][Ee][Ss][Tt]|[vV][0-9]+)$)[A-Za-z0-9_-]{1,255}$",
    ),
    tag=mapping("name and value of a tag that the version has", text("the value, exactly")),
)
_PROMOTED = closed(
    "what makes a version promoted: one of `alias`, `tag` and `stage`",
    alias=_CHAMPION["properties"]["alias"],
    tag=mapping("name and value of a tag that the version has", text("the value")),
    # https://mlflow.org/docs/latest/ml/model-registry
    stage=of("string", "stage of a version", enum=["Staging", "Production", "Archived"]),
    model=text(
        "pattern of the names of registered models: `*` and `?` are wildcards; default: all"
    ),
)
_CONCURRENCY = closed(
    "how many starts of a group may go on at once, over all routes that name it; more of them wait "
    "until a pipeline run has ended",
    "group",
    group=text("name of the group, in any case; may name facts: {{ model.name }}"),
    at_most=of("integer", "pipeline runs at once; default: 1", minimum=1, maximum=20),
    queue=of(
        "string",
        "`all` (the default) starts all that wait, first come first served; `latest` only the one "
        "of the route whose run ended last, the others end as skipped",
        enum=["all", "latest"],
    ),
)
_CHANNEL = closed(
    "a channel: the kind of its address, and the Key Vault secret that holds it",
    teams=text("secret with the address of a Teams workflow that receives webhooks", SECRET),
    slack=text("secret with the address of an incoming webhook of Slack", SECRET),
    webhook=text("secret with any address that takes CloudEvents", SECRET),
    signing=text("secret with the key that signs what a `webhook` gets: whsec_...", SECRET),
    about=of(
        "array",
        "what it is told of; default: all but `gate`, a gate's no",
        items={"type": "string", "enum": _ABOUT},
        minItems=1,
    ),
)
_WHEN = of(
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
)
_LIMIT = text("starts per hour or day, 20/h or 100/d; more of them wait", "^[1-9][0-9]{0,4}/[hd]$")
_COMPLETE = {
    "description": "finish the agentless task that waits for the run: once it is over (true), or "
    "once the pipeline run that the route starts is over (after)",
    "anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["after"]}],
}
_TELL = of(
    "array",
    "who is told that the pipeline run ended so",
    items=closed(
        "a channel, as in `notify`, without `about`",
        **{key: shape for key, shape in _CHANNEL["properties"].items() if key != "about"},
    ),
    minItems=1,
)


def _then(steps: int) -> Shape:
    """What goes on by an end; each step may go on by its own end, so often."""
    more = {"then": _then(steps - 1)} if steps > 1 else {}
    step = closed(
        "what goes on: a pipeline, a message, or both",
        start=START,
        tell=_TELL,
        when=_WHEN,
        limit=_LIMIT,
        concurrency=_CONCURRENCY,
        follow=_FOLLOW,
        **more,
    )
    return of(
        "object",
        "what goes on once the pipeline run that was started has ended, by how it ended",
        propertyNames={"enum": list(map(str, Ending))},
        additionalProperties=step,
        minProperties=1,
    )


_NEWEST = {"type": "string", "enum": ["newest"]}
_ROUTE = closed(
    "which runs are followed by which pipeline",
    "name",
    name=text(
        "what it started is remembered by this name, so do not reuse it: 1 to 63 letters, digits, "
        "`.`, `_` or `-`, the first a letter or digit",
        "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
    ),
    outcome={
        "description": "how the run ended, or a list; default: Completed",
        "anyOf": [_OUTCOME, {"type": "array", "items": _OUTCOME, "minItems": 1}],
    },
    event=of("string", "news of a model, instead of `outcome`", enum=_EVENTS),
    promoted=_PROMOTED,
    match=_MATCH,
    children=of("boolean", "also follow child runs (steps, sweep trials), not only roots"),
    when=_WHEN,
    step=text(
        "name of the child run that has the metrics, parameters and model which the run itself has "
        "not, or has them below it; one within another: train/fit"
    ),
    model=text("name of the registered model that is meant, if a run registers several"),
    champion={
        "description": "the version of the same model that `champion.*` is about: `newest` other "
        "one, or {alias: NAME}, or {tag: {NAME: VALUE}}",
        "anyOf": [_NEWEST, _CHAMPION],
    },
    wait_for_facts=text(
        f"how long facts may take to appear: 30s, {_MINUTES}m (the default), 2h, at most 7d",
        "^([0-9]{1,5}s|[0-9]{1,4}m|((1[0-5]|[0-9])?[0-9]|16[0-8])h|[0-7]d)$",
    ),
    limit=_LIMIT,
    concurrency=_CONCURRENCY,
    mode=of("string", "`shadow` only decides and records", enum=["active", "shadow"]),
    complete=_COMPLETE,
    follow=_FOLLOW,
    notify=of(
        "array",
        "who is told of what happens on it, instead of those of the file; [] for nobody",
        items=_CHANNEL,
    ),
    start=START,
    then=_then(MOST_STEPS),
    expect=EXPECT,
    join=JOIN,
)
FILE: Final = closed(
    "the route file of Run Relay",
    *("version", "routes"),
    version=of("integer", "version of this format: 1", enum=[1]),
    defaults=_DEFAULTS,
    notify=of("array", "who is told, unless a route says otherwise", items=_CHANNEL),
    routes=of("array", "at least one route, each begins with `- name:`", items=_ROUTE, minItems=1),
)


def schema() -> Shape:
    """The JSON Schema of the route file, for editors and for checks elsewhere."""
    from functions.core.routes.file.snippets import SNIPPETS  # noqa: PLC0415 - editors need them

    keys = FILE["properties"]
    routes = {**keys["routes"], "defaultSnippets": SNIPPETS}
    file = {**FILE, "properties": {**keys, "routes": routes}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **file}
