"""The frame of every page: head, style, script, and what the browser may do with it all.

Nothing is loaded from anywhere: style and script stand in the page, and the policy names each by
its hash. https://developer.mozilla.org/docs/Web/HTTP/Guides/CSP
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from functions.headers import ALWAYS
from functions.web.html import Child, Markup, tag
from functions.web.words import clock

if TYPE_CHECKING:
    from datetime import datetime

HERE = Path(__file__).parent
REFRESHED_AFTER = 30  # seconds
NO_SCRIPT = "Without script this page does not renew itself, and its links do not carry the key on."
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath "
    "d='M2 8h7M6 4l4 4-4 4M13 3v10' fill='none' stroke='%232563eb' stroke-width='2'/%3E%3C/svg%3E"
)


@cache
def source(name: str) -> Markup:
    """A file of this folder, for the inside of its element."""
    return Markup((HERE / name).read_text("utf-8"))


@cache
def headers() -> dict[str, str]:
    """What is sent with every page. The address may hold a key: it goes nowhere and is not kept."""
    policy = [
        "default-src 'none'",
        f"style-src {_hash('page.css')}",
        f"script-src {_hash('page.js')}",
        "img-src data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    return {**ALWAYS, "Content-Security-Policy": "; ".join(policy), "Vary": "Accept"}


def page(title: str, *content: Child, at: datetime | None = None) -> str:
    """A whole page. With `at`, the time it is of, it refreshes itself."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("title", f"{title} · Run Relay"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="robots", content="noindex"),
        tag("link", rel="icon", href=ICON),
        tag("style", source("page.css")),
    )
    body = tag(
        "body",
        tag("a", "Skip to the content", href="#content", class_="skip"),
        tag("header", tag("p", tag("a", "Run Relay", href="?"), class_="home"), _fresh(at)),
        tag("main", *content, id="content", tabindex=-1),
        tag("footer", tag("p", "Read-only. All times are UTC."), tag("noscript", NO_SCRIPT)),
        tag("script", source("page.js")),
    )
    return "<!doctype html>" + tag("html", head, body, lang="en", data_refresh=REFRESHED_AFTER)


def _fresh(at: datetime | None) -> Child:
    """How old the page is, and how to stop it from renewing itself; without script it does not."""
    if at is None:
        return None
    of = tag("span", "As of ", clock(at), " UTC", id="at")
    told = tag("span", role="status", id="status")
    return tag(
        "p", of, told, tag("button", "Pause refreshing", type="button", hidden=True, id="pause")
    )


def _hash(name: str) -> str:
    digest = hashlib.sha256(source(name).encode()).digest()
    return f"'sha256-{b64encode(digest).decode()}'"
