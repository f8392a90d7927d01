"""Messages in each kind's form: whatever a name says, they stay within the form and its bounds."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from requests.structures import CaseInsensitiveDict

from functions.adapters.http.transport import Answer
from functions.adapters.notices import addresses, answers, slack, teams, webhook
from functions.adapters.notices.wording import words
from functions.core.kept.notice import Message, Notice
from functions.core.terms.errors import Permanent, Retryable
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key
from functions.core.terms.words import Happening, Outcome
from local.chat import strict
from tests.flow.notices.people import CARD, said, shown

AT = datetime(2026, 11, 30, 4, 5, tzinfo=UTC)
STUDIO = "https://ml.azure.com"
HOSTILE = (
    "<!channel> <@U1> &amp; *bold* _it_ ~no~ `code` [a](https://example.org) {{DATE(2026-01-01)}} "
    "<https://example.org|click> @{triggerBody()} ${run} | \\ \" ' # end"
)
LONG = "\N{CJK UNIFIED IDEOGRAPH-4E00}" * 5000


def notice(run: str = "plum_1", **more: Any) -> Notice:
    """One of a continuation that failed."""
    key = Key("/subscriptions/s/resourcegroups/g/providers/m/workspaces/w", run, *_ON)
    known: dict[str, Any] = {
        "channel": "slack/ops",
        "about": Happening.FAILED,
        "of": f"{run[:20]}",
        "at": AT,
        "since": AT,
        "key": key,
        "workspace": "ml-prod",
        "experiment": "defect-detection",
        "reason": str(Reason.REJECTED),
        **more,
    }
    return Notice(**known)


_ON = (Outcome.COMPLETED, "register-model")


def message(*notices: Notice) -> Message:
    """These together."""
    return Message(id="m1", at=AT, about=notices[0].about, notices=notices)


def card(of: Message) -> dict[str, Any]:
    """The card that a workflow gets, within its bounds and by the published schema."""
    body = teams.body(words(of, STUDIO)).encode()
    assert len(body) <= strict.LARGEST_CARD
    found = strict.card(body)
    assert found
    CARD.validate(found)
    return found


def posted(of: Message) -> dict[str, Any]:
    """What Slack gets and takes."""
    body = slack.body(words(of, STUDIO)).encode()
    assert strict.slack(body) == ""
    found: dict[str, Any] = json.loads(body)
    return found


MESSAGES = {
    "one": message(notice()),
    "hostile": message(notice(HOSTILE, experiment=HOSTILE, workspace=HOSTILE)),
    "long": message(
        *(notice(f"{n}{LONG}", experiment=LONG[:200], saw=LONG[:300]) for n in range(100))
    ),
    "gate": message(notice(about=Happening.GATE, reason="gate", saw="run.metrics.auc = 0.4")),
    "ended": message(notice(about=Happening.ENDED_BADLY, ended="failed", pipeline_run=7, url="x")),
    "secret": message(notice(about=Happening.CREDENTIAL, key=None, secret="a-pat", ends=AT)),
    "of another version": message(notice(about=Happening("deadline"), reason="another")),
    "a test": Message(id="m1", at=AT),
}


@pytest.mark.parametrize("of", MESSAGES.values(), ids=MESSAGES)
def test_every_message_has_the_form_that_each_kind_takes(of: Message) -> None:
    assert shown(card(of))
    assert said(posted(of))
    event = json.loads(webhook.body(of, words(of, STUDIO), "run-relay"))
    assert (event["specversion"], event["id"], event["source"]) == ("1.0", "m1", "run-relay")
    assert len(json.dumps(event)) < 100_000


def test_no_name_becomes_markdown_a_date_a_mention_or_a_link() -> None:
    of = MESSAGES["hostile"]
    found, text = card(of), said(posted(of))
    assert {block["type"] for block in found["body"]} == {"RichTextBlock"}
    assert {run["type"] for block in found["body"] for run in block["inlines"]} == {"TextRun"}
    assert "{{" not in shown(found)
    links = re.findall(r"<[^>]*>", text)
    assert [link.split("|")[1:] for link in links] == [["run>"]]
    assert links[0].startswith(f"<{STUDIO}/runs/")
    assert "&lt;!channel&gt;" in text
    assert text.count("`") % 2 == 0


def test_a_link_that_is_none_is_left_out() -> None:
    for url in ("javascript:alert(1)", "https://a.example/ x", "https://a.example/<b>", "//b"):
        of = message(notice(pipeline_run=7, url=url))
        assert url not in teams.body(words(of, STUDIO))
        assert "|pipeline run>" not in said(posted(of))


def test_ten_are_named_and_the_others_counted() -> None:
    of = message(*(notice(f"run-{n:03}") for n in range(40)))
    for text in (shown(card(of)), said(posted(of))):
        assert len(re.findall(r"run-\d{3}", re.sub(r"<.*?>", "", text))) == 10
        assert "and 30 more" in text


def test_a_signature_is_that_of_standard_webhooks() -> None:
    key = base64.b64encode(b"k" * 24).decode()
    body = webhook.body(MESSAGES["one"], words(MESSAGES["one"], STUDIO), "run-relay")
    found = webhook.headers(MESSAGES["one"], body, webhook.key_of(f"whsec_{key}"), AT)
    at = str(int(AT.timestamp()))
    signed = hmac.new(b"k" * 24, f"m1.{at}.{body}".encode(), hashlib.sha256).digest()
    assert found == {
        "Content-Type": "application/cloudevents+json; charset=UTF-8",
        "webhook-id": "m1",
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
    # the example of the specification's own libraries
    theirs = webhook.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert theirs
    payload = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    made = base64.b64encode(hmac.new(theirs, payload, hashlib.sha256).digest()).decode()
    assert made == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%", "k" * 40])
def test_what_is_no_key_signs_nothing(text: str) -> None:
    assert webhook.key_of(text) is None


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("teams", "https://prod-12.westeurope.logic.azure.com:443/workflows/x/triggers?sig=y"),
        ("teams", "https://default1.36.environment.api.powerplatform.com:443/powerautomate/x"),
        ("slack", "https://hooks.slack.com/services/T/B/x"),
        ("webhook", "https://a.hooks.contoso.com/x"),
        ("webhook", "http://127.0.0.1:8080/x"),
    ],
)
def test_where_it_is_sent_to(kind: str, address: str) -> None:
    assert addresses.refused(kind, address, ("*.hooks.contoso.com", "127.0.0.1")) == ""


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("slack", "https://prod-12.westeurope.logic.azure.com/x"),
        ("slack", "http://hooks.slack.com/services/T/B/x"),
        ("slack", "https://hooks.slack.com.example.org/services/T/B/x"),
        ("slack", "https://user@hooks.slack.com/services/T/B/x"),
        ("slack", "https://example.org\\@hooks.slack.com/x"),
        ("slack", "https://hooks.slack.com /x"),
        ("teams", "https://logic.azure.com/x"),
        ("teams", "https://evil-logic.azure.com.example/x"),
        ("webhook", "https://example.org/x"),
        ("webhook", "https://hooks.contoso.com/x"),
        ("webhook", "ftp://a.hooks.contoso.com/x"),
        ("webhook", ""),
    ],
)
def test_where_nothing_is_sent_to(kind: str, address: str) -> None:
    assert addresses.refused(kind, address, ("*.hooks.contoso.com",)) != ""


def answer(status: int, body: bytes = b"", kind: str = "", after: str = "") -> Answer:
    """An answer."""
    told = {"Content-Type": kind, "Retry-After": after}
    headers = CaseInsensitiveDict({name: text for name, text in told.items() if text})
    return Answer(status, headers, body)


@pytest.mark.parametrize(
    ("kind", "given", "raised"),
    [
        ("slack", answer(200, b"ok"), None),
        ("slack", answer(200, b"no"), Reason.REFUSED),
        ("slack", answer(400, b"no_text"), Permanent),
        ("slack", answer(400, b"user_not_found"), Reason.REFUSED),
        ("slack", answer(403, b"action_prohibited"), Reason.REFUSED),
        ("slack", answer(500, b"rollup_error"), Reason.UNAVAILABLE),
        ("teams", answer(202), None),
        ("teams", answer(200, b"<html>", kind="text/html"), Reason.REFUSED),
        ("teams", answer(400, b'{"error":{"code":"TriggerInputSchemaMismatch"}}'), Permanent),
        ("teams", answer(400, b'{"error":{"code":"WorkflowTriggerIsNotEnabled"}}'), Reason.REFUSED),
        ("teams", answer(413), Permanent),
        ("webhook", answer(204), None),
        ("webhook", answer(302), Reason.REFUSED),
        ("webhook", answer(410), Reason.REFUSED),
        ("webhook", answer(422), Permanent),
        ("webhook", answer(429, after="7"), Reason.THROTTLED),
    ],
)
def test_what_an_answer_means(
    kind: str, given: Answer, raised: Reason | type[Permanent] | None
) -> None:
    if raised is None:
        return answers.judge(kind, given)
    with pytest.raises((Permanent, Retryable)) as caught:
        answers.judge(kind, given)
    error = caught.value
    assert isinstance(error, Permanent) if raised is Permanent else error.reason is raised
    return None


def test_of_a_body_only_words_that_are_known_are_told() -> None:
    echo = answer(404, b"https://hooks.slack.com/services/T/B/secret")
    with pytest.raises(Retryable) as caught:
        answers.judge("slack", echo)
    assert caught.value.detail == "slack answered 404"


def test_the_same_notices_have_the_same_id_and_others_another() -> None:
    one = notice()
    assert one.id == replace(one, since=datetime.now(UTC)).id
    assert len({one.id, replace(one, channel="x").id, replace(one, of="x").id}) == 3
