"""How Azure Resource Manager says no to an operator."""

from __future__ import annotations

from typing import ClassVar

from relay import exits


class ArmError(Exception):
    """It refused or did not answer; `code` is what the command exits with."""

    code: ClassVar[int] = exits.REFUSED


class NotSignedIn(ArmError):
    """There is no token, or it is not accepted."""


class Forbidden(ArmError):
    """Whoever is signed in lacks a right."""


class Missing(ArmError):
    """There is no such resource."""

    code: ClassVar[int] = exits.NOT_FOUND


class NeedsApp(Exception):
    """Only a deployed app can be asked this, and none was named."""
