"""What every answer is made of: where things are, times, node ids, and users."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

Json = dict[str, object]


@dataclass(frozen=True)
class Urls:
    """Where this service is: `api` for programs, `web` for people. Without a trailing slash."""

    api: str
    web: str


def told(moment: datetime) -> str:
    """A time as the API writes it: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, number: int) -> str:
    """What GraphQL would call it."""
    return base64.b64encode(f"0:{kind}{number}".encode()).decode()


def user(urls: Urls, login: str, kind: str = "User") -> Json:
    """An account; its id is the same in every process."""
    number, api = zlib.crc32(login.lower().encode()), f"{urls.api}/users/{login}"
    return {
        "login": login,
        "id": number,
        "node_id": node_id(kind, number),
        "avatar_url": f"{urls.web}/avatars/u/{number}",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{urls.web}/{login}",
        "followers_url": f"{api}/followers",
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{api}/subscriptions",
        "organizations_url": f"{api}/orgs",
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events{{/privacy}}",
        "received_events_url": f"{api}/received_events",
        "type": kind,
        "site_admin": False,
    }


def actor(urls: Urls, login: str) -> Json:
    """Who started a run: a person, or an app."""
    return user(urls, login, "Bot" if login.endswith("[bot]") else "User")
