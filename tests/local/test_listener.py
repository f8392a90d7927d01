"""A port that serves one app after the other: nothing of the one before reaches the next."""

from __future__ import annotations

import threading
from contextlib import suppress
from http.client import HTTPConnection
from socket import create_connection
from typing import TYPE_CHECKING

import pytest
import requests

from local.cloud import SECRET, WORKSPACE, Ground
from local.serving.apps import LocalFlask
from local.serving.faults import Fault
from local.serving.listener import Listener
from local.serving.names import LOOPBACK
from local.serving.web import Server
from tests.stage.grounds import Grounds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import Cloud

SERVICES = ("identity", "vault", "arm", "aml", "devops")


@pytest.fixture
def lent() -> Iterator[Listener]:
    with Listener() as listener:
        yield listener


@pytest.fixture
def own(certificates: Path) -> Iterator[Grounds]:
    grounds = Grounds(certificates)
    yield grounds
    grounds.close()


def served(listener: Listener, said: str) -> Server:
    app = LocalFlask()
    app.add_url_rule("/", view_func=lambda: said)
    return Server(app, listener)


def get(server: Server, path: str = "/") -> requests.Response:
    return requests.get(f"{server.url}{path}", timeout=30)


def test_one_app_follows_another_on_the_same_port(lent: Listener) -> None:
    with served(lent, "first") as first:
        assert get(first).text == "first"
    with served(lent, "second") as second:
        assert second.url == first.url
        assert get(second).text == "second"
    assert [r.path for r in second.requests] == ["/"]


def test_a_port_that_serves_nothing_answers_nothing(lent: Listener) -> None:
    with served(lent, "first") as first:
        pass
    with pytest.raises(requests.ConnectionError):
        get(first)


def test_a_kept_connection_does_not_outlive_its_app(lent: Listener) -> None:
    kept = HTTPConnection(LOOPBACK, lent.port, timeout=30)
    kept.auto_open = False
    kept.connect()
    with served(lent, "first"):
        kept.request("GET", "/")
        assert kept.getresponse().read() == b"first"
    with served(lent, "second") as second, suppress(OSError):
        kept.request("GET", "/")
        assert kept.getresponse().read() == b""
    assert second.requests == []


def test_a_hanging_request_ends_with_its_app(lent: Listener) -> None:
    ended = threading.Event()

    def ask(server: Server) -> None:
        with pytest.raises(requests.ConnectionError):
            get(server, "/hangs")
        ended.set()

    with served(lent, "first") as first:
        first.faults.add(Fault(path="/hangs", hang=True, after=True))
        asking = threading.Thread(target=ask, args=[first])
        asking.start()
        while first.faults.waiting:
            get(first)
    asking.join()
    assert ended.is_set()
    with served(lent, "second") as second:
        assert get(second).text == "second"
    assert len(second.requests) == 1


def test_faults_end_with_their_app(lent: Listener) -> None:
    with served(lent, "first") as first:
        first.faults.add(Fault(status=503, times=99))
    with served(lent, "second") as second:
        assert get(second).text == "second"


def test_a_server_that_is_stopped_gives_a_lent_port_back(lent: Listener) -> None:
    with served(lent, "first") as first:
        first.stop()
        with pytest.raises(requests.ConnectionError, match="refused"):
            get(first)
    assert lent.ended


def test_who_connects_and_says_nothing_holds_up_nobody(own: Grounds) -> None:
    with own.cloud("pat") as cloud:
        vault = cloud.vault.server
        with create_connection((LOOPBACK, vault.port)), create_connection((LOOPBACK, vault.port)):
            assert requests.get(vault.url, timeout=5, verify=cloud.bundle).status_code == 401


def test_what_is_in_hand_is_answered_before_a_port_is_given_back() -> None:
    app, asked, answers = LocalFlask(), threading.Event(), threading.Event()

    @app.get("/")
    def slowly() -> str:
        asked.set()
        answers.wait()
        return "whole"

    got: list[str] = []
    server = Server(app).start()
    asking = threading.Thread(target=lambda: got.append(get(server).text))
    asking.start()
    asked.wait()
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    while is_open(server.port):
        pass
    answers.set()
    stopping.join()
    asking.join()
    assert got == ["whole"]


def is_open(port: int) -> bool:
    """Whether somebody listens: a port that is closed during the handshake resets it."""
    closed = suppress(ConnectionRefusedError, ConnectionResetError)
    with closed, create_connection((LOOPBACK, port)):
        return True
    return False


def test_apps_with_the_same_paths_answer_each_for_itself() -> None:
    with Listener() as here, Listener() as there, served(here, "one") as one:
        other = served(there, "other").start()
        assert [get(one).text, get(other).text] == ["one", "other"]
        assert requests.post(one.url, timeout=30).status_code == 405


def test_a_cloud_after_another_is_as_new(own: Grounds) -> None:
    with own.cloud("pat-1") as first:
        change(first)
        token = first.identity.issue("https://management.azure.com")
        ports = [getattr(first, name).server.port for name in SERVICES if name != "vault"]
    with own.cloud("pat-2") as second:
        assert [getattr(second, n).server.port for n in SERVICES if n != "vault"] == ports
        assert [len(getattr(second, name).server.requests) for name in SERVICES] == [0] * 5
        assert [getattr(second, name).server.faults.waiting for name in SERVICES] == [0] * 5
        assert not second.identity.accepts(token, "https://management.azure.com")
        assert second.devops.runs == []
        assert second.vault.url != first.vault.url


def change(cloud: Cloud) -> None:
    """Use every service, and leave something behind in it."""
    cloud.aml.add_run("r1")
    cloud.arm.add_workspace(WORKSPACE, "http://elsewhere.invalid")
    cloud.vault.put(SECRET, "other")
    cloud.devops.refuse(cloud.pat)
    for name in SERVICES:
        server = getattr(cloud, name).server
        requests.get(server.url, timeout=30, verify=cloud.bundle)
        server.faults.add(Fault(status=500, times=9))


def test_clouds_at_the_same_time_have_ports_of_their_own(own: Grounds) -> None:
    with own.cloud("pat-1") as first, own.cloud("pat-2") as second:
        ports = {getattr(c, name).server.port for c in (first, second) for name in SERVICES}
    assert len(ports) == 10


def test_a_ground_that_lost_a_port_is_not_lent_again(own: Grounds) -> None:
    with own.cloud("pat-1") as first:
        first.devops.server.stop()
    with own.cloud("pat-2") as second:
        assert second.devops.url != first.devops.url
        assert requests.get(second.devops.url, timeout=30).status_code


def test_a_ground_holds_its_ports_only_while_it_is_entered(certificates: Path) -> None:
    with Ground(certificates) as ground:
        url = f"http://127.0.0.1:{ground.listeners['devops'].port}"
    with pytest.raises(requests.ConnectionError, match="refused"):
        requests.get(url, timeout=30)
