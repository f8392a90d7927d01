"""Our client of the table SDK sends and reads what the SDK does, but for what nobody reads."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.data.tables import EdmType, TableClient, UpdateMode

from functions.adapters.tables.opening import open_table, text_columns
from local.serving.names import LOOPBACK
from tests.stage.azurite import ACCOUNT, ACCOUNT_KEY, connection_string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROW = {"PartitionKey": "p", "RowKey": "r", "said": "something"}
TYPED = {
    "PartitionKey": "p",
    "RowKey": "r",
    "text": "a, \u00e9 and \U0001f600",
    "empty": "",
    "like_a_time": "2026-03-14T12:00:00Z",
    "value": "as the parts of rows of ours are called",
    "flag": True,
    "count": 7,
    "large": (2**40, EdmType.INT64),
    "half": 0.5,
    "at": datetime(2026, 3, 14, 12, tzinfo=UTC),
    "id": uuid4(),
    "bytes": b"abc",
}
SAME, REPLACE = MatchConditions.IfNotModified, UpdateMode.REPLACE
CALLS: dict[str, Callable[[TableClient], object]] = {
    "insert": lambda t: t.create_entity(ROW, response_preference="return-no-content", **whole(t)),
    "upsert": lambda t: t.upsert_entity(ROW, mode=REPLACE, **whole(t)),
    "update": lambda t: t.update_entity(
        ROW, mode=REPLACE, etag='W/"1"', match_condition=SAME, **whole(t)
    ),
    "get": lambda t: t.get_entity("p", "r"),
    "delete": lambda t: t.delete_entity("p", "r"),
    "query": lambda t: list(t.query_entities("PartitionKey eq 'p'", select=["said"])),
    "transaction": lambda t: t.submit_transaction([("upsert", ROW), ("delete", ROW)]),
    "create": lambda t: t.create_table(),
}
LEFT_OUT = {"x-ms-client-request-id", "connection"}  # an id that nobody reads; what HTTP/1.1 means
EMPTY = ("content-length", "0")  # of a request without a body, which needs none
OTHERWISE = {"date", "x-ms-date", "authorization", "content-length", "content-type"}


def whole(table: TableClient) -> dict[str, str]:
    """What our transport sends instead of the row as the SDK has it."""
    return {} if type(table) is TableClient else {"whole": "{}"}


class Service(ThreadingHTTPServer):
    """Notes what it is sent, and answers that it is done, or with nothing."""

    daemon_threads = True  # nobody waits for a connection that a client keeps

    def __init__(self, status: int) -> None:
        super().__init__((LOOPBACK, 0), _Answer)
        self.status = status
        self.heard: list[list[tuple[str, str]]] = []


class _Answer(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(min(map(int, self.headers.get_all("Content-Length") or ["0"])))
        told = [(name.lower(), value) for name, value in self.headers.items()]
        self.server.heard.append([("", f"{self.command} {self.path}"), *told])
        self.send_response(self.server.status)
        self.send_header("ETag", 'W/"1"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_GET  # noqa: N815 - as the base class calls them

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def heard(status: int) -> Iterator[Service]:
    with Service(status) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def clients(server: Service) -> tuple[TableClient, TableClient]:
    """The SDK's own, and ours."""
    where = (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        f"TableEndpoint=http://{LOOPBACK}:{server.server_port}/{ACCOUNT};"
    )
    theirs = TableClient.from_connection_string(where, "continuations", retry_total=0)
    return theirs, open_table("continuations", connection_string=where)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_each_request_has_the_sdks_headers_each_once(call: Callable[[TableClient], object]) -> None:
    with heard(204) as server:
        for table in clients(server):
            with table, suppress(AzureError, AttributeError):  # there is nothing in an answer
                call(table)
    theirs, ours = [[told for told in sent if told != EMPTY] for sent in server.heard]
    assert sorted(name for name, _ in ours) == sorted({n for n, _ in theirs} - LEFT_OUT)
    same = [[(n, v) for n, v in sent if n not in LEFT_OUT | OTHERWISE] for sent in (theirs, ours)]
    assert sorted(same[1]) == sorted(same[0])


def test_a_service_that_fails_is_asked_once_and_at_one_host() -> None:
    with heard(503) as server:
        _, ours = clients(server)
        with ours, pytest.raises(AzureError):
            ours.get_entity("p", "r")
    assert len(server.heard) == 1


def test_of_a_row_what_the_sdk_takes_for_text_is_read(azurite: int) -> None:
    where, told = connection_string(azurite), list[dict[str, Any]]()
    with (
        TableClient.from_connection_string(where, f"typed{uuid4().hex}") as theirs,
        open_table(theirs.table_name, connection_string=where) as ours,
    ):
        theirs.create_table()
        theirs.create_entity(TYPED)
        entity = theirs.get_entity("p", "r")
        ours.get_entity("p", "r", rows=told)
        assert not [*ours.query_entities("PartitionKey eq 'p'", rows=told)]
        theirs.delete_table()
    texts = {name: value for name, value in entity.items() if isinstance(value, str)}
    assert texts.keys() == {"PartitionKey", "RowKey", "text", "empty", "like_a_time", "value"}
    assert [text_columns(row) for row in told] == [texts, texts]
    assert [row["odata.etag"] for row in told] == [entity.metadata["etag"]] * 2


def test_that_its_time_is_a_text_makes_it_no_column() -> None:
    """Other versions of the service tell what type it has, or do not."""
    row = {"text": "a", "Timestamp": "2026-03-14T12:00:00Z", "text@odata.type": "Edm.String"}
    assert text_columns(row) == {"text": "a"}
    assert text_columns({**row, "Timestamp@odata.type": "Edm.DateTime"}) == {"text": "a"}
