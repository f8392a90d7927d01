"""The operations page as a program sees it: who gets in, the headers, and the same data as JSON."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from functions.core.terms.runs import Workspace
from functions.core.terms.words import State
from tests.page import scene
from tests.page.conftest import KEY, serving
from tests.page.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.page.conftest import Site

JSON = {"Accept": "application/json"}
SOMEBODY = {"X-MS-CLIENT-PRINCIPAL-ID": "5f1c", "X-MS-CLIENT-PRINCIPAL": "e30="}


@pytest.fixture(scope="module")
def signed_in_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The app behind App Service authentication, as its settings say."""
    path = tmp_path_factory.mktemp("page") / "ledger.db"
    with serving(path, OPERATIONS_AUTH="entra") as running:
        yield running


# who gets in


@pytest.mark.parametrize("headers", [{}, {"x-functions-key": "wrong"}, SOMEBODY])
@pytest.mark.parametrize("code", [None, "wrong", KEY[:-1], KEY.upper()])
def test_without_the_key_there_is_a_401_and_no_hint(
    site: Site, code: str | None, headers: dict[str, str]
) -> None:
    answer = site.get(code, headers)
    assert (answer.status_code, answer.text) == (401, "")


@pytest.mark.parametrize(("code", "headers"), [(KEY, {}), (None, {"x-functions-key": KEY})])
def test_the_key_lets_in_by_query_and_by_header(
    site: Site, code: str | None, headers: dict[str, str]
) -> None:
    assert site.get(code, headers).status_code == 200


def test_who_has_not_signed_in_gets_a_401_and_no_hint(signed_in_site: Site) -> None:
    for headers in ({}, {"x-functions-key": KEY}, {"X-MS-CLIENT-PRINCIPAL-ID": ""}):
        answer = signed_in_site.get(KEY, headers)
        assert (answer.status_code, answer.text) == (401, "")


def test_who_has_signed_in_gets_in_without_a_key(signed_in_site: Site) -> None:
    assert signed_in_site.get(None, SOMEBODY).status_code == 200


def test_the_page_is_read_only(site: Site) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert requests.request(method, site.address(), timeout=60).status_code == 404


# headers


def test_the_browser_may_load_and_frame_nothing(site: Site) -> None:
    answer = site.get()
    policy = dict(
        p.partition(" ")[::2] for p in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == policy["connect-src"] == "'self'"
    assert re.fullmatch(r"'sha256-[\w+/=]+'", policy["script-src"])
    assert re.fullmatch(r"'sha256-[\w+/=]+'", policy["style-src"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("code", "query", "status"),
    [
        (KEY, {}, 200),
        (KEY, {"state": "nonsense"}, 400),
        (KEY, {"key": "a/b/Completed"}, 404),
        ("wrong", {}, 401),
        (None, {}, 401),
    ],
)
def test_no_answer_is_kept_or_sent_without_tls_or_opened_beside_another(
    site: Site, code: str | None, query: dict[str, str], status: int
) -> None:
    answer = site.get(code, None, **query)
    assert answer.status_code == status
    safe(answer)


def test_neither_is_what_somebody_sees_who_has_not_signed_in(signed_in_site: Site) -> None:
    answer = signed_in_site.get(None)
    assert answer.status_code == 401
    safe(answer)


def safe(answer: requests.Response) -> None:
    """What a browser may do with it: keep it nowhere, and use nothing of the machine."""
    found = answer.headers
    assert found["Cache-Control"] == "no-store"
    assert re.fullmatch(r"max-age=\d{8}", found["Strict-Transport-Security"])
    assert found["Cross-Origin-Opener-Policy"] == "same-origin"
    denied = {each for each in found["Permissions-Policy"].split(", ") if each.endswith("=()")}
    assert {"camera=()", "microphone=()", "geolocation=()", "usb=()"} <= denied
    assert found["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in found["Content-Security-Policy"]


@pytest.mark.parametrize(
    "query", [{}, {"key": "register-model/train-000/Completed"}, {"state": "nonsense"}]
)
def test_nothing_in_the_page_needs_a_weaker_policy(site: Site, query: dict[str, str]) -> None:
    found = Reader(site.get(code=KEY, headers=None, **query).text).found
    names = {name for _, attributes in found for name, _ in attributes}
    assert not {name for name in names if name.startswith("on")} | (names & {"style", "src"})
    loaded = [dict(attributes)["href"] or "" for tag, attributes in found if tag == "link"]
    assert [address.partition(",")[0] for address in loaded] == ["data:image/svg+xml"]


# mistakes


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ({"state": "sleeping"}, 400, "state is one of open, started, held, skipped, failed"),
        ({"state": "open,sleeping"}, 400, "or several with commas"),
        ({"reason": "sleepy"}, 400, "reason is one of working"),
        ({"during": "noon/1h"}, 400, "during is like"),
        ({"during": "9999-12-31T00:00:00Z/99w"}, 400, "during is like"),
        ({"order": "up"}, 400, "order is empty or oldest"),
        ({"since": "yesterday"}, 400, "since is a length of time such as 30m, 24h or 7d"),
        ({"since": "999999d"}, 400, "since is a length of time such as 30m, 24h or 7d"),
        ({"offset": "-1"}, 400, "offset is a number"),
        ({"limit": "٣"}, 400, "limit is a number"),
        ({"key": "nonsense"}, 400, "is no KEY"),
        ({"key": "a/b/Completed@/subscriptions/x"}, 400, "workspace"),
        ({"key": "a/b/Completed"}, 404, "is not in the ledger"),
    ],
)
def test_a_mistake_in_the_address_is_explained(
    site: Site, query: dict[str, str], status: int, told: str
) -> None:
    for headers in ({}, JSON):
        answer = site.get(headers=headers, **query)
        assert answer.status_code == status
        assert told in answer.text


def test_a_ledger_that_cannot_be_read_is_a_503_as_json_too(broken_site: Site) -> None:
    answer = broken_site.get(headers=JSON)
    assert answer.status_code == 503
    assert answer.json()["error"] == "The ledger cannot be read"


def test_a_missing_setting_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving(tmp_path_factory.mktemp("page") / "l", LEDGER_URL="") as bare:
        answer = bare.get()
        assert answer.status_code == 503
        assert "set AzureWebJobsStorage" in answer.text
        assert "Traceback" not in answer.text


def test_a_key_of_several_workspaces_lets_one_choose(tmp_path_factory: Any) -> None:
    with serving(tmp_path_factory.mktemp("page") / "ledger.db") as twice:
        now = datetime.now().astimezone()
        for name in ("ml-one", "ml-two"):
            where = Workspace("5f1c", "rg-ml", name)
            scene.put(twice.ledger, scene.claimed(scene.news("r", now, workspace=where), "a"))
        answer = twice.get(headers=JSON, key="a/r/Completed")
        assert answer.status_code == 409
        assert answer.json()["keys"] == ["a/r/Completed@ml-one", "a/r/Completed@ml-two"]
        assert twice.json(key=answer.json()["keys"][1])["name"] == "a/r/Completed@ml-two"
        assert "?key=a%2Fr%2FCompleted%40ml-one" in twice.get(key="a/r/Completed").text


# JSON


def test_the_json_has_what_the_page_shows(site: Site) -> None:
    found = site.json(q="train-000")
    (one,) = found["continuations"]
    assert (found["total"], found["next"]) == (1, None)
    assert found["counts"] == {"open": 5, "started": 67, "held": 13, "skipped": 4, "failed": 7}
    assert sum(group["continuations"] for group in found["wants"]) == 20
    assert (one["state"], one["pipeline_run"], one["latency_seconds"]) == ("started", 4000, 6.0)
    assert found["secrets"][1] == {"name": "other-pat", "ends": None}
    assert site.json(key=one["key"])["name"] == "register-model/train-000/Completed@ml-prod"


def test_the_pages_of_the_json_hold_everything_once_and_no_key(site: Site) -> None:
    keys: list[str] = []
    following: dict[str, str] | None = {"limit": "40"}
    while following is not None:
        found = site.json(**following)
        assert KEY not in str(found)
        keys += [one["key"] for one in found["continuations"]]
        following = (
            dict(part.split("=") for part in found["next"][1:].split("&"))
            if found["next"]
            else None
        )
    assert len(keys) == len(set(keys)) == found["total"] == 96


def test_one_continuation_as_json_has_its_facts_and_no_secret_variable(site: Site) -> None:
    one = site.json(key="register-model/train-000/Completed@ml-prod")
    assert one["parameters"]["run_id"] == "train-000"
    assert one["variables"] == {"token": "***"}
    assert [step["what"] for step in one["history"]] == ["claimed", "asked", "started"]
    assert one["means"].startswith("the pipeline run exists")


def test_hostile_text_comes_through_json_as_it_is(site: Site) -> None:
    (listed,) = site.json(q="run<b>")["continuations"]
    one = site.json(key=listed["key"])
    assert one["tags"] == scene.HOSTILE_TAGS
    assert one["state"] == State.HELD


def test_a_browser_that_takes_both_gets_the_page(site: Site) -> None:
    both = "text/html,application/xhtml+xml,application/json;q=0.9"
    assert site.get(headers={"Accept": both}).text.startswith("<!doctype html>")


def test_a_paused_app_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving(tmp_path_factory.mktemp("page") / "ledger.db", PAUSED="1") as paused:
        assert "nothing is started while PAUSED=1" in paused.get().text
        assert paused.json()["paused"] is True


def test_what_stops_everything_is_above_all_else_and_first_in_the_json(empty_site: Site) -> None:
    grave, minor = empty_site.json()["stops"]
    assert (grave["kind"], grave["grave"]) == ("routes_unreadable", True)
    assert grave["says"].startswith("The route file cannot be read, so no event is looked at. ")
    assert "gone.yaml: cannot be read" in grave["says"]
    assert (grave["waits"], minor["kind"], minor["grave"]) == (0, "setting_ignored", False)
    text = Reader(empty_site.get().text).text
    heading = text.index("Operations", text.index("As of"))
    told = [text.index(what) for what in (grave["what"], *grave["more"], minor["what"])]
    assert [*sorted(told), heading] == [*told, heading]
    assert told[-1] < heading
    assert f"To do: {grave['do']}" in text
