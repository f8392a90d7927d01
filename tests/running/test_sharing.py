"""The one MLflow server of a test run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.running import sharing

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.real
def test_whoever_comes_second_finds_it_and_whoever_goes_last_ends_it(tmp_path: Path) -> None:
    with sharing.mlflow(tmp_path) as first:
        with sharing.mlflow(tmp_path) as second:
            assert (second.url, second.directory) == (first.url, first.directory)
        assert requests.get(f"{first.url}/health", timeout=10).ok
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{first.url}/health", timeout=10)
    assert not first.directory.exists()
