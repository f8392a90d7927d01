"""Puts the preview of a deployment on the pull request, as one comment that later runs rewrite.

    python pipelines/comment.py FILE

A comment is read by more people than a log, and kept with the pull request. So it tells which
resources and properties would change, and no value: not what stands behind a colon, and no line of
a kind that is not known here.

Reads what Azure Pipelines sets, and SYSTEM_ACCESSTOKEN, which the step must hand over. The build
service needs "Contribute to pull requests" on the repository. Exit codes: 0 done, 2 usage, 4 Azure
DevOps refused or could not be reached.
https://learn.microsoft.com/azure/devops/pipelines/build/variables
https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads
"""
# ruff: noqa: INP001 - a script beside the pipeline that runs it, no package

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = {"api-version": "7.1"}
TEXT, CLOSED = 1, 4  # a closed thread holds up no merge
LONGEST = 100_000  # characters; Azure DevOps takes 150,000
SECONDS = (5, 30)  # to connect, and to answer
USAGE, REFUSED = 2, 4
RIGHT = 'the build service needs "Contribute to pull requests" on the repository'

_SYMBOL = r"[-+~=*!x] "
_CHANGES = "Create|Delete|Modify|Deploy|Ignore|No ?[Cc]hange|NoEffect|Unsupported"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_RESOURCE = re.compile(
    rf" *{_SYMBOL}[A-Za-z]+(\.[A-Za-z]+)+(/[\w.()~-]+)+( \[\d{{4}}-[\w-]+\])?", re.ASCII
)
_PROPERTY = re.compile(
    rf"(?P<path> +({_SYMBOL})?[\w.$/-]+(:[\w.$/-]+)*:| *\]? *=>)(?P<value>( .*)?)", re.ASCII
)
_KNOWN = re.compile(
    rf"| *[\]}}]| *{_SYMBOL}({_CHANGES})|Scope: /[\w./()~-]+"
    r"|Resource (and property )?changes are indicated with (this symbol|these symbols):"
    r"|The deployment will update the following scopes?:?"
    r"|Resource changes: (no change|\d+ (to [a-z]+|no change|unsupported)"
    r"(, \d+ (to [a-z]+|no change|unsupported))*)\.",
    re.ASCII,
)
_SILENT = re.compile(r"Note: |You can help us improve the accuracy of the result")
_TEXT = re.compile(r'^"|=> "')  # a text begins
_ENDS = re.compile(r'(?<!=> )"$|=> (null|true|false|[-\d.]+|\[\]?|\{\})$')


class PullRequest:
    """The threads of the pull request that this run is about. Raises KeyError without one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        collection, project, repository, number, token = (
            environ[name]
            for name in (
                "SYSTEM_COLLECTIONURI",
                "SYSTEM_TEAMPROJECTID",
                "BUILD_REPOSITORY_ID",
                "SYSTEM_PULLREQUEST_PULLREQUESTID",
                "SYSTEM_ACCESSTOKEN",
            )
        )
        path = f"{project}/_apis/git/repositories/{repository}/pullRequests/{number}/threads"
        self._url = f"{collection.rstrip('/')}/{path}"
        self._headers = {"Authorization": f"Bearer {token}", "X-TFS-FedAuthRedirect": "Suppress"}

    def tell(self, mark: str, text: str) -> None:
        """Write the comment that begins with this mark, or write it anew."""
        comment = {"content": f"{mark}\n{text}", "commentType": TEXT}
        for thread in self._call("GET")["value"]:
            first: dict[str, Any] = next(iter(thread.get("comments") or ()), {})
            if not first.get("isDeleted") and str(first.get("content", "")).startswith(mark):
                self._call("PATCH", f"/{thread['id']}/comments/{first['id']}", comment)
                return
        thread = {"comments": [{"parentCommentId": 0, **comment}], "status": CLOSED}
        self._call("POST", "", thread)

    def _call(self, method: str, path: str = "", body: object = None) -> dict[str, Any]:
        answer = requests.request(
            method,
            self._url + path,
            params=VERSION,
            json=body,
            headers=self._headers,
            allow_redirects=False,
            timeout=SECONDS,
        )
        # A token that is refused is answered with a sign-in page, and that with 203 or 302.
        if answer.status_code not in {200, 201}:
            stop(REFUSED, f"Azure DevOps answered {method} with {answer.status_code}: {RIGHT}")
        found: dict[str, Any] = answer.json()
        return found


def without_values(preview: str) -> tuple[str, int]:
    """The lines of a preview without a value, and how many lines of no known kind are left out.

    Texts stand between quotes as they are, several lines long: what follows the first is left out
    until one ends with a quote, at the latest where the next resource begins.
    https://github.com/Azure/azure-cli/blob/dev/src/azure-cli/azure/cli/command_modules/resource/_formatters.py
    """
    told: list[str] = []
    unknown, within = 0, False
    for line in map(str.rstrip, _COLOUR.sub("", preview).splitlines()):
        if _RESOURCE.fullmatch(line) or (not within and _KNOWN.fullmatch(line)):
            told += [line] if line or told[-1:] != [""] else []
            within = False
        elif within:
            within = not _ENDS.search(line)
        elif found := _PROPERTY.fullmatch(line):
            value = found["value"].strip()
            told.append(found["path"] + (" [" if value == "[" else ""))
            within = bool(_TEXT.search(value)) and not _ENDS.search(value[1:])
        else:
            unknown += not _SILENT.match(line)
    return "\n".join(told).strip("\n"), unknown


def shown(preview: str) -> str:
    """The preview as Markdown, without values, and cut if it is too long."""
    told, unknown = without_values(preview)
    more = f"\n\nLeft out, since they may hold values: {unknown} lines." if unknown else ""
    more += "\n\nThere is more: see the log." if len(told) > LONGEST else ""
    title = "**What a deployment would change** (its values stand in the log of the run)"
    return f"{title}\n\n```diff\n{told[:LONGEST]}\n```{more}"


def stop(code: int, words: str) -> NoReturn:
    """End with a line on the error output."""
    sys.stderr.write(words + "\n")
    sys.exit(code)


def main(arguments: list[str], environ: Mapping[str, str]) -> None:
    """Comment with what a file holds."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        stop(USAGE, "usage: python pipelines/comment.py FILE")
    # one comment for each parameter file, since each is an app of its own
    mark = f"<!-- run-relay {environ.get('RELAY_PARAMETERS', '')} -->"
    try:
        PullRequest(environ).tell(mark, shown(Path(arguments[0]).read_text("utf-8")))
    except KeyError as error:
        stop(USAGE, f"{error.args[0]} is not set: this is for the run of a pull request")
    except (requests.RequestException, ValueError) as error:
        stop(REFUSED, f"Azure DevOps could not be asked: {type(error).__name__}")


if __name__ == "__main__":
    main(sys.argv[1:], os.environ)
