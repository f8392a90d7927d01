"""What somebody set by hand, or gives as a value, is kept as it is: a pause, a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.deploying.checkout import (
    APP,
    CREATE,
    SETTINGS,
    SHOW,
    WHAT_IF,
    Azure,
    checkout,
    command,
    run,
)
from tests.infra.predicted import template

if TYPE_CHECKING:
    from pathlib import Path

FILE = "infra/prod.bicepparam"
POLICY: dict[str, Any] = {"policy": {"value": {"paused": True}}}


def paused(azure: Azure, value: str = "1", **state: Any) -> Azure:
    azure.write({**azure.state, "settings": {APP: {"PAUSED": value}}, **state})
    return azure


def parameters(azure: Azure, verb: str) -> list[str]:
    """What the last call of this command was given."""
    calls: list[list[str]] = [
        words for words in azure.state["calls"] if " ".join(command(words)) == verb
    ]
    first = calls[-1].index("-p") + 1
    rest = (i for i, word in enumerate(calls[-1][first:], first) if word.startswith("-"))
    return calls[-1][first : next(rest, None)]


@pytest.mark.parametrize("value", ["1", "true", "YES", " on", "whatever"])
def test_a_pause_by_hand_survives_and_is_told_with_the_way_to_end_it(
    folder: Path, deployed: Azure, value: str
) -> None:
    ran = run(folder, paused(deployed, value).environ(), "resources")
    assert (ran.returncode, parameters(deployed, CREATE)) == (0, [FILE, "paused=true"]), ran.stderr
    assert f"{APP} IS PAUSED, and stays so until somebody ends it: az " in ran.stderr
    assert "--settings PAUSED=0" in ran.stderr


@pytest.mark.parametrize("value", ["0", "", "False", "no", "off"])
def test_what_is_not_paused_is_not_paused_by_a_deployment(
    folder: Path, deployed: Azure, value: str
) -> None:
    ran = run(folder, paused(deployed, value).environ(), "resources")
    assert (ran.returncode, parameters(deployed, CREATE)) == (0, [FILE])
    assert "PAUSED" not in ran.stderr


def test_a_pause_of_the_parameter_file_ends_with_the_file(folder: Path, deployed: Azure) -> None:
    paused(deployed, parameters=POLICY)
    assert run(folder, deployed.environ(), "resources").returncode == 0
    assert parameters(deployed, CREATE) == [FILE]


def test_a_preview_shows_that_the_pause_stays(folder: Path, deployed: Azure) -> None:
    assert run(folder, paused(deployed).environ(RELAY_PARAMETERS=FILE), "preview").returncode == 0
    first = next(w for w in deployed.state["calls"] if " ".join(command(w)) == WHAT_IF)
    assert first[first.index("-p") : first.index("-p") + 3] == ["-p", FILE, "paused=true"]


def test_a_preview_needs_no_right_to_the_settings(folder: Path, deployed: Azure) -> None:
    deployed.refuse(SETTINGS, "(AuthorizationFailed) no", times=9)
    ran = run(folder, deployed.environ(), "preview")
    assert (ran.returncode, "could not be seen" in ran.stderr) == (0, True)


def test_a_pause_survives_also_where_the_last_deployment_failed(
    folder: Path, deployed: Azure
) -> None:
    paused(deployed, outputs={})
    run(folder, deployed.environ(), "resources")
    assert parameters(deployed, CREATE) == [FILE, "paused=true"]


def test_nothing_is_deployed_where_nobody_can_say_whether_it_is_paused(
    folder: Path, deployed: Azure
) -> None:
    deployed.refuse(SETTINGS, "(AuthorizationFailed) no", times=9)
    ran = run(folder, deployed.environ(), "resources")
    assert (ran.returncode, deployed.acts()) == (4, [])
    for words in ("(AuthorizationFailed) no", "whether the app is paused could not be seen"):
        assert words in ran.stderr


def test_an_app_that_was_deleted_is_deployed_anew(folder: Path, deployed: Azure) -> None:
    ran = run(folder, deployed.environ(), "resources")
    assert (ran.returncode, parameters(deployed, CREATE)) == (0, [FILE])


def test_settings_that_cannot_be_read_for_a_moment_are_read_again(
    folder: Path, deployed: Azure
) -> None:
    paused(deployed).refuse(SETTINGS, "(503) Service Unavailable", times=2)
    assert run(folder, deployed.environ(), "resources").returncode == 0
    assert parameters(deployed, CREATE) == [FILE, "paused=true"]


def test_azd_is_stopped_before_it_ends_a_pause(folder: Path, deployed: Azure) -> None:
    ran = run(folder, paused(deployed).environ(), "unpaused")
    assert (ran.returncode, deployed.acts()) == (2, [])
    for words in (f"{APP} IS PAUSED", "--settings PAUSED=0", "paused: true in policy"):
        assert words in ran.stderr
    assert run(folder, paused(deployed, "0").environ(), "unpaused").returncode == 0


def test_azd_makes_the_first_app_of_a_group(folder: Path, azure: Azure) -> None:
    assert run(folder, azure.environ(), "unpaused").returncode == 0
    assert SHOW in azure.commands()


def test_the_template_takes_what_keeps_the_pause() -> None:
    asked = template()["parameters"]["paused"]
    assert (asked["type"], asked["defaultValue"]) == ("bool", False)


@pytest.mark.parametrize("value", ["retryMinutes=[1-9]*", "maxDeliveryAttempts=?", "x=*.bicep"])
def test_parameters_of_the_subscriptions_are_no_patterns_of_file_names(
    tmp_path: Path, deployed: Azure, value: str
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    checkout(own)
    for name in ("retryMinutes=1x", "maxDeliveryAttempts=7", "x=main.bicep"):
        (own / name).touch()
    given = f"{value} maxDeliveryAttempts=10"
    assert run(own, deployed.environ(RELAY_EVENTS_PARAMETERS=given), "events").returncode == 0
    assert parameters(deployed, CREATE)[-2:] == [value, "maxDeliveryAttempts=10"]
