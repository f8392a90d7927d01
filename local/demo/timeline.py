"""What happened between an event and its pipeline, from the records of everyone who took part.

The ledger's history, Event Grid's attempts and the requests that the services received.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.demo.app import Page
    from local.deployment import Deployment
    from local.screen import Screen
    from local.serving.web import Received

_ACCESS = re.compile(r'"(?P<call>(?:GET|POST) /api/2\.0/\S+) HTTP')
_SERVICES = {
    "identity": "identity",
    "arm": "Resource Mgr",
    "vault": "Key Vault",
    "devops": "Azure DevOps",
}
_LONGEST_PATH = 60


class Moment(NamedTuple):
    """One thing that happened; `at` in epoch seconds. The time of some is known by place only."""

    at: float
    who: str
    what: str
    timed: bool = True


class Timeline:
    """Everything from its making on, about the event of one id."""

    def __init__(self, deployment: Deployment, event_id: str, what: str) -> None:
        self._deployment, self._event_id = deployment, event_id
        self._log_read = deployment.mlflow.log.stat().st_size
        self.began = time.time()
        self._published = Moment(self.began, "event", what)

    def moments(self, page: Page | None) -> list[Moment]:
        """What there is to tell, in order."""
        history = page.steps if page else ()
        steps = [Moment(s.at, "ledger", f"{s.what}: {s.detail}") for s in history]
        found = sorted([*self._attempts(), *self._requests(), *steps])
        later = [moment for moment in found if moment.at >= self.began]
        return [self._published, *self._with_mlflow(later)]

    def tell(self, screen: Screen, page: Page | None) -> None:
        """Write it down, line by line."""
        for at, who, what, timed in self.moments(page):
            screen.told(who, what, (at - self.began) * 1000 if timed else None)

    def _attempts(self) -> Iterator[Moment]:
        for attempt in self._deployment.topic.attempts:
            if attempt.event_id == self._event_id:
                what = f"delivers to {attempt.subscription}: {attempt.status or attempt.outcome}"
                yield Moment(attempt.at, "Event Grid", what)

    def _requests(self) -> Iterator[Moment]:
        for name, who in _SERVICES.items():
            for request in getattr(self._deployment.cloud, name).server.requests:
                yield Moment(request.at, who, self._described(request))

    def _described(self, request: Received) -> str:
        resource = request.query.get("resource")
        if resource is not None:
            vault = self._deployment.cloud.vault.resource
            return f"token for {'Key Vault' if resource == vault else resource}"
        path = request.path.rstrip("/")
        if len(path) > _LONGEST_PATH:
            path = "/".join(["...", *path.split("/")[-2:]])
        return f"{request.method} {path}"

    def _with_mlflow(self, moments: list[Moment]) -> list[Moment]:
        """MLflow's access log has no milliseconds: its calls come before what the app made of them.

        That is the first request to Key Vault, or the ledger's next step after the claim.
        """
        steps = [n for n, moment in enumerate(moments) if moment.who == "ledger"]
        secrets = [n for n, moment in enumerate(moments) if moment.who == "Key Vault"]
        place = min([*steps[1:2], *secrets, len(moments)])
        at = moments[place].at if place < len(moments) else self.began
        calls = [Moment(at, "MLflow", call, timed=False) for call in self._mlflow_calls()]
        return [*moments[:place], *calls, *moments[place:]]

    def _mlflow_calls(self) -> list[str]:
        with self._deployment.mlflow.log.open("rb") as log:
            log.seek(self._log_read)
            text = log.read().decode("utf-8", "replace")
        return [unquote(found["call"]).replace("/api/2.0/", "") for found in _ACCESS.finditer(text)]
