"""Questions to Azure DevOps that change nothing, in the REST version that the server speaks.

https://learn.microsoft.com/azure/devops/integrate/concepts/rest-api-versioning
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.adapters.devops.bad_requests import other_version
from functions.adapters.devops.calls import HEADERS
from functions.adapters.http.losses import NoAnswerError, NotSentError
from functions.adapters.http.transport import Transport
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.adapters.http.transport import Answer
    from functions.core.terms.deadline import Clock
    from functions.core.terms.pipelines import Credential

CALL_SECONDS = 30.0


class Calls:
    """Answers of Azure DevOps, whatever they say."""

    def __init__(self, version: str, clock: Clock) -> None:
        self._version = version
        self._clock = clock
        self._transport = Transport()

    def answer(
        self, url: str, credential: Credential, query: Mapping[str, str], body: object
    ) -> Answer:
        """GET, or POST what starts nothing; once more where the server names another version.

        Raises Retryable where no answer came.
        """
        answer = self._once(url, credential, query, body)
        if other := other_version(answer, self._version):
            self._version = other
            answer = self._once(url, credential, query, body)
        return answer

    def _once(
        self, url: str, credential: Credential, query: Mapping[str, str], body: object
    ) -> Answer:
        deadline = Deadline(self._clock, CALL_SECONDS)
        params = {"api-version": self._version, **query}
        try:
            return self._transport.read(
                url, credential.authorization, deadline, params=params, headers=HEADERS, body=body
            )
        except (NotSentError, NoAnswerError) as error:
            why = f"no answer from Azure DevOps: {error}"
            raise Retryable(Reason.NOT_SENT, why) from None
