"""A table service that is down, slow, another one, or not for us: one error, in time, no secret."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import flask
import pytest

from functions.adapters.tables.opening import open_table
from functions.adapters.tables.rows import TableLedger
from functions.core.terms.errors import ConfigurationError, LedgerUnavailable
from local.serving.web import Server
from tests.ledger.calls import EVERY, READING
from tests.ledger.samples import key, letter, opened
from tests.ledger.stores import Silence, TableStore, Wire
from tests.stage.azurite import ACCOUNT_KEY, connection_string

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "continuations"
CLOSED = 9  # the port of `discard`, which nothing listens on


@pytest.mark.parametrize("call", EVERY.values(), ids=EVERY)
def test_a_service_that_cannot_be_reached_is_unavailable(
    call: Callable[[TableLedger], object],
) -> None:
    pauses: list[float] = []
    table = open_table(NAME, connection_string=connection_string(CLOSED))
    with pytest.raises(LedgerUnavailable) as raised:
        call(TableLedger(table, sleep=pauses.append))
    assert (
        str(raised.value) == f"table {NAME} at 127.0.0.1 (AzureWebJobsStorage): ServiceRequestError"
    )
    assert pauses == [0.2, 0.8]


@pytest.mark.parametrize("name", EVERY)
def test_a_service_that_never_answers_is_given_up_in_time(name: str) -> None:
    longest = 120.5 if name == "written" else 12.5  # no event waits for that one
    silence = Silence()
    table = open_table(NAME, connection_string=connection_string(CLOSED), transport=silence)
    with pytest.raises(LedgerUnavailable):
        EVERY[name](TableLedger(table, monotonic=lambda: silence.seconds, sleep=silence.wait))
    assert silence.attempts >= 2
    assert silence.seconds <= longest


def test_a_service_that_stops_answering_within_a_claim_is_given_up_in_time(
    table_store: TableStore,
) -> None:
    table_store.ledger().claim(opened())
    silence = Silence()

    wire = Wire()
    wire.first["PUT"] = lambda: wire.becomes(silence)
    table = table_store.table(transport=wire)
    with pytest.raises(LedgerUnavailable):
        TableLedger(table, monotonic=lambda: silence.seconds, sleep=silence.wait).claim(opened())
    assert silence.seconds <= 12.5


def answering(status: int, body: str = "", **headers: str) -> Server:
    app = flask.Flask("storage")

    @app.route("/<path:_>", methods=["GET", "POST", "PUT", "DELETE"])
    def answer(_: str) -> flask.Response:
        return flask.Response(body, status, headers, content_type="application/json")

    return Server(app)


def test_a_busy_service_is_asked_three_times_and_its_retry_after_is_not_slept() -> None:
    pauses: list[float] = []
    with answering(503, **{"Retry-After": "600"}) as server:
        where = connection_string(server.port)
        ledger = TableLedger(open_table(NAME, connection_string=where), sleep=pauses.append)
        with pytest.raises(LedgerUnavailable, match="503"):
            ledger.claim(opened())
        assert len(server.requests) == 3
    assert pauses == [0.2, 0.8]


@pytest.mark.parametrize(
    ("name", "status"),
    # the SDK takes any 404 of a delete for a row that is gone
    [(n, s) for n in EVERY for s in (400, 403, 404, 409, 412) if (n, s) != ("discard", 404)],
)
def test_an_answer_that_is_not_the_table_services_is_no_answer(name: str, status: int) -> None:
    with answering(status, "<html>proxy</html>") as server:
        table = open_table(NAME, connection_string=connection_string(server.port))
        with pytest.raises(LedgerUnavailable):
            EVERY[name](TableLedger(table))


@pytest.mark.parametrize("name", READING)
@pytest.mark.parametrize("body", ["{}", "[]", '"fine"', '{"value": 1}', '{"value": ["fine"]}'])
def test_an_answer_without_rows_does_not_say_that_there_are_none(name: str, body: str) -> None:
    with answering(200, body) as server:
        table = open_table(NAME, connection_string=connection_string(server.port))
        with pytest.raises(LedgerUnavailable, match="DecodeError"):
            READING[name](TableLedger(table, sleep=lambda _: None))


@pytest.mark.parametrize("name", ["read", "shared"])
def test_an_empty_list_is_no_answer_about_one_row(name: str) -> None:
    with answering(200, '{"value": []}') as server:
        table = open_table(NAME, connection_string=connection_string(server.port))
        with pytest.raises(LedgerUnavailable):
            READING[name](TableLedger(table))


@pytest.mark.parametrize("name", ["claim", "write", "schedule", "keep", "share"])
def test_a_write_that_somebody_else_says_was_done_was_not(name: str) -> None:
    """The service tells the version that it wrote. A POST would follow a mark that nobody has."""
    with answering(204) as server:
        table = open_table(NAME, connection_string=connection_string(server.port))
        with pytest.raises(LedgerUnavailable, match="without an ETag"):
            EVERY[name](TableLedger(table))


def test_a_table_that_is_being_deleted_takes_no_letter() -> None:
    body = '{"odata.error":{"code":"TableBeingDeleted","message":{"lang":"en-US","value":"x"}}}'
    with answering(409, body) as server:
        table = open_table(NAME, connection_string=connection_string(server.port))
        with pytest.raises(LedgerUnavailable, match="409 TableBeingDeleted"):
            TableLedger(table).keep(letter("e-1"))


def test_a_wrong_key_is_told_once_and_without_the_key(azurite: int) -> None:
    wire, wrong = Wire(), "c2VjcmV0LWtleQ=="
    where = connection_string(azurite).replace(ACCOUNT_KEY, wrong)
    with pytest.raises(LedgerUnavailable, match="403") as raised:
        TableLedger(open_table(NAME, connection_string=where, transport=wire)).claim(opened())
    assert wrong not in str(raised.value)
    assert len(wire.sent) == 1


def test_a_signature_in_the_url_is_not_told() -> None:
    where = "TableEndpoint=http://127.0.0.1:9/acc;SharedAccessSignature=sv=2020&sig=hidden%3D"
    silence = Silence()
    table = open_table(NAME, connection_string=where, transport=silence)
    with pytest.raises(LedgerUnavailable) as raised:
        TableLedger(table, sleep=silence.wait).read(key())
    told = "".join(traceback.format_exception(raised.value))
    assert "hidden" in silence.asked
    assert "hidden" not in told


def test_a_table_name_the_service_refuses_is_told(azurite: int) -> None:
    table = open_table("no-such-name", connection_string=connection_string(azurite))
    with pytest.raises(LedgerUnavailable):
        TableLedger(table, sleep=lambda _: None).claim(opened())


@pytest.mark.parametrize(
    "given",
    [
        {"connection_string": "AccountKey=hidden"},
        {"connection_string": "hidden"},
        {"endpoint": "http://127.0.0.1/hidden"},
        {"endpoint": ""},
    ],
)
def test_a_storage_account_that_cannot_be_meant_is_a_configuration_error(
    given: dict[str, Any],
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        open_table(NAME, **given)
    assert "hidden" not in str(raised.value)


def test_opening_a_table_sends_nothing() -> None:
    wire = Wire()
    table = open_table(NAME, connection_string=connection_string(CLOSED), transport=wire)
    TableLedger(table)
    assert wire.sent == []
