"""Microsoft's own schemas, where they lie beside this checkout; they are not kept in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMAS = ROOT.parent / "shared" / "schemas"
PIPELINES = _SCHEMAS / "azure-pipelines.json"
PIPELINES_API = _SCHEMAS / "devops-pipelines-7.1.json"
BUILD_API = _SCHEMAS / "devops-build-7.1.json"


def needs(schema: Path) -> pytest.MarkDecorator:
    """Skips a test where the schema is not there."""
    reason = f"Microsoft's {schema.name} is not beside this checkout: nothing to install"
    return pytest.mark.skipif(not schema.is_file(), reason=reason)
