"""What authorizes a call: the `authorization` that a secret's text is made into, for its service.

A secret of one service must never reach the other: what has the form of the other's is refused.
"""

from __future__ import annotations

import base64

KEY = "-----BEGIN "  # how the text of a GitHub App's key begins
# https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
_OF_GITHUB = ("github_pat_", "ghp_", "gho_", "ghu_", "ghs_")


def basic(pat: str) -> str:
    """The header value for a PAT: HTTP Basic with an empty user name.

    https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate
    """
    return "Basic " + base64.b64encode(f":{pat}".encode()).decode()


def to_devops(text: str) -> str:
    """The header value for Azure DevOps; raises ValueError, which does not tell the text."""
    text = _bare(text)
    if any(form in text for form in (KEY, *_OF_GITHUB)):  # also in quotes, or behind other lines
        raise ValueError("it is a secret of GitHub's, and Azure DevOps is not told it")
    return basic(text)


def to_github(text: str) -> str:
    """The header value for GitHub, and a GitHub App's key as it is, which is never sent.

    Raises ValueError, which does not tell the text, for what is neither.
    """
    text = _bare(text)
    if text.startswith(KEY):
        return text
    if text.startswith(_OF_GITHUB) and text.isascii() and text.isprintable() and " " not in text:
        return f"Bearer {text}"
    raise ValueError("it is no token of GitHub's and no key of a GitHub App: GitHub is not told it")


def _bare(text: str) -> str:
    """The text without what nobody sees around it: a file's byte order mark, a line end."""
    seen = [at for at, letter in enumerate(text) if letter.isprintable() and not letter.isspace()]
    if seen:
        return text[seen[0] : seen[-1] + 1]
    raise ValueError("nothing of its value can be seen")
