"""What each state and reason means in words, and what a person can do about it.

Every reason stands here once; the command line, the operations page and the runbook take it from
here. What stands in braces, as in `_ANY`, is filled in by `Words.about`.
"""

from __future__ import annotations

from typing import NamedTuple

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State

_ANY = {
    "key": "KEY",
    "route": "the route",
    "secret": "the secret",
    "organization": "its organization",
    "service": "Azure DevOps",
    "address": "DEVOPS_URL",
}


class Words(NamedTuple):
    """What a reason means, and what a person can do about it; empty where nothing is to be done.

    `meanwhile` is what can be done while it is open, where that is something else.
    """

    means: str
    do: str = ""
    meanwhile: str = ""

    @property
    def do_now(self) -> str:
        """What a person can do about what is open."""
        return self.meanwhile or self.do or GOES_ON

    def about(self, **named: str) -> Words:
        """The same about what is named, or where nothing is, in words that fit every route."""
        filled = _ANY | {name: _said(name, text) for name, text in named.items() if text}
        return Words(*(text.format(**filled) for text in self))


def _said(name: str, text: str) -> str:
    return f"the secret {text}" if name == "secret" else text


STATES = {
    State.OPEN: "not started yet",
    State.STARTED: "the pipeline run exists",
    State.HELD: "held back until an operator replays it",
    State.SKIPPED: "not to be started",
    State.FAILED: "it cannot start as configured",
}

OF_ANOTHER_VERSION = "another version of the app knows what this means, and goes on with it"

OF_ANOTHER_REASON = Words("the reason is one of another version of the app; the detail names it")

GOES_ON = "nothing: it goes on by itself"
LOOKS = "nothing: it looks by itself"
REPLAY = "bin/relay replay {key}"
ALONE = f"with those that are there: {REPLAY} --ignore-gate"  # of a join
AT_ONCE = f"then, to try at once: {REPLAY}"
SETTLE = (
    "look into the pipeline's runs in {service}, then say what you found: "
    "bin/relay replay {key} --as-started BUILD_ID, or --again if there is none"
)

REASONS = {
    Reason.WORKING: Words("a process is at work on it, or died at it"),
    Reason.DEADLINE: Words("the services took so long that no time was left to start it"),
    Reason.LATE: Words("the ledger took so long that the request was not sent"),
    Reason.PAUSED: Words("the app is paused", "set PAUSED=0 to let it start"),
    Reason.LIMIT: Words(
        "the route has started as many pipelines as its `limit` allows",
        "raise the `limit` of {route} if this is no loop",
    ),
    Reason.CONCURRENCY: Words(
        "as many pipeline runs of its `concurrency` group go on as may; it starts after an end",
        "if that never ends: cancel it where it runs, or settle who is in doubt, as the detail "
        "names it",
    ),
    Reason.ROUTES_UNREADABLE: Words(
        "the route file cannot be read",
        f"mend it, bin/relay check says all that is wrong, and in Azure deploy it; {AT_ONCE}",
    ),
    Reason.RUN_UNREADABLE: Words(
        "the run could not be read from Azure Machine Learning",
        f"if it lasts, may the app's identity read the workspace? {AT_ONCE}",
    ),
    Reason.RUN_NOT_FOUND: Words(
        "the workspace knows no such run (yet)", "if it was deleted there is nothing to do"
    ),
    Reason.SECRET_UNREADABLE: Words(
        "the route's secret could not be read from Key Vault, or obtains no token",
        "as the detail says; is it there and enabled, and may the app's identity read it? "
        + AT_ONCE,
    ),
    Reason.SECRET_EXPIRED: Words(
        "the route's secret has expired",
        f"make a new token and store it as a new version of the secret; {AT_ONCE}",
    ),
    Reason.CREDENTIAL_REFUSED: Words(
        "{service} refused {secret}; nothing more is sent to {organization} with it meanwhile",
        "make a new token and store it as a new version of {secret}",
    ),
    Reason.NOT_SENT: Words(
        "no connection to {service} could be made",
        f"if it lasts, are name, network and {{address}} right? {AT_ONCE}",
    ),
    Reason.THROTTLED: Words("{service} asked to slow down"),
    Reason.UNFORESEEN: Words(
        "an error inside the app that nobody foresaw", "report it with the detail"
    ),
    Reason.FACTS_MISSING: Words(
        "a fact that the route names was not there",
        "did the training log it, on this run or on the step that the route names? then " + REPLAY,
        LOOKS,
    ),
    Reason.NOT_FINAL: Words(
        "Azure Machine Learning says that the run has not ended",
        "if it has ended since: " + REPLAY,
        LOOKS,
    ),
    Reason.IN_DOUBT: Words(
        "the request to {service} was sent and no usable answer came", SETTLE, LOOKS
    ),
    Reason.INCOMPLETE: Words(
        "of the runs that are joined not all have ended, or not all well",
        "train again what failed or is missing, by the same value: it goes on by itself; or, "
        f"{ALONE}",
        "nothing: it goes on with the last of them, or once `within` is over",
    ),
    Reason.REFUSED: Words(
        "{service} does not let this credential start that pipeline, has none such, or says no"
        " in words that are not known",
        f"is the pipeline's id right, and may the token's owner queue builds there? {AT_ONCE}",
    ),
    Reason.UNAVAILABLE: Words(
        "{service} could not run the pipeline just now, since it is disabled or paused, its YAML"
        " could not be read from where it lies, or the server speaks an older REST version",
        "if it lasts, mend what the detail says, since after three days it is failed; " + AT_ONCE,
    ),
    Reason.LOOK_FAILED: Words(
        "the request to {service} was sent, no usable answer came, and the pipeline's runs could "
        "not be looked through; after three days it is held",
        "as the detail says; may the token's owner view the pipeline's runs? or " + SETTLE,
        f"as the detail says; may the token's owner view the pipeline's runs? {AT_ONCE}",
    ),
    Reason.GATE: Words(
        "the route's gate said no", f"to start it all the same: {REPLAY} --ignore-gate"
    ),
    Reason.GATE_ERROR: Words(
        "the route's gate gave no answer", f"mend `when` of {{route}}, then {REPLAY}"
    ),
    Reason.NOT_A_NUMBER: Words(
        "what the route goes by is no number: a metric, or what its gate works out, is NaN or "
        "infinite",
        "did the training diverge? then there is nothing to start; a gate may ask is_finite(...) "
        f"on purpose; to start it all the same, without its gate: {REPLAY} --ignore-gate",
    ),
    Reason.CUT: Words(
        "a text that the route names is cut, or as long as those that MLflow cuts without a word",
        "let the training log it in a file, or in shorter parts; then " + REPLAY,
    ),
    Reason.EXPANDS: Words(
        "a value that the route sends holds what the service or its agent would expand or obey: "
        "`$(`, `$[`, or a logging or workflow command; nothing was sent",
        "name in {route} a fact without it, or mend what the run is called or tagged with; then "
        + REPLAY,
    ),
    Reason.AMBIGUOUS: Words(
        "several child runs, or several models of one, have what the route needs",
        "name one with `step` or `model` in {route}, or do what else the detail says; then "
        + REPLAY,
    ),
    Reason.DELETED: Words(
        "the run was deleted in Azure Machine Learning",
        f"if it was a mistake: restore the run, then {REPLAY}",
    ),
    Reason.NOT_SERVED: Words("the route starts no pipeline any more"),
    Reason.NOT_ROOT: Words("the run is a part of another one, and the route is about whole ones"),
    Reason.NOT_MATCHED: Words(
        "the run did not fit the route's filters when it was looked at; a tag that was set since "
        "then changes nothing"
    ),
    Reason.OUTCOME_CHANGED: Words("the run ended otherwise than the event said"),
    Reason.SHADOW: Words("the route only records what it would have started"),
    Reason.SUPERSEDED: Words(
        "a run of the same route that ended later waits for the same place, and the route wants "
        "the `latest` only"
    ),
    Reason.JOINED: Words("its run is one of several that are joined, for which one start is made"),
    Reason.NOT_JOINED: Words(
        "its run is none of those that are joined, has another one in its place, or came too late"
    ),
    Reason.REJECTED: Words(
        "{service} rejected the request", f"mend the start of {{route}}, then {REPLAY}"
    ),
    Reason.ROUTE_REMOVED: Words(
        "its route is gone, does not follow it any more, or only another version of the app has it",
        f"bring {{route}} back, then {REPLAY}",
    ),
    Reason.TOO_LARGE: Words(
        "the request is larger than the service or the ledger takes",
        f"send less in the parameters of {{route}}, then {REPLAY}",
    ),
    Reason.ANSWERED: Words("{service} answered with the pipeline run"),
    Reason.FOUND: Words("the answer was lost, and the pipeline run was found"),
}


def meant(state: State, reason: Reason) -> Words:
    """What the reason means for what stands in that state: nobody is at work on what has ended."""
    if state is State.FAILED and reason is Reason.INCOMPLETE:  # it takes no run any more
        return REASONS[reason]._replace(do=ALONE)
    at_work = state is State.OPEN or reason is not Reason.WORKING
    return REASONS[reason] if at_work else OF_ANOTHER_REASON
