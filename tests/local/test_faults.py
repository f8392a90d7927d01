"""Faults that are bounded by request, as the control interface takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from flask import Flask, request

from local.web import Server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def echo() -> Iterator[Server]:
    app = Flask("echo")

    @app.post("/echo")
    def say_again() -> bytes:
        return request.get_data()

    with Server(app) as running:
        yield running


def post(server: Server, path: str, body: str) -> requests.Response:
    return requests.post(f"{server.url}{path}", data=body, timeout=10)


def test_a_fault_bounded_per_request_spares_the_same_request_and_hits_the_next(
    echo: Server,
) -> None:
    post(echo, "/_local/faults", '{"status": 503, "times": 9, "per_request": 1}')
    told = [post(echo, "/echo", body).status_code for body in ("a", "a", "b", "a", "b")]
    assert told == [503, 200, 503, 200, 200]


def test_a_request_that_a_pending_fault_spares_arrives_whole(echo: Server) -> None:
    post(echo, "/_local/faults", '{"status": 503, "path": "/other"}')
    assert post(echo, "/echo", "all of it").text == "all of it"
