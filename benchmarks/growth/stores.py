"""A ledger's requests without a ledger, as the pages of its stores show them."""

from __future__ import annotations

import json
import os
import sqlite3
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import requests
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError
from azure.core.pipeline.transport import RequestsTransport
from azure.data.tables import TableClient, UpdateMode
from requests.adapters import HTTPAdapter

from benchmarks.names import STORAGE
from functions.adapters import sqlite
from functions.adapters.http.session import POOL

if TYPE_CHECKING:
    from functions.core.ports.ledger import Place, Row

TABLE = "floor"


def pooled() -> requests.Session:
    """A session that keeps as many connections as the app's; by themselves they keep ten."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=POOL))
    return session


class Store(Protocol):
    """A ledger's requests, without a ledger."""

    def insert(self, place: Place, row: Row) -> str:
        """The row's version; empty where one was there."""

    def put(self, place: Place, row: Row) -> None:
        """Write the row whatever is there."""

    def replace(self, place: Place, row: Row, version: str) -> str:
        """Write the row if it has this version."""

    def get(self, place: Place) -> object:
        """Read the row."""


class Tables:
    """Table storage by its SDK, as its pages show it."""

    def __init__(self, session: requests.Session) -> None:
        storage, wire = os.environ[STORAGE], RequestsTransport(session=session)
        self._table = TableClient.from_connection_string(storage, TABLE, transport=wire)
        with suppress(ResourceExistsError):
            self._table.create_table()

    def insert(self, place: Place, row: Row) -> str:
        """One request."""
        try:
            made = self._table.create_entity(
                _entity(place, row), response_preference="return-no-content"
            )
        except ResourceExistsError:
            return ""
        return str(made["etag"])

    def put(self, place: Place, row: Row) -> None:
        """One request."""
        self._table.upsert_entity(_entity(place, row), mode=UpdateMode.REPLACE)

    def replace(self, place: Place, row: Row, version: str) -> str:
        """One request."""
        entity, only = _entity(place, row), MatchConditions.IfNotModified
        made = self._table.update_entity(
            entity, mode=UpdateMode.REPLACE, etag=version, match_condition=only
        )
        return str(made["etag"])

    def get(self, place: Place) -> object:
        """One request."""
        return self._table.get_entity(*place)


class Sqlite:
    """A file, by the standard library."""

    def __init__(self) -> None:
        path = os.environ["LEDGER_URL"].removeprefix("sqlite:///") + ".floor"
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute(sqlite.SCHEMA)

    def insert(self, place: Place, row: Row) -> str:
        """One statement."""
        version = uuid.uuid4().hex
        made = self._file.execute(
            "INSERT INTO ledger VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (*place, version, json.dumps(row)),
        )
        return version if made.rowcount else ""

    def put(self, place: Place, row: Row) -> None:
        """One statement."""
        self._file.execute(
            "INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?)", (*place, "v", json.dumps(row))
        )

    def replace(self, place: Place, row: Row, version: str) -> str:
        """One statement."""
        following = uuid.uuid4().hex
        self._file.execute(
            "UPDATE ledger SET version = ?, columns = ?"
            " WHERE partition = ? AND key = ? AND version = ?",
            (following, json.dumps(row), *place, version),
        )
        return following

    def get(self, place: Place) -> object:
        """One statement."""
        return self._file.execute(
            "SELECT version, columns FROM ledger WHERE partition = ? AND key = ?", place
        ).fetchone()


def _entity(place: Place, row: Row) -> dict[str, str]:
    return {**row, "PartitionKey": place.partition, "RowKey": place.key}
