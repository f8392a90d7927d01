"""Faults that are bounded by request, as the control interface takes them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests
from flask import Flask, request

from local.serving.web import Server

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


def test_answers_leave_late_the_first_on_a_connection_later_and_requests_arrive_before() -> None:
    app = Flask("late")
    app.add_url_rule("/", view_func=lambda: "here")
    with Server(app) as server, requests.Session() as client:
        server.lag, server.greeting = 0.1, 0.2
        for late in (0.3, 0.1):
            client.get(server.url, timeout=60)
            assert time.time() - server.requests[-1].at >= late
