"""Repositories, files and apps as JSON.

https://docs.github.com/rest/repos/repos#get-a-repository
https://docs.github.com/rest/repos/contents#get-repository-content
https://docs.github.com/rest/apps/apps
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from local.github.shown.basics import Json, Urls, node_id, told, user

if TYPE_CHECKING:
    from local.github.access.apps import App, Installation
    from local.github.access.callers import Caller
    from local.github.repositories import Repository

_PATHS = {
    "archive": "{/archive_format}{/ref}",
    "assignees": "{/user}",
    "blobs": "git/blobs{/sha}",
    "branches": "{/branch}",
    "collaborators": "{/collaborator}",
    "comments": "{/number}",
    "commits": "{/sha}",
    "compare": "{/base}...{head}",
    "contents": "{+path}",
    "contributors": "",
    "deployments": "",
    "downloads": "",
    "events": "",
    "forks": "",
    "git_commits": "git/commits{/sha}",
    "git_refs": "git/refs{/sha}",
    "git_tags": "git/tags{/sha}",
    "hooks": "",
    "issue_comment": "issues/comments{/number}",
    "issue_events": "issues/events{/number}",
    "issues": "{/number}",
    "keys": "{/key_id}",
    "labels": "{/name}",
    "languages": "",
    "merges": "",
    "milestones": "{/number}",
    "notifications": "{?since,all,participating}",
    "pulls": "{/number}",
    "releases": "{/id}",
    "stargazers": "",
    "statuses": "{/sha}",
    "subscribers": "",
    "subscription": "",
    "tags": "",
    "teams": "",
    "trees": "git/trees{/sha}",
}
_COUNTS = (
    "forks",
    "forks_count",
    "open_issues",
    "open_issues_count",
    "size",
    "stargazers_count",
    "watchers",
    "watchers_count",
)


def minimal(urls: Urls, one: Repository) -> Json:
    """A repository as it stands inside a run."""
    api = f"{urls.api}/repos/{one.full_name}"
    links = {f"{name}_url": f"{api}/{_path(name, end)}" for name, end in _PATHS.items()}
    return {
        "id": one.id,
        "node_id": node_id("Repository", one.id),
        "name": one.name,
        "full_name": one.full_name,
        "private": one.private,
        "owner": user(urls, one.owner, "Organization"),
        "html_url": f"{urls.web}/{one.full_name}",
        "description": None,
        "fork": False,
        "url": api,
        **links,
    }


def full(urls: Urls, one: Repository, version: str) -> Json:
    """A repository on its own."""
    return {**plain(urls, one, version), "network_count": 0, "subscribers_count": 0}


def plain(urls: Urls, one: Repository, version: str) -> Json:
    """A repository in a list; a later version of the API leaves `has_downloads` out."""
    web, host = f"{urls.web}/{one.full_name}", urlsplit(urls.web).hostname
    has = {f"has_{what}": what == "issues" for what in ("issues", "projects", "wiki", "pages")}
    return {
        **minimal(urls, one),
        **dict.fromkeys(_COUNTS, 0),
        **has,
        **({"has_downloads": True} if version < "2026-03-10" else {}),
        "has_discussions": False,
        "git_url": f"git://{host}/{one.full_name}.git",
        "ssh_url": f"git@{host}:{one.full_name}.git",
        "clone_url": f"{web}.git",
        "svn_url": web,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "archived": one.archived,
        "disabled": False,
        "visibility": "private" if one.private else "public",
        "default_branch": one.default_branch,
        "topics": [],
        "created_at": told(one.created_at),
        "updated_at": told(one.created_at),
        "pushed_at": told(one.created_at),
    }


def file(urls: Urls, one: Repository, path: str, ref: str, text: str) -> Json:
    """A file with its content in Base64, 60 signs a line, as it comes without a media type."""
    raw, name = text.encode(), path.rpartition("/")[2]
    header = f"blob {len(raw)}\0".encode()
    sha = hashlib.sha1(header + raw, usedforsecurity=False).hexdigest()
    here = f"{urls.api}/repos/{one.full_name}/contents/{quote(path)}?ref={quote(ref)}"
    git = f"{urls.api}/repos/{one.full_name}/git/blobs/{sha}"
    page = f"{urls.web}/{one.full_name}/blob/{quote(ref)}/{quote(path)}"
    encoded = base64.b64encode(raw).decode()
    lines = [encoded[at : at + 60] + "\n" for at in range(0, len(encoded), 60)]
    return {
        "name": name,
        "path": path,
        "sha": sha,
        "size": len(raw),
        "url": here,
        "html_url": page,
        "git_url": git,
        "download_url": None,
        "type": "file",
        "content": "".join(lines),
        "encoding": "base64",
        "_links": {"self": here, "git": git, "html": page},
    }


def app(urls: Urls, one: App, installations: int) -> Json:
    """An app, to itself."""
    return {
        "id": one.id,
        "client_id": one.client_id,
        "slug": one.slug,
        "node_id": node_id("Integration", one.id),
        "owner": user(urls, one.owner, "Organization"),
        "name": one.slug,
        "description": "",
        "external_url": f"{urls.web}/{one.owner}",
        "html_url": f"{urls.web}/apps/{one.slug}",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "permissions": dict(one.permissions),
        "events": [],
        "installations_count": installations,
    }


def installation(urls: Urls, one: Installation) -> Json:
    """Where an app is installed."""
    account = user(urls, one.account, "Organization")
    return {
        "id": one.id,
        "client_id": one.app.client_id,
        "account": account,
        "repository_selection": "all" if one.repositories is None else "selected",
        "access_tokens_url": f"{urls.api}/app/installations/{one.id}/access_tokens",
        "repositories_url": f"{urls.api}/installation/repositories",
        "html_url": f"{urls.web}/organizations/{one.account}/settings/installations/{one.id}",
        "app_id": one.app.id,
        "app_slug": one.app.slug,
        "target_id": account["id"],
        "target_type": "Organization",
        "permissions": dict(one.permissions),
        "events": [],
        "created_at": told(one.created_at),
        "updated_at": told(one.suspended_at or one.created_at),
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": told(one.suspended_at) if one.suspended_at else None,
    }


def token(secret: str, caller: Caller, *, everywhere: bool) -> Json:
    """The token that an installation gets; which repositories it is for is told if not all."""
    assert caller.expires_at  # noqa: S101 - an installation's token always ends
    return {
        "token": secret,
        "expires_at": told(caller.expires_at),
        "permissions": dict(caller.permissions),
        "repository_selection": "all" if everywhere else "selected",
    }


def _path(name: str, end: str) -> str:
    """The end of a link: a path of its own, or what is known of the collection's."""
    if name == "archive":
        return end
    return end if end[:1].isalpha() else f"{name}{'/' if end.startswith('{+') else ''}{end}"
