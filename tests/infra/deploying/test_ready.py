"""After an upload infra/hooks/deploy.sh waits for what passes, and asks what the app can load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.events import parsing
from tests.infra.deploying.checkout import (
    APP,
    ASK,
    CREATE,
    KEY,
    KEYS,
    LIST,
    SUBSCRIBED,
    UPLOAD,
    Azure,
    run,
)

if TYPE_CHECKING:
    from pathlib import Path

UPLOADED, EVENTS = f"{UPLOAD} {APP}", f"{CREATE} run-relay-events"
# What the Azure CLI 2.91 says of an upload that went wrong for a while.
UNDER_WAY = [
    "There may be an ongoing deployment. Please track your deployment in https://x/latest",
    "Deployment was cancelled and another deployment is in progress.",
    "Failed to retrieve deployment status. Please try again in a few minutes.",
    "Timeout reached by the command, however, the deployment operation\n   is still on-going.",
    "An error occured during deployment. Status Code: 409, Details: ",
    "An error occured during deployment. Status Code: 502, Details: <html>Bad Gateway</html>",
    "An error occured during deployment. Status Code: 503, Details: Site Unavailable",
    "Operation returned an invalid status 'Bad Gateway'",
    "409 Client Error: Conflict for url: https://x.scm.azurewebsites.net/api/publish",
]
# What it says where the package is there, and only the look at the app came too early.
TOO_EARLY = [
    "Failed to fetch host key to check for function app status",
    "Deployment was successful but the app appears to be unhealthy. Please check the app logs.",
]
NOT_YET = [
    (KEYS, "(ServiceUnavailable) Encountered an error (ServiceUnavailable) from host runtime."),
    (KEYS, "(BadRequest) Encountered an error (InternalServerError) from host runtime."),
    (ASK, "Unauthorized()"),
    (ASK, "Not Found()"),
    (ASK, "Bad Gateway(<html>)"),
    (ASK, "Service Unavailable(Function host is not running.)"),
    (ASK, "Internal Server Error(Exception while executing function: on_run_completed)"),
]


@pytest.mark.parametrize("words", UNDER_WAY)
def test_an_upload_waits_for_what_passes_by_itself(
    folder: Path, deployed: Azure, words: str
) -> None:
    deployed.refuse(UPLOAD, words, times=2)
    ran = run(folder, deployed.environ(), "code")
    assert (ran.returncode, deployed.acts()) == (0, [UPLOADED] * 3), ran.stderr
    assert "try 1 of 10 failed, again in 0 s:" in ran.stderr


def test_an_upload_that_never_gets_its_turn_ends_with_where_to_look(
    folder: Path, deployed: Azure
) -> None:
    deployed.refuse(UPLOAD, UNDER_WAY[0], times=99)
    ran = run(folder, deployed.environ(RELAY_TRIES="3"), "code", "events")
    assert (ran.returncode, deployed.acts()) == (4, [UPLOADED] * 3)
    for words in (UNDER_WAY[0], "It failed 3 times over", '"What may go wrong" in infra/README.md'):
        assert words in ran.stderr


@pytest.mark.parametrize(
    "words",
    [
        "Zip deployment failed. {'status': 3}. These are the deployment logs: pip: conflict of x",
        "An error occured during deployment. Status Code: 400, Details: no zip",
        "Deployment was cancelled.",
    ],
)
def test_an_upload_that_failed_for_good_is_told_at_once(
    folder: Path, deployed: Azure, words: str
) -> None:
    deployed.refuse(UPLOAD, words, times=2)
    ran = run(folder, deployed.environ(), "code")
    assert (ran.returncode, deployed.acts()) == (4, [UPLOADED])
    assert words in ran.stderr


@pytest.mark.parametrize("words", TOO_EARLY)
def test_what_is_uploaded_is_not_uploaded_again_since_somebody_looked_too_early(
    folder: Path, deployed: Azure, words: str
) -> None:
    deployed.refuse(UPLOAD, words, times=9, after=True)
    deployed.write({**deployed.state, "indexed_after": 3})
    ran = run(folder, deployed.environ(), "code")
    assert (ran.returncode, deployed.acts()) == (0, [UPLOADED]), ran.stderr
    assert (deployed.commands().count(LIST), len(deployed.state["probes"])) == (3, 1)


def test_the_app_is_asked_once_for_all_that_it_has_before_anything_is_subscribed(
    folder: Path, deployed: Azure
) -> None:
    ran = run(folder, deployed.environ())
    assert ran.returncode == 0, ran.stderr
    commands = deployed.commands()
    assert commands.index(ASK) < len(commands) - 1 - commands[::-1].index(CREATE)
    (probe,) = deployed.state["probes"]
    where = f"https://{APP}.azurewebsites.net/runtime/webhooks/eventgrid?functionName="
    assert probe["url"] == where + SUBSCRIBED[0]
    assert probe["event"]["eventType"] == "RunRelay.Probe"
    with pytest.raises(parsing.Probe):
        parsing.parse(probe["event"])
    assert {"topic", "subject", "data", "dataVersion"} <= set(probe["event"])
    assert probe["headers"] == ["aeg-event-type", "x-functions-key"]


def test_events_alone_ask_too_since_azd_uploads_by_itself(folder: Path, deployed: Azure) -> None:
    assert run(folder, deployed.environ(), "events").returncode == 0
    assert len(deployed.state["probes"]) == 1


@pytest.mark.parametrize(("command", "words"), NOT_YET)
def test_an_app_that_does_not_take_the_probe_yet_is_asked_again(
    folder: Path, deployed: Azure, command: str, words: str
) -> None:
    deployed.refuse(command, words, times=2)
    ran = run(folder, deployed.environ(), "code", "events")
    assert (ran.returncode, deployed.acts()) == (0, [UPLOADED, EVENTS]), ran.stderr
    assert f"look 2 of 60: ERROR: {words}" in ran.stderr


def test_a_host_that_has_no_key_yet_is_waited_for(folder: Path, deployed: Azure) -> None:
    deployed.write({**deployed.state, "key": None})
    ran = run(folder, deployed.environ(RELAY_LOOKS="2"), "code")
    assert (ran.returncode, ASK in deployed.commands()) == (5, False)
    assert "look 1 of 2: the host has made no key for Event Grid yet" in ran.stderr


def test_an_app_that_cannot_load_what_it_has_ends_it_before_anything_is_subscribed(
    folder: Path, deployed: Azure
) -> None:
    words = "Internal Server Error(Exception while executing function: on_run_completed)"
    deployed.refuse(ASK, words, times=99)
    ran = run(folder, deployed.environ(RELAY_LOOKS="4"), "code", "events")
    assert (ran.returncode, deployed.acts()) == (5, [UPLOADED])
    assert deployed.commands().count(ASK) == 4
    for told in (words, "built for its Python", "Table Data Contributor", "deploy.sh events"):
        assert told in ran.stderr


def test_nobody_waits_for_a_key_that_is_refused(folder: Path, deployed: Azure) -> None:
    deployed.refuse(KEYS, "(AuthorizationFailed) no right to list keys", times=9)
    ran = run(folder, deployed.environ(), "code", "events")
    assert (ran.returncode, deployed.acts()) == (4, [UPLOADED])
    assert deployed.commands().count(KEYS) == 1


def test_an_app_that_takes_no_calls_from_here_is_not_asked_if_so_told(
    folder: Path, deployed: Azure
) -> None:
    deployed.refuse(ASK, "Ip Forbidden()", times=9)
    ran = run(folder, deployed.environ(), "code")
    assert (ran.returncode, deployed.commands().count(ASK)) == (4, 1)
    assert "RELAY_ASK=no" in ran.stderr
    assert run(folder, deployed.environ(RELAY_ASK="no"), "events").returncode == 0
    assert deployed.commands().count(ASK) == 1


def test_the_key_is_no_argument_and_is_not_printed(folder: Path, deployed: Azure) -> None:
    deployed.refuse(ASK, "Unauthorized()", times=1)
    ran = run(folder, deployed.environ())
    assert [words for words in deployed.state["calls"] if KEY in " ".join(words)] == []
    assert KEY not in ran.stdout + ran.stderr
