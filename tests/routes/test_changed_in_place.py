"""The route file is read again whenever another one stands in its place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from functions.adapters.routefile import RouteFile

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """
version: 1
routes:
  - name: {name}
    start: {{organization: contoso, project: mlops, pipeline: 42, correlation: relay}}
"""
PACKED = 315_532_800 * 10**9  # 1980, as archives are made that are to be the same each time


def put(path: Path, name: str) -> None:
    path.write_text(TEXT.format(name=name))
    os.utime(path, ns=(PACKED, PACKED))


def test_another_file_of_the_same_size_and_time_is_another(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    put(path, "older")
    file = RouteFile(path)
    before = file.routes()
    assert [route.name for route in before.routes] == ["older"]
    put(tmp_path / "new.yaml", "newer")
    (tmp_path / "new.yaml").replace(path)
    assert [route.name for route in file.routes().routes] == ["newer"]
    assert before.file in file.routes().earlier


def test_one_that_did_not_change_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    put(path, "older")
    file = RouteFile(path)
    assert file.routes() is file.routes()
