"""`bin/relay why`, as an operator meets it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from functions.core.operators.explaining import explained
from functions.core.operators.meanings import OF_ANOTHER_REASON, REASONS, STATES
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome, State
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from relay import exits
from tests.ledger import samples
from tests.saying.refusals import says
from tests.stage.azure import changed, completed

if TYPE_CHECKING:
    from tests.relay.conftest import Desk
    from tests.stage.azure import Stage

GATED = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: register
    match: {experiment: "defect-*", tags: {stage: prod*}}
    when: run.metrics.accuracy >= 0.9
    limit: 1/h
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""
OTHER = WORKSPACE.replace("ml-prod", "ml-test")
STUDIO = f"https://ml.azure.com/runs/r1?wsid={WORKSPACE}"


def told(desk: Desk, run: str = "r1", *words: str) -> Any:
    return json.loads(desk.type("why", run, "--json", *words).out)


def test_a_started_run_is_told_with_its_links_and_its_history(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    c = desk.stage.only("r1")
    said = desk.type("why", "r1")
    assert (said.code, said.err) == (0, "")
    assert "run r1 of defect-detection in ml-prod: Completed, ended " in said.out
    assert STUDIO in said.out
    assert (
        "register (Completed): started\n  means    the pipeline run exists: Azure DevOps ans"
        in said.out
    )
    assert f"pipeline run {c.pipeline_run}  {desk.stage.devops.url}/contoso/mlops/_bu" in said.out
    assert f"{c.history[0].at:%Y-%m-%d %H:%M:%S} UTC  claimed" in said.out
    assert "its pipeline run is followed until that ends" in said.out
    assert "another event about this end starts nothing" in said.out
    assert (
        "report: not concerned: its filter outcome wants Canceled, Failed, "
        "and the run ended as Completed"
    ) in said.out


def test_programs_are_told_the_same(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    answer = told(desk)
    assert (answer["followed"], answer["url"], answer["outcome"]) == (True, STUDIO, "Completed")
    register, report = answer["routes"]
    assert (register["known"], register["state"], register["reason"]) == (
        True,
        "started",
        "answered",
    )
    assert register["pipeline_run"] == desk.stage.only("r1").pipeline_run
    assert register["request"]["body"] == {"templateParameters": {"run_id": "r1"}}
    assert [step["what"] for step in register["history"]] == ["claimed", "asked", "started"]
    assert (report["known"], report["found"]) == (False, "misfit")
    assert report["filter"] == {
        "filter": "outcome",
        "wanted": "Canceled, Failed",
        "found": "Completed",
    }


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"experiment": "churn"}, "its filter experiment wants defect-*, and the run has churn"),
        ({"tags": {}}, "its filter tags.stage wants prod*, and the run has none"),
        ({"tags": {"stage": "dev"}}, "its filter tags.stage wants prod*, and the run has dev"),
        ({"status": "Failed"}, "its filter outcome wants Completed, and the run ended as Failed"),
        ({"parent": "r0"}, "its filter children wants a root run, and the run has a part of an"),
    ],
)
def test_the_filter_that_kept_a_route_out_is_named(
    desk: Desk, facts: dict[str, Any], words: str
) -> None:
    desk.stage.routes(GATED)
    desk.end("r1", **{"tags": {"stage": "production"}, **facts})
    said = desk.type("why", "r1")
    assert said.code == 1
    assert f"register: not concerned: {words}" in said.out
    assert "nothing happens by itself" in said.out


def test_the_gate_that_held_is_told_with_what_it_saw(desk: Desk) -> None:
    desk.stage.routes(GATED)
    desk.end("r1", metrics={"accuracy": 0.42}, tags={"stage": "prod"})
    would = desk.type("why", "r1")
    assert would.code == 1
    assert "would end as held, since the route's gate said no (" in would.out
    assert "the route's gate said no (run.metrics.accuracy = 0.42; when: " in would.out
    desk.stage.deliver(completed("r1", runTags={"stage": "prod"}))
    did = desk.type("why", "r1")
    assert did.code == 1
    assert (
        "register (Completed): held\n  means    held back until an operator replays it: the route's"
        in did.out
    )
    assert "saw      run.metrics.accuracy = 0.42" in did.out
    assert "replay register/r1/Completed --ignore-gate" in did.out


@pytest.mark.parametrize(
    ("accuracy", "reason", "words"),
    [
        (0.95, "not_served", "starts no pipeline: it only answers tasks that wait for the run"),
        (
            0.42,
            "gate",
            "starts no pipeline, and lets no task go on, since the route's gate said",
        ),
    ],
)
def test_a_route_that_starts_nothing_is_not_said_to_hold_the_run(
    desk: Desk, accuracy: float, reason: str, words: str
) -> None:
    desk.stage.routes(f"{GATED.split('    limit', maxsplit=1)[0]}    complete: true\n")
    desk.end("r1", metrics={"accuracy": accuracy}, tags={"stage": "prod"})
    said = desk.type("why", "r1")
    assert (said.code, f"register: {words}" in said.out) == (1, True)
    assert "nothing happens by itself" in said.out
    (route,) = told(desk)["routes"]
    assert (route["state"], route["reason"]) == (None, reason)


def test_a_run_that_no_event_reached_is_evaluated_and_nothing_is_written_or_started(
    desk: Desk,
) -> None:
    stage = desk.stage
    stage.routes(GATED)
    stage.reconcile()
    desk.end("r1", metrics={"accuracy": 0.95}, tags={"stage": "prod"})
    before = stage.ledger.recent(stage.clock.now().replace(year=2000), 99)
    said = desk.type("why", "r1")
    assert said.code == exits.NOT_YET
    saw = "its gate saw run.metrics.accuracy = 0.95"
    assert f"register: would start pipeline contoso/mlops/42; {saw}" in said.out
    assert "the sweep takes it up with its next round" in said.out
    assert stage.ledger.recent(stage.clock.now().replace(year=2000), 99) == before == []
    assert not [n for n in limits(stage) if stage.ledger.shared(n).version]
    assert stage.posts() == 0
    stage.clock.forward(seconds=2)
    stage.app.sweep.sweep()
    assert stage.started() == [(42, "r1")]  # as was foretold


def limits(stage: Stage) -> list[str]:
    """The rows of the route's limit that may have been written meanwhile."""
    now = stage.clock.now()
    return [f"limit/register/{at:%Y-%m-%dT%H}" for at in (now - timedelta(hours=1), now)]


def test_what_holds_all_starts_back_is_told_beforehand(desk: Desk) -> None:
    stage = desk.stage
    stage.mid_hour()
    stage.routes(GATED)
    stage.reconcile()
    desk.end("r0", metrics={"accuracy": 0.95}, tags={"stage": "prod"})
    stage.deliver(completed("r0", runTags={"stage": "prod"}))
    desk.end("r1", metrics={"accuracy": 0.95}, tags={"stage": "prod"})
    paused = desk.type("why", "r1", PAUSED="1")
    assert "would start, but not now; it waits, since the app is paused (PAUSED=1)" in paused.out
    assert paused.code == exits.NOT_YET


def test_a_limit_that_is_used_up_is_told_beforehand(desk: Desk) -> None:
    stage = desk.stage
    stage.routes(GATED)
    stage.use_up("register", "%Y-%m-%dT%H", hours=1)
    desk.end("r1", metrics={"accuracy": 0.95}, tags={"stage": "prod"})
    said = desk.type("why", "r1")
    assert re.search(
        r"it waits until \S+ \d\d:00:00 UTC, since the route has started as many", said.out
    )
    stage.deliver(completed("r1", runTags={"stage": "prod"}))
    parked = desk.type("why", "r1")
    assert parked.code == exits.NOT_YET
    assert (
        "open\n  means    not started yet: the route has started as many pipelines as its"
        in parked.out
    )


def test_an_organization_that_refused_its_credential_is_told_beforehand(desk: Desk) -> None:
    stage = desk.stage
    stage.devops.server.faults.add(says(401, times=9))
    desk.end("r0")
    stage.deliver(completed("r0"))
    desk.end("r1")
    assert "nothing more is sent to contoso with it meanwhile" in desk.type("why", "r1").out
    parked = desk.type("why", "r0")
    assert parked.code == exits.NOT_YET
    assert "or as soon as the secret is renewed" in parked.out
    assert "make a new token" in parked.out


@pytest.mark.parametrize(
    ("given", "ago", "words"),
    [
        ({"SWEEP": "off"}, -1, "the sweep starts nothing (SWEEP=off)"),
        ({"SWEEP": "report"}, -1, "the sweep starts nothing (SWEEP=report)"),
        ({"SWEEP_HOURS": "2"}, 9000, "it ended longer ago than the sweep looks back (2 h, SW"),
        ({}, 3600, "the ledger has known the route only since the run ended"),
        ({"SWEEP_WORKSPACES": ""}, -1, "the sweep does not know its workspace"),
    ],
)
def test_why_nothing_will_happen_to_a_lost_run_is_told(
    desk: Desk, given: dict[str, str], ago: float, words: str
) -> None:
    desk.end("r1", ago=ago)
    said = desk.type("why", "r1", "--workspace", WORKSPACE, **given)
    assert said.code == 1
    assert "would start pipeline contoso/mlops/42" in said.out
    assert f"nothing happens by itself: {words}" in said.out
    assert "--dead-letters" in said.out


def test_a_dead_letter_of_long_ago_is_named_by_a_command_that_takes_it_up(desk: Desk) -> None:
    desk.end("r1", ago=9 * 86_400)
    said = desk.type("why", "r1")
    assert "bin/relay replay --dead-letters CONTAINER_URL --since 10d" in said.out


def test_a_filter_that_only_an_event_can_answer_is_said_to_be_one(desk: Desk) -> None:
    desk.stage.routes(GATED.replace("tags: {stage: prod*}", "run_type: azureml.PipelineRun"))
    desk.end("r1", metrics={"accuracy": 1.0})
    said = desk.type("why", "r1")
    assert said.code == 1
    assert "cannot be told: its filter run_type wants azureml.PipelineRun, which only" in said.out
    desk.stage.deliver(completed("r1"))
    assert desk.type("why", "r1").code == 0


def test_a_run_that_goes_on_waits_for_its_end(desk: Desk) -> None:
    desk.end("r1", status="Running")
    said = desk.type("why", "r1")
    assert said.code == exits.NOT_YET
    assert "run r1 of defect-detection in ml-prod: has not ended, it is RUNNING" in said.out
    assert said.out.count("Azure Machine Learning says that the run has not ended") == 2
    assert "once it has ended its event decides" in said.out


def test_an_end_that_was_told_wrongly_is_told_beside_the_true_one(desk: Desk) -> None:
    desk.end("r1", status="Failed")
    desk.stage.deliver(completed("r1"))
    said = desk.type("why", "r1")
    assert said.code == 0
    assert (
        "register (Completed): skipped\n  means    not to be started: the run ended other"
        in said.out
    )
    assert "report (Failed): started" in said.out
    assert said.out.count("\nregister") == 1  # told once: it is not concerned by the other end


def test_each_end_of_a_run_that_ended_twice_is_told(desk: Desk) -> None:
    desk.end("r1", status="Failed")
    desk.stage.deliver(changed("r1", "Failed"))
    desk.end("r1", status="Completed")
    said = desk.type("why", "r1")
    assert "report (Failed): started" in said.out
    assert "register: would start" in said.out


def test_a_run_that_was_deleted_is_told_from_the_ledger(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    del desk.stage.aml._runs["r1"]  # noqa: SLF001 - the local AML has no call that deletes
    said = desk.type("why", "r1")
    assert said.code == 0
    assert "Azure has no such run" in said.out
    assert "register (Completed): started" in said.out


def test_a_route_that_is_gone_is_told_all_the_same(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    desk.stage.routes(GATED.replace("name: register", "name: other"))
    said = desk.type("why", "r1")
    assert "register (Completed): started" in said.out
    assert "other: not concerned" in said.out


def test_routes_that_cannot_be_read_do_not_hide_the_ledger(desk: Desk) -> None:
    desk.end("r1")
    desk.end("r2")
    desk.stage.deliver(completed("r1"))
    desk.stage.routes("version: 7")
    known = desk.type("why", "r1")
    assert (known.code, "register (Completed): started" in known.out) == (0, True)
    assert known.err.startswith("warning: only what the ledger knows: routes.yaml:1: ")
    assert desk.type("why", "r2").code == 2
    assert desk.type("why", "r2", ROUTES_FILE="/nowhere/routes.yaml").code == 3


def test_an_event_that_waits_for_readable_routes_is_said_to_be_in_the_inbox(desk: Desk) -> None:
    desk.end("r1", ago=9000)
    good = desk.stage.routes_file.read_text("utf-8")
    desk.stage.routes("version: 7")
    desk.stage.deliver(completed("r1"))
    desk.stage.routes(good)
    said = desk.type("why", "r1")
    assert said.code == exits.NOT_YET
    assert "its event is in the inbox: the reconciler takes it up" in said.out


STUDIOS = [
    "https://ml.azure.com/runs/r1?wsid={id}",
    "https://ML.azure.com/runs/r1/?wsid={id}&tid=72f988bf-86f1-41af-91ab-2d7cd011db47",
    "https://ml.azure.com/experiments/defect/runs/r1?wsid={id}",
    "https://ml.azure.com/experiments/id/69278a1e/runs/r1?wsid={quoted}",
    "https://ml.azure.com/runs/r1?wsid={short}",
    "https://studio.ml.azure.cn/runs/r%31?wsid={id}",
    "https://ml.azure.us/runs/r1?wsid={id}",
]


@pytest.mark.parametrize("form", STUDIOS)
def test_the_address_of_its_page_names_run_and_workspace(desk: Desk, form: str) -> None:
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    short = WORKSPACE.replace("/providers/Microsoft.MachineLearningServices", "").lower()
    url = form.format(id=WORKSPACE, short=short, quoted=WORKSPACE.replace("/", "%2F"))
    said = desk.type("why", url, SWEEP_WORKSPACES="")
    assert (said.code, said.err) == (0, "")
    assert "register (Completed): started" in said.out


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"http://ml.azure.com/runs/r1?wsid={WORKSPACE}", "no address of AML Studio"),
        (f"https://ml.azure.com.evil.example/runs/r1?wsid={WORKSPACE}", "no address of AML"),
        (f"https://ml.azure.com:8443/runs/r1?wsid={WORKSPACE}", "no address of AML Studio"),
        (f"https://me@ml.azure.com/runs/r1?wsid={WORKSPACE}", "no address of AML Studio"),
        ("https://ml.azure.com/runs/r1", "has no wsid"),
        (f"https://ml.azure.com/runs/r1?wsid={WORKSPACE}&wsid={OTHER}", "has no wsid"),
        ("https://ml.azure.com/runs/r1?wsid=/subscriptions/x", "no workspace's resource id"),
        (f"https://ml.azure.com/runs/r1/x?wsid={WORKSPACE}", "not the page of a run"),
        (f"https://ml.azure.com/model/list?wsid={WORKSPACE}", "not the page of a run"),
        (f"https://ml.azure.com/runs/r%0A1?wsid={WORKSPACE}", "not the page of a run"),
        (f"https://ml.azure.com/runs/%ff?wsid={WORKSPACE}", "codec can't decode"),
        ("https://[/runs/r1", "Invalid IPv6"),
        ("two words", "is no run id"),
        ("", "is no run id"),
        ("x" * 700, "is no run id"),
    ],
)
def test_what_names_no_run_is_a_usage_error(desk: Desk, url: str, why: str) -> None:
    said = desk.type("why", url, COLUMNS="600")
    assert (said.code, said.out) == (2, "")
    assert why in said.err
    assert desk.stage.outgoing() == []


def test_an_address_and_another_workspace_contradict_each_other(desk: Desk) -> None:
    said = desk.type("why", STUDIO, "--workspace", OTHER)
    assert (said.code, "another one than the address names" in said.err) == (2, True)
    assert desk.type("why", "r1", "--workspace", "ml-prod").code == 2


def test_workspaces_that_the_ledger_has_seen_are_asked(desk: Desk) -> None:
    desk.end("r1")
    desk.end("r2", experiment="churn")
    nowhere = desk.type("why", "r2", SWEEP_WORKSPACES="")
    assert nowhere.code == 3
    assert nowhere.err.startswith("no workspace was seen yet: name one with --workspace")
    desk.stage.deliver(completed("r1"))
    desk.stage.reconcile()
    desk.stage.app.sweep.sweep()
    seen = desk.type("why", "r2", "--workspace", WORKSPACE.upper(), SWEEP_WORKSPACES="")
    assert (seen.code, "wants defect-*, and the run has churn" in seen.out) == (1, True)


def test_a_run_that_was_claimed_a_moment_ago_is_looked_for_where_it_was_claimed(
    desk: Desk,
) -> None:
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    said = desk.type("why", "r1", SWEEP_WORKSPACES="")
    assert (said.code, "register (Completed): started" in said.out) == (0, True)
    assert desk.type("preview", "--run", "r1", SWEEP_WORKSPACES="").code == 0


def test_a_run_in_several_workspaces_wants_one_named(desk: Desk) -> None:
    both = f"{WORKSPACE},{OTHER}"
    desk.stage.cloud.arm.add_workspace(OTHER, desk.stage.aml.tracking_uri)
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    elsewhere = Key(OTHER.lower(), "r1", Outcome.COMPLETED, "register")
    desk.stage.ledger.claim(msgspec.structs.replace(samples.opened("r1"), key=elsewhere))
    said = desk.type("why", "r1", SWEEP_WORKSPACES=both)
    assert said.code == 2
    assert said.err.splitlines() == [
        "r1 is in several workspaces; say --workspace:",
        f"  {WORKSPACE}",
        f"  {OTHER}",
    ]
    assert desk.type("why", "r1", "--workspace", WORKSPACE, SWEEP_WORKSPACES=both).code == 0


def test_a_run_that_nobody_knows_is_not_found(desk: Desk) -> None:
    said = desk.type("why", "r9")
    assert (said.code, said.out) == (3, "")
    assert said.err.splitlines()[0] == "no workspace that was asked knows r9"
    assert said.err.splitlines()[1].startswith("  ml-prod: run r9: answered 404")


def test_what_a_service_says_in_its_refusal_does_no_harm(desk: Desk) -> None:
    body = json.dumps({"error_code": "\x1b[2J\u202e##vso[task.complete]", "message": "\x9bm"})
    desk.stage.aml.server.faults.add(Fault("GET", "*/runs/get", status=404, body=body, times=9))
    said = desk.type("why", "r9")
    assert said.code == 3
    assert not {"\x1b", "\x9b", "\u202e"} & set(said.err)
    assert "##vso[" not in said.err


def test_a_workspace_that_does_not_answer_is_no_proof_of_absence(desk: Desk) -> None:
    desk.stage.aml.server.faults.add(Fault("GET", "*/runs/get", status=503, times=9))
    said = desk.type("why", "r9")
    assert (said.code, said.out) == (4, "")
    assert said.err.startswith("ml-prod: run r9: answered 503")


def test_a_workspace_that_does_not_answer_does_not_hide_where_the_run_is(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    broken = OTHER.replace("ml-test", "ml-broken")
    desk.stage.cloud.arm.add_workspace(broken, "https://127.0.0.1:9")
    said = desk.type("why", "r1", SWEEP_WORKSPACES=f"{WORKSPACE} {broken}")
    assert (said.code, "register (Completed): started" in said.out) == (0, True)
    assert said.err.startswith("warning: ml-broken: ")


def test_a_model_that_cannot_be_read_is_said_so_for_the_route_that_needs_it(desk: Desk) -> None:
    desk.stage.routes(GATED.replace('"{{ run.id }}"', '"{{ model.name }}"'))
    desk.end("r1", metrics={"accuracy": 1.0}, tags={"stage": "prod"})
    desk.stage.aml.server.faults.add(Fault("*", "*model-versions/search*", status=503, times=9))
    said = desk.type("why", "r1")
    assert "register: cannot be told just now, since the run could not be read" in said.out


def test_a_run_that_was_deleted_is_told_as_such_whether_its_event_came_or_not(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.aml.delete_run("r1")
    told_before = desk.type("why", "r1")
    assert told_before.code == 1
    assert ", and was deleted since" in told_before.out.splitlines()[0]
    assert "would end as held" in told_before.out
    desk.stage.deliver(completed("r1"))
    told_after = desk.type("why", "r1")
    assert told_after.code == 1
    assert "the run was deleted in Azure Machine Learning" in told_after.out
    preview = desk.type("preview", "--run", "r1")
    assert "the run was deleted in Azure Machine Learning" in preview.out


def test_a_ledger_that_is_not_there_is_one_line(desk: Desk) -> None:
    said = desk.type("why", "r1", LEDGER_URL="sqlite:////nowhere/ledger.db")
    assert (said.code, len(said.err.splitlines())) == (3, 1)


def test_every_state_and_every_reason_is_told_in_its_own_words(desk: Desk) -> None:
    every = {f"{s}-{r}": (s, r) for s in State for r in Reason}
    for route, (state, reason) in every.items():
        c = samples.opened("r1", route, state=state, reason=reason, request=samples.request())
        desk.stage.ledger.claim(c)
    said = desk.type("why", "r1", "--workspace", samples.WORKSPACE.id)
    document = told(desk, "r1", "--workspace", samples.WORKSPACE.id)
    spoken = {route["route"]: route for route in document["routes"] if route["known"]}
    assert spoken.keys() == every.keys()
    blocks = dict(
        block.split(" (Completed): ", 1) for block in said.out.split("\n\n") if "(Comp" in block
    )
    for route, (state, reason) in every.items():
        c = samples.opened("r1", route, state=state, reason=reason, request=samples.request())
        words = explained(c, desk.stage.clock.now(), Policy())
        assert words.means.startswith(f"{STATES[state]}: ")
        assert blocks[route].splitlines()[:2] == [str(state), f"  means    {words.means}"]
        assert spoken[route]["means"] == words.means
        assert words.next in blocks[route]
        assert words.do in blocks[route]
        unknown = reason is Reason.WORKING and state is not State.OPEN  # nothing ends at work
        own = OF_ANOTHER_REASON if unknown else REASONS[reason]
        assert own.means.split("{")[0] in blocks[route]


def test_names_that_others_chose_do_no_harm(desk: Desk) -> None:
    hostile = "\x1b[2J[bold]\u202e##vso[task.setvariable variable=x]y" + "z" * 10_000
    desk.stage.routes(GATED.replace("defect-*", "*"))
    desk.end("r1", experiment=hostile, tags={"stage": hostile})
    said = desk.type("why", "r1")
    assert "[bold]" in said.out
    assert not {"\x1b", "\u202e"} & set(said.out)
    assert "##vso[" not in said.out
    assert max(map(len, said.out.splitlines())) < 1000
    as_json = desk.type("why", "r1", "--json").out
    assert not {"\x1b", "\u202e"} & set(as_json)
    assert "##vso[" not in as_json
    assert "##vso[task" in json.loads(as_json)["routes"][0]["means"].replace("# #", "##")


def test_a_secret_variable_is_not_told(desk: Desk) -> None:
    start = 'start: {pipeline: 42, variables: {T: {value: "{{ run.tags.stage }}-x", secret: true}}'
    desk.stage.devops.add_pipeline("contoso", "mlops", 42, "next", settable_variables=["T"])
    desk.stage.routes(re.sub(r"start: \{.*", start + "}", GATED))
    desk.end("r1", metrics={"accuracy": 1.0}, tags={"stage": "prod"})
    foretold = desk.type("why", "r1", "--json").out
    desk.stage.deliver(completed("r1", runTags={"stage": "prod"}))
    assert desk.stage.posts() == 1
    known = desk.type("why", "r1", "--json").out
    for said in (foretold, known):
        body = json.loads(said)["routes"][0]["request"]["body"]
        assert body["variables"] == {"T": {"value": "***", "isSecret": True}}
        assert "prod-x" not in said


def test_whoever_types_a_key_is_led_to_show(desk: Desk) -> None:
    said = desk.type("why", "register/r1/Completed")
    assert said.code == 3
    assert said.err.endswith("for a KEY: bin/relay show register/r1/Completed\n")
