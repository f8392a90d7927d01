"""infra/hooks/deploy.sh waits for what comes late, and for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.infra.deploying.checkout import (
    APP,
    CREATE,
    LIST,
    SUBSCRIBED,
    UPLOAD,
    Azure,
    checkout,
    run,
)

if TYPE_CHECKING:
    from pathlib import Path

RESOURCES, EVENTS = f"{CREATE} run-relay", f"{CREATE} run-relay-events"
NO_ENDPOINT = "Destination endpoint not found. Resource details: resourceId: x."
NO_ROLE_YET = (
    "(Managed Identity Authorization Error) Managed Identity for x does not have permission to "
    "perform appropriate action on the destination resource."
)


def test_subscriptions_wait_until_the_functions_are_indexed(folder: Path, deployed: Azure) -> None:
    deployed.write({**deployed.state, "indexed_after": 3})
    ran = run(folder, deployed.environ(), "events")
    assert (ran.returncode, deployed.commands().count(LIST)) == (0, 3)
    assert deployed.acts() == [EVENTS]
    told = "look 2 of 60: not indexed yet: " + " ".join(SUBSCRIBED)
    assert told in ran.stderr


def test_functions_that_never_appear_end_it_with_what_to_look_at(
    folder: Path, deployed: Azure
) -> None:
    deployed.write({**deployed.state, "indexed_after": 99})
    ran = run(folder, deployed.environ(RELAY_LOOKS="4"), "events")
    assert (ran.returncode, deployed.commands().count(LIST), deployed.acts()) == (5, 4, [])
    for words in (f"{APP} has not indexed: on_run_completed", "exceptions", "Blob Data Owner"):
        assert words in ran.stderr


def test_an_app_that_does_not_answer_yet_is_waited_for(folder: Path, deployed: Azure) -> None:
    deployed.refuse(LIST, "Operation returned an invalid status 'Service Unavailable'", times=2)
    assert run(folder, deployed.environ(), "events").returncode == 0
    assert deployed.commands().count(LIST) == 3


@pytest.mark.parametrize("words", ["(AuthorizationFailed) no", "Please run 'az login'"])
def test_nobody_waits_for_what_no_wait_helps(folder: Path, deployed: Azure, words: str) -> None:
    deployed.refuse(LIST, words, times=9)
    ran = run(folder, deployed.environ(), "events")
    assert (ran.returncode, deployed.commands().count(LIST), deployed.acts()) == (4, 1, [])
    assert words in ran.stderr


@pytest.mark.parametrize(
    ("step", "where", "words"),
    [
        ("events", "run-relay-events", NO_ENDPOINT),
        ("events", "run-relay-events", NO_ROLE_YET),
        ("resources", CREATE, "(PrincipalNotFound) Principal x does not exist in the directory"),
        ("code", UPLOAD, "InaccessibleStorageException: Failed to access storage account"),
        ("code", UPLOAD, "(503) Service Unavailable"),
    ],
)
def test_what_passes_by_itself_is_tried_again(
    folder: Path, deployed: Azure, step: str, where: str, words: str
) -> None:
    deployed.refuse(where, words, times=2)
    ran = run(folder, deployed.environ(), step)
    assert (ran.returncode, len(deployed.acts())) == (0, 3), ran.stderr
    assert "try 2 of 10 failed, again in 0 s:" in ran.stderr


def test_it_is_tried_again_so_many_times_only(folder: Path, deployed: Azure) -> None:
    deployed.refuse("run-relay-events", NO_ENDPOINT, times=99)
    ran = run(folder, deployed.environ(RELAY_TRIES="3"), "events")
    assert (ran.returncode, deployed.acts()) == (4, [EVENTS] * 3)
    assert NO_ENDPOINT in ran.stderr
    assert "It failed 3 times over" in ran.stderr


def test_any_other_error_is_told_at_once_and_ends_it(folder: Path, deployed: Azure) -> None:
    deployed.refuse(CREATE, "(InvalidTemplateDeployment) vault name is taken")
    ran = run(folder, deployed.environ())
    assert (ran.returncode, deployed.acts()) == (4, [RESOURCES])
    assert "vault name is taken" in ran.stderr


def test_events_bicep_without_functions_is_no_reason_to_wait(
    tmp_path: Path, deployed: Azure
) -> None:
    own = checkout(tmp_path)
    (own / "infra/events.bicep").write_text("param x string\n", "utf-8")
    assert run(own, deployed.environ(), "events").returncode == 2
    assert LIST not in deployed.commands()
