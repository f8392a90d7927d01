"""`bin/relay check` and `schema`, as an operator meets them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from relay.__main__ import app
from tests.routes.files import FULL, HEAD
from tests.running import terminal

ROOT = Path(__file__).resolve().parents[2]


def relay(*words: str, file: str | None = None) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command line."""
    done = CliRunner().invoke(app, words, env={"ROUTES_FILE": file})
    return done.exit_code, done.stdout, done.stderr


def written(folder: Path, text: str) -> str:
    """The path of a route file with that text."""
    path = folder / "r.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_good_file_is_summed_up(tmp_path: Path) -> None:
    path = written(tmp_path, FULL)

    assert relay("check", path) == (0, f"{path}: 2 routes, no problems\n", "")


def test_the_file_may_come_from_the_setting(tmp_path: Path) -> None:
    path = written(tmp_path, FULL)

    assert relay("check", file=path) == (0, f"{path}: 2 routes, no problems\n", "")


def test_mistakes_are_lines_that_an_editor_can_jump_to(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "  - name: a\n    mode: x\n    start: {pipeline: 0}\n")

    assert relay("check", path) == (
        1,
        "",
        (
            f"{path}:5: routes[0].mode: `x` is not known; allowed: active, shadow\n"
            f"{path}:6: routes[0].start.pipeline: `0` must be from 1 to 2147483647\n"
        ),
    )


def test_warnings_do_not_make_the_answer_no(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "  - {name: a, start: {pipeline: 1}}\n")
    alike = "no parameter is exactly {{ run.id }} and there is no `correlation`"
    doubt = f"{alike}; a start in doubt will be held for an operator"

    assert relay("check", path) == (
        0,
        f"{path}: 1 route, no problems, 1 warning\n",
        f"{path}:4: warning: routes[0].start: {doubt}\n",
    )


@pytest.mark.parametrize("route", ["{name: NAME, start: {pipeline: 1}}", "{name: a, NAME: 1}"])
def test_what_a_route_file_says_does_no_harm(tmp_path: Path, route: str) -> None:
    hostile = '"\\u009b31m\\u202e##vso[task.setvariable variable=x]y"'
    path = written(tmp_path, f"{HEAD}  - {route.replace('NAME', hostile)}\n")

    done, out, err = relay("check", path)

    assert (done, "# #vso[" in err, "##vso[" in out + err) == (1, True, False)
    assert (out + err).replace("\n", "").isprintable()


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere.yaml")

    assert relay("check", path) == (3, "", f"{path}: No such file or directory\n")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(b"version: 1 # \xe9\n")

    assert relay("check", str(path)) == (
        1,
        "",
        f"{path}:1: the file is not UTF-8: invalid continuation byte\n",
    )


def test_a_wrong_command_is_a_usage_error() -> None:
    code, _, error = relay("chekc")

    assert code == 2
    assert "No such command 'chekc'" in error


@pytest.mark.parametrize("words", [("--help",), ("check", "--help"), ("schema", "--help")])
def test_help_is_there_for_every_command(words: tuple[str, ...]) -> None:
    code, out, _ = relay(*words)

    assert code == 0
    assert "Usage: " in out


def test_the_file_that_nobody_names_is_that_of_the_checkout_from_any_folder(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "ROUTES_FILE": ""}
    typed = [sys.executable, "-m", "relay", "check"]
    done = subprocess.run(
        typed, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{ROOT / 'routes.yaml'}: 2 routes, no problems\n"


def test_on_a_terminal_the_routes_are_shown_as_a_table(tmp_path: Path) -> None:
    shown = terminal.shown(200, "check", written(tmp_path, FULL), environ={})
    assert shown[0].split() == ["ROUTE", "ON", "OF", "TOLD", "APART", "IF", "STARTS"]
    assert "register-model" in shown[1]
    assert "run.metrics.accuracy >= 0.9" in shown[1]
    assert shown[1].endswith("contoso/mlops 42")


def test_what_goes_on_by_an_end_stands_behind_its_route(tmp_path: Path) -> None:
    then = (
        "    then:\n"
        "      succeeded:\n"
        '        start: {pipeline: 51, parameters: {run_id: "{{ run.id }}"}}\n'
        "        tell: [{slack: dev}]\n"
        "        then: {failed: {tell: [{teams: ops}]}}\n"
    )
    text = FULL.replace("  - name: report-failure\n", f"{then}  - name: report-failure\n")
    path = written(tmp_path, text)
    assert relay("check", path) == (
        0,
        f"{path}: 2 routes and 2 steps that go on by an end, no problems\n",
        "",
    )
    shown = terminal.shown(200, "check", path, environ={})
    assert shown[2].split()[:3] == ["register-model.succeeded", "after", "register-model"]
    assert shown[2].endswith("contoso/mlops 51; tells slack/dev")
    assert shown[3].endswith("tells teams/ops")
    assert shown[4].startswith("report-failure")
