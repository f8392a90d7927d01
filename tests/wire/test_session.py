"""What the environment says of requests is heeded, though it is looked at once per host only."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from flask import Flask, request
from requests.structures import CaseInsensitiveDict

from functions.adapters.clock import SystemClock
from functions.adapters.http.losses import NotSentError
from functions.adapters.http.session import SdkSession, SteadySession
from functions.adapters.http.transport import Transport
from functions.adapters.tables.opening import open_table
from functions.adapters.tables.rows import TableLedger
from functions.core.terms.deadline import Deadline
from local.serving.names import LOOPBACK
from local.serving.web import Server
from tests.stage.azurite import ACCOUNT, ACCOUNT_KEY
from tests.stage.proxies import behind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FAR, EMPTY = "http://far.invalid", b'{"value": []}'


class Proxy(ThreadingHTTPServer):
    """Answers everything itself, with an empty list."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Answer)
        self.asked: list[tuple[str, str]] = []
        self.agents: list[list[str] | None] = []
        self.url = f"http://{LOOPBACK}:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path.partition("?")[0]))
        self.server.agents.append(self.headers.get_all("User-Agent"))
        self.send_response(200)
        self.send_header("Content-Length", str(len(EMPTY)))
        self.end_headers()
        self.wfile.write(EMPTY)

    do_POST = do_GET  # noqa: N815 - as the base class calls it

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The environment sends everything to it, but for one host."""
    with Proxy() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        behind(server.url, monkeypatch)
        yield server
        server.shutdown()
        thread.join()


def deadline() -> Deadline:
    return Deadline(SystemClock(), 20)


def test_reads_and_effects_go_through_the_proxy_of_the_environment(proxy: Proxy) -> None:
    transport = Transport()
    transport.read(f"{FAR}/run", "Bearer token", deadline())
    transport.effect(f"{FAR}/start", "Bearer token", headers={}, body="{}")
    assert proxy.asked == [("GET", f"{FAR}/run"), ("POST", f"{FAR}/start")]


def test_so_do_the_ledger_s_tables(proxy: Proxy) -> None:
    where = (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        f"TableEndpoint={FAR}/{ACCOUNT};"
    )
    ledger = TableLedger(open_table("continuations", connection_string=where), sleep=lambda _: None)
    ledger.due(datetime.now(UTC), limit=1)
    assert {address.startswith(f"{FAR}/{ACCOUNT}/") for _, address in proxy.asked} == {True}


def test_a_host_that_needs_no_proxy_is_asked_itself(proxy: Proxy) -> None:
    session = SteadySession()
    assert session.around(f"{FAR}/run").proxies["http"] == proxy.url
    assert "http" not in session.around("http://near.invalid/run").proxies


def test_a_session_that_is_made_later_goes_by_the_environment_of_then(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SteadySession().around(FAR).proxies["http"] == proxy.url
    monkeypatch.setenv("http_proxy", "http://other.invalid")
    assert SteadySession().around(FAR).proxies["http"] == "http://other.invalid"
    monkeypatch.setenv("no_proxy", "far.invalid")
    assert "http" not in SteadySession().around(FAR).proxies


def test_the_certificates_of_the_environment_are_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    session = SteadySession()
    assert session.around("https://far.invalid").verify == str(tmp_path / "ca.pem")
    merged = session.merge_environment_settings("https://far.invalid", {}, None, True, None)
    assert merged["verify"] == str(tmp_path / "ca.pem")


def test_no_login_of_a_netrc_replaces_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n", "utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    app, seen = Flask("service"), []

    @app.get("/")
    def answer() -> str:
        seen.append(request.headers["Authorization"])
        return "{}"

    with Server(app) as server:
        Transport().read(f"{server.url}/", "Bearer ours", deadline())
        SteadySession().get(f"{server.url}/", headers={"Authorization": "ours"}, timeout=30)
    assert seen == ["Bearer ours", "ours"]


@pytest.mark.parametrize(("login", "name"), [("Bearer a\nb", "ours"), ("Bearer a", "o\r\nurs")])
def test_what_no_header_can_hold_is_not_sent(login: str, name: str, proxy: Proxy) -> None:
    for _ in range(2):
        with pytest.raises(NotSentError, match="InvalidHeader"):
            Transport().effect(f"{FAR}/start", login, headers={"Name": name}, body="{}")
    assert proxy.asked == []


def test_a_header_of_an_sdk_takes_the_place_of_ours_in_any_case(proxy: Proxy) -> None:
    theirs = CaseInsensitiveDict({"user-agent": "an SDK"})
    SdkSession().request("GET", f"{FAR}/", headers=theirs, data=None)
    assert proxy.agents == [["an SDK"]]
