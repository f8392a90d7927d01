"""Whether bytes left, how long it may take, and how much is read."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import TYPE_CHECKING, Literal

import pytest
from flask import Flask, request
from requests.structures import CaseInsensitiveDict

from functions.adapters.clock import SystemClock
from functions.adapters.http.losses import NoAnswerError, NotSentError
from functions.adapters.http.transport import MOST_ANSWERED, Answer, Answered, Transport
from functions.core.terms.deadline import Deadline
from local.serving.certificates import Authority
from local.serving.faults import Fault
from local.serving.web import Server
from tests.stage.proxies import Proxy, behind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(_app()) as running:
        yield running


def _app() -> Flask:
    app = Flask("remote")
    app.add_url_rule("/", view_func=_port_of_caller, methods=["GET", "POST"])
    return app


def _port_of_caller() -> dict[str, object]:
    return {"port": request.environ["REMOTE_PORT"]}


def deadline(seconds: float = 5) -> Deadline:
    return Deadline(SystemClock(), seconds)


def post(url: str) -> Answer:
    return effect(Transport(), url)


def effect(transport: Transport, url: str) -> Answer:
    return transport.effect(url, "Bearer x", headers={}, body="{}")


def test_a_closed_port_was_not_sent_to() -> None:
    with pytest.raises(NotSentError):
        post("http://127.0.0.1:1/")


def test_a_name_that_does_not_resolve_was_not_sent_to() -> None:
    with pytest.raises(NotSentError):
        post("http://nowhere.invalid/")


def test_a_certificate_that_nobody_trusts_was_not_sent_to(tmp_path: Path) -> None:
    with Server(Flask("remote"), tls=Authority(tmp_path).server_context()) as tls:
        with pytest.raises(NotSentError):
            post(tls.url)
        assert tls.requests == []


@pytest.mark.parametrize("fault", [Fault(drop="before"), Fault(drop="after")])
def test_a_connection_lost_after_sending_is_no_answer(server: Server, fault: Fault) -> None:
    server.faults.add(fault)
    with pytest.raises(NoAnswerError):
        post(server.url)


@pytest.mark.parametrize("drop", ["before", "after"])
@pytest.mark.parametrize("tunnel", [False, True])
def test_behind_a_proxy_too_a_connection_lost_after_sending_is_no_answer(
    drop: Literal["before", "after"],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    tunnel: bool,
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    tls = authority.server_context() if tunnel else None
    with Server(_app(), tls=tls) as server, Proxy() as proxy:
        behind(proxy.url, monkeypatch)
        transport = Transport()
        effect(transport, server.url)
        server.faults.add(Fault(drop=drop))
        with pytest.raises(NoAnswerError):  # on a connection that was kept
            effect(transport, server.url)
        server.faults.add(Fault(drop=drop))
        with pytest.raises(NoAnswerError):  # on a new one
            effect(Transport(), server.url)
    assert len(proxy.asked) == (2 if tunnel else 3)


@pytest.mark.parametrize("status", [403, 407, 502])
def test_what_a_proxy_opens_no_tunnel_for_was_not_sent(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with Proxy(refuses=status) as proxy:
        behind(proxy.url, monkeypatch)
        with pytest.raises(NotSentError):
            post("https://far.invalid/")
    assert proxy.asked == ["CONNECT far.invalid:443"]


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "http://nowhere.invalid:3128"])
@pytest.mark.parametrize("url", ["http://far.invalid/", "https://far.invalid/"])
def test_without_its_proxy_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch, proxy: str, url: str
) -> None:
    behind(proxy, monkeypatch)
    with pytest.raises(NotSentError):
        post(url)


def test_a_certificate_that_nobody_trusts_was_not_sent_to_behind_a_proxy_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = Authority(tmp_path).server_context()
    with Server(Flask("remote"), tls=tls) as server, Proxy() as proxy:
        behind(proxy.url, monkeypatch)
        with pytest.raises(NotSentError):
            post(server.url)
        assert server.requests == []


def test_an_effect_is_sent_once_and_a_read_twice(server: Server) -> None:
    server.faults.add(Fault(status=503, times=9, after=True))
    transport = Transport()
    assert transport.effect(server.url, "x", headers={}, body="").status == 503
    assert len(server.requests) == 1
    assert transport.read(server.url, "x", deadline()).status == 503
    assert len(server.requests) == 3


@pytest.mark.parametrize(("idle_seconds", "connections"), [(60, 1), (0, 2)])
def test_an_effect_does_not_trust_a_connection_that_was_idle(
    server: Server, idle_seconds: float, connections: int
) -> None:
    transport = Transport(idle_seconds)
    answers = [transport.effect(server.url, "x", headers={}, body="{}") for _ in range(2)]
    assert len({answer.json["port"] for answer in answers}) == connections


def test_nor_one_that_lay_idle_while_others_were_used(server: Server) -> None:
    transport = Transport(idle_seconds=0.5)
    first = effect(transport, server.url).json["port"]
    last, ends = first, time.monotonic() + 20
    while last == first and time.monotonic() < ends:
        last = effect(transport, server.url).json["port"]
    assert last != first


def test_a_redirect_is_an_answer_and_not_followed(server: Server) -> None:
    server.faults.add(Fault(status=302, headers={"Location": f"{server.url}/elsewhere"}))
    assert post(server.url).status == 302
    assert server.requests == []


def test_reads_end_within_the_deadline_when_nobody_answers(server: Server) -> None:
    server.faults.add(Fault(hang=True, times=9))
    allowed = deadline(0.6)
    with pytest.raises(NoAnswerError):
        Transport().read(server.url, "x", allowed)
    assert len(server.requests) <= 2
    server.faults.clear()


def test_an_answer_that_drips_without_end_is_cut_off() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    with _drip(head) as url, pytest.raises(NoAnswerError):
        Transport().read(url, "x", deadline(0.6))


def test_the_credential_goes_out_and_no_cookie_comes_back(server: Server) -> None:
    server.faults.add(Fault(status=200, headers={"Set-Cookie": "session=1; Path=/"}))
    transport = Transport()
    for _ in range(2):
        transport.read(server.url, "Bearer t", deadline())
    assert "Cookie" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "90"}, 90),
        ({"Retry-After": " 5 "}, 5),
        ({"Retry-After": formatdate(1000, usegmt=True), "Date": formatdate(940, usegmt=True)}, 60),
        ({"Retry-After": formatdate(1000, usegmt=True)}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-3"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_both_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert Answer(429, CaseInsensitiveDict(headers), b"").retry_after == seconds


class _drip:  # noqa: N801 - reads as what it does
    """A server that sends a head and then one byte at a time."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        self._listener.settimeout(5)
        connection, _ = self._listener.accept()
        with connection:
            connection.sendall(self._head)
            while not self._over.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return


def test_a_run_is_one_requests_whichever_threads_were_answered_with_it() -> None:
    answered, runs = Answered(), [n // 2 for n in range(6 * MOST_ANSWERED)]
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(answered.is_new, runs)) == 3 * MOST_ANSWERED
    assert len(answered._known) <= MOST_ANSWERED  # noqa: SLF001 - what it holds
