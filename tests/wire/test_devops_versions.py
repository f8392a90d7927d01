"""Many requests at once learn of the version that a server speaks, and none is failed by it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from requests.structures import CaseInsensitiveDict

from functions.adapters.devops.calls import Calls
from functions.adapters.http.transport import Answer
from functions.core.terms.errors import Retryable
from functions.core.terms.pipelines import Credential
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from functions.adapters.http.transport import Transport

PREVIEW = b'{"message": "under preview", "typeKey": "VssInvalidPreviewVersionException"}'
DONE = Answer(200, CaseInsensitiveDict(), b'{"id": 1}')
WHO = Credential(authorization="Basic x", version="1", expires_at=None)


def test_who_asked_before_another_learned_asks_again() -> None:
    asked: list[str] = []

    def effect(url: str, authorization: str, **_: object) -> Answer:
        del authorization
        asked.append(url)
        if len(asked) == 1:  # while it is under way, another asks and learns
            with pytest.raises(Retryable):
                calls.effect("http://here/", WHO, "{}")
        preview = url.endswith("-preview")
        return DONE if preview else Answer(400, CaseInsensitiveDict(), PREVIEW)

    calls = Calls("http://here", cast("Transport", SimpleNamespace(effect=effect)), "6.0")
    with pytest.raises(Retryable) as told:
        calls.effect("http://here/", WHO, "{}")
    assert (told.value.reason, told.value.retry_after) == (Reason.UNAVAILABLE, 0)
    assert calls.effect("http://here/", WHO, "{}") == DONE
    assert [url.rpartition("=")[2] for url in asked] == ["6.0", "6.0", "6.0-preview"]
