"""The HTTP call that InvokeRESTAPI@1 and AzureFunction@1 make from an agentless job.

The default headers of both tasks carry the plan's values:
https://github.com/microsoft/azure-pipelines-tasks/blob/master/Tasks/InvokeRestApiV1/task.json
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_BODY = 2000  # characters: what the tasks' `body` input takes


@dataclass(frozen=True)
class Answer:
    """What the endpoint answered to the task's call."""

    status: int
    body: str

    @property
    def good(self) -> bool:
        """Whether the task goes on to wait."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(frozen=True)
class TaskCall:
    """A call to make: `body` is sent as it is if it is text, else as JSON; not the headers None.

    `seconds` is how long the endpoint may take to answer, which is 20 for the tasks, with
    `waitForCompletion` as without.
    https://github.com/microsoft/azure-pipelines-tasks/blob/master/docs/authoring/servertaskauthoring.md
    """

    url: str
    headers: Mapping[str, str | None] = field(repr=False)
    body: object = ""
    method: str = "POST"
    seconds: float = 20.0

    def __post_init__(self) -> None:
        if len(self.text) > LONGEST_BODY:
            raise ValueError(f"The body has more than {LONGEST_BODY} characters.")

    @property
    def text(self) -> str:
        """The body as it is sent."""
        return self.body if isinstance(self.body, str) else json.dumps(self.body)

    def make(self) -> Answer | str:
        """The endpoint's answer, or in words why there was none. Redirects are not followed."""
        try:
            with requests.Session() as session:
                session.trust_env = False  # neither a proxy nor a .netrc of whoever runs this
                answer = session.request(
                    self.method,
                    self.url,
                    data=self.text.encode(),
                    headers=dict(self.headers),
                    timeout=self.seconds,
                    allow_redirects=False,
                )
        except requests.Timeout:
            return f"The request timed out after {self.seconds:g} seconds: there was no response."
        except (requests.RequestException, ValueError) as error:
            return f"The request could not be sent: {type(error).__name__}."
        return Answer(answer.status_code, answer.text)
