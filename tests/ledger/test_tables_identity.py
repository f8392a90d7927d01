"""A ledger that an identity opens, while there is no token: unavailable, and told whose fault."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import flask
import pytest

from functions.adapters.tables.opening import open_table
from functions.adapters.tables.rows import TableLedger
from functions.connections import managed_identity
from functions.core.terms.errors import LedgerUnavailable
from local.serving.web import Server
from tests.ledger.calls import EVERY
from tests.ledger.samples import key
from tests.stage.azure import MovableClock
from tests.stage.identities import JSON, ODD, all_answered, broken, hits, odd

if TYPE_CHECKING:
    from local.cloud import Cloud

NAME, SCOPE = "continuations", "https://storage.azure.com"
CLOSED = "https://127.0.0.1:9/account"


def ledger(clock: MovableClock | None = None, endpoint: str = CLOSED) -> TableLedger:
    identity = managed_identity(None, clock or MovableClock())
    table = open_table(NAME, endpoint=endpoint, credential=identity, audience=SCOPE)
    return TableLedger(table, sleep=lambda _: None)


@pytest.mark.parametrize("name", ODD)
def test_whatever_the_endpoint_answers_no_row_is_taken_for_missing(cloud: Cloud, name: str) -> None:
    odd(cloud.identity, name)
    for call in EVERY.values():
        with pytest.raises(LedgerUnavailable) as raised:
            call(ledger())
        assert f"at 127.0.0.1 (AzureWebJobsStorage): no token for {SCOPE}/.default" in str(
            raised.value
        )
        assert f"the identity endpoint answered {ODD[name][0]}" in str(raised.value)
        assert "hidden" not in str(raised.value)


@pytest.mark.parametrize("code", ["ResourceNotFound", "EntityAlreadyExists", "TableNotFound"])
def test_the_endpoints_words_are_no_code_of_the_table(cloud: Cloud, code: str) -> None:
    body = json.dumps({"statusCode": 400, "message": f'ErrorCode:{code} "code": "{code}"'})
    broken(cloud.identity, status=400, headers={"Content-Type": JSON}, body=body)
    for call in EVERY.values():
        with pytest.raises(LedgerUnavailable, match="the identity endpoint answered 400"):
            call(ledger())


def test_one_call_asks_an_endpoint_that_fails_once(cloud: Cloud) -> None:
    failing = broken(cloud.identity, drop="before")
    with pytest.raises(LedgerUnavailable, match="the identity endpoint gave no answer"):
        ledger().read(key())
    assert hits(failing) == 1


def test_a_token_that_the_table_refuses_is_renewed(cloud: Cloud) -> None:
    app = flask.Flask("storage")
    app.add_url_rule("/<path:_>", view_func=lambda _: flask.Response("{}", 401))
    clock = MovableClock()
    with Server(app, tls=cloud.tls) as server:
        opened = ledger(clock, f"{server.url}/account")
        for _ in range(2):
            with pytest.raises(LedgerUnavailable, match="401"):
                opened.read(key())
        assert len(cloud.identity.server.requests) == 1  # it was new
        clock.forward(minutes=2)
        with pytest.raises(LedgerUnavailable, match="401"):
            opened.read(key())
        all_answered()
    assert len(cloud.identity.server.requests) == 2
