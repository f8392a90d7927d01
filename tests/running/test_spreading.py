"""The tests' own order: what shares fixtures stays together, and what takes long begins first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.running import spreading
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_tests_of_a_file_stay_together() -> None:
    assert (
        spreading.scope("tests/flow/starts/test_time.py::test_a[b::c]")
        == "tests/flow/starts/test_time.py"
    )


def test_the_tests_of_a_long_file_that_share_nothing_do_not() -> None:
    first, second = (spreading.scope(f"tests/demo/test_demo.py::test_{n}") for n in "ab")
    assert first != second


def test_what_needs_mlflow_stays_together() -> None:
    files = (
        "tests/flow/reading/test_mlflow.py",
        "tests/component/test_step.py",
        "tests/local/azure/test_aml.py",
    )
    assert {spreading.scope(f"{file}::test_a") for file in files} == {"mlflow"}


def test_every_test_that_needs_mlflow_is_kept_with_the_others(
    request: pytest.FixtureRequest,
) -> None:
    needing = [
        i for i in request.session.items if "mlflow_server" in getattr(i, "fixturenames", ())
    ]
    assert {spreading.scope(item.nodeid.partition("@")[0]) for item in needing} <= {"mlflow"}


def test_the_longest_begin_first() -> None:
    soak, flow = "tests/soak/test_soak.py::test_a", "tests/flow/starts/test_time.py::test_a"
    page = "tests/page/test_browser.py::test_a"
    assert sorted([flow, page, soak], key=spreading.rank) == [soak, page, flow]


def test_this_run_goes_by_it(request: pytest.FixtureRequest) -> None:
    hooks = request.config.pluginmanager.hook
    known = (hooks.pytest_xdist_make_scheduler, hooks.pytest_collection_modifyitems)
    found = [hook.function for one in known for hook in one.get_hookimpls()]
    assert spreading.pytest_xdist_make_scheduler in found
    assert spreading.pytest_collection_modifyitems in found


def test_every_name_in_the_lists_is_that_of_tests() -> None:
    files = [str(f.relative_to(ROOT)) for f in (ROOT / "tests").rglob("test_*.py")]
    assert [n for n in spreading.LONG if not any(f.startswith(n) for f in files)] == []


def test_no_fixture_of_a_module_is_made_again_for_tests_that_run_apart() -> None:
    files = [
        f
        for f in (ROOT / "tests").rglob("*.py")
        if str(f.relative_to(ROOT)).startswith(spreading.APART)
    ]
    assert [f.name for f in files if 'scope="module"' in f.read_text("utf-8")] == []


def test_files_lie_in_memory_only_where_there_is_room_and_programs_run(tmp_path: Path) -> None:
    assert spreading.in_memory([str(tmp_path / "absent")]) is None
    assert spreading.in_memory([str(tmp_path)], room=1 << 62) is None
    assert spreading.in_memory([str(tmp_path / "absent"), str(tmp_path)], room=0) == str(tmp_path)
