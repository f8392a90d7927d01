"""The api-version rules: which versions the local Azure DevOps serves, and how it refuses others.

https://learn.microsoft.com/azure/devops/integrate/concepts/rest-api-versioning
"""

from __future__ import annotations

import re

from local.devops.errors import Refusal

_VERSION = re.compile(r"(\d+\.\d+)(-preview(?:\.(\d+))?)?")
_RELEASED = {"5.0", "5.1", "6.0", "7.0", "7.1"}
_PREVIEW = {*_RELEASED, "6.1", "7.2"}
_OLD = {"2.0", "3.0", "3.1", "3.2", "4.0", "4.1"}


def require_version(
    method: str, query: str | None, accept: str, *, preview_only: bool, old: bool = False
) -> None:
    """Raise a 400 Refusal unless the request names a version that is served.

    The version stands in the query or in the Accept header (`application/json;api-version=7.1`).
    Only a GET or OPTIONS may leave it out. 7.2 is in preview: `7.2-preview.1`. `old` resources
    are served from 2.0 on, with or without the preview flag.
    """
    found = re.search(r"api-version=([^;,\s]+)", accept)
    asked = query or (found[1] if found else None)
    if asked is None:
        if method not in {"GET", "OPTIONS"}:
            raise _unspecified(method)
        return
    match = _VERSION.fullmatch(asked)
    if not (old and match and match[1] in _OLD):
        _serve(asked, match, preview_only=preview_only)


def _serve(asked: str, match: re.Match[str] | None, *, preview_only: bool) -> None:
    if match is None or match[1] not in _PREVIEW:
        raise _out_of_range(asked)
    if match[1] == "7.2" and match[3] not in {None, "1"}:
        raise _out_of_range(asked)
    if match[2] is None and (preview_only or match[1] not in _RELEASED):
        raise _preview(asked)


def _unspecified(method: str) -> Refusal:
    message = (
        f'No api-version was supplied for the "{method}" request. The version must be supplied '
        'either as part of the Accept header (e.g. "application/json; api-version=1.0") or as a '
        'query parameter (e.g. "?api-version=1.0").'
    )
    return Refusal(400, "VssVersionNotSpecifiedException", message)


def _preview(asked: str) -> Refusal:
    message = (
        f'The requested version "{asked}" of the resource is under preview. The -preview flag '
        "must be supplied in the api-version for such requests. "
        f'For example: "{asked}-preview"'
    )
    return Refusal(400, "VssInvalidPreviewVersionException", message)


def _out_of_range(asked: str) -> Refusal:
    message = (
        f"The requested REST API version of {asked} is out of range for this server. "
        "The latest REST API version this server supports is 7.2."
    )
    return Refusal(400, "VssVersionOutOfRangeException", message)
