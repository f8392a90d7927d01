"""A team whose runs lead to two pipelines by two secrets, and to whom a second workspace comes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from local.aml.memory import MemoryAML
from local.cloud import WORKSPACE
from tests.flow.rounds.sweeps import milliseconds
from tests.stage.azure import as_cloud_event, changed, completed

if TYPE_CHECKING:
    from random import Random

    from tests.stage.azure import Stage

LATER = WORKSPACE.replace("ml-prod", "ml-later")
AFTER_ALL = datetime.max.replace(tzinfo=UTC)  # by when every lease has run out
OTHER_SECRET = "other-team-pat"
ROUTES = f"""
version: 1
defaults: {{organization: contoso, project: mlops}}
routes:
  - name: register
    match: {{experiment: "defect-*"}}
    start: {{pipeline: 42, parameters: {{run_id: "{{{{ run.id }}}}"}}}}
  - name: announce
    match: {{experiment: "news-*"}}
    start: {{pipeline: 43, parameters: {{run_id: "{{{{ run.id }}}}"}}, secret: {OTHER_SECRET}}}
"""
GITHUB = (
    "/pipelines/register.yml: Could not get the latest source version for repository contoso/x "
    'hosted on https://github.com/ using ref refs/heads/main. GitHub reported the error, "API '
    'rate limit exceeded for installation ID 1."'
)
Delivery = tuple[str, dict[str, Any]]


class Lived(NamedTuple):
    """One run: where it is from, and whether anything may come of it."""

    run: str
    workspace: str
    experiment: str
    wanted: bool = True

    def news(self, random: Random, at: datetime) -> Delivery:
        """That it ended, by either event in either schema, sent then: looks begin there."""
        data = {"experimentName": self.experiment}
        function, event = random.choice(
            [
                ("on_run_completed", completed(self.run, **data)),
                ("on_run_status_changed", changed(self.run, "Completed", **data)),
            ]
        )
        event = event | {"topic": self.workspace, "eventTime": f"{at:%Y-%m-%dT%H:%M:%S.%f}0Z"}
        return function, random.choice([event, as_cloud_event(event)])


class Team:
    """Its runs, and what people do; use it while its second workspace is to answer."""

    def __init__(self, stage: Stage, random: Random) -> None:
        self.stage, self._random = stage, random
        self.lived: dict[str, Lived] = {}
        self.deleted: set[str] = set()
        self.later = MemoryAML(LATER, stage.cloud.identity.accepts, stage.cloud.tls)
        self.renew_secret()

    @property
    def now(self) -> int:
        """The time of day, as AML tells it."""
        return milliseconds(self.stage.clock.now())

    def told(self, one: Lived, random: Random) -> Delivery:
        """The news of a run, sent now."""
        return one.news(random, self.stage.clock.now())

    def end(self, one: Lived) -> None:
        """A run ends now."""
        at = self.now
        aml = self._aml(one)
        aml.add_run(one.run, experiment=one.experiment, start_time=at - 60_000, end_time=at)
        self.lived[one.run] = one

    def delete(self, run: str) -> None:
        """Somebody deletes a run."""
        self._aml(self.lived[run]).delete_run(run)
        self.deleted.add(run)

    def join(self) -> None:
        """The second workspace is connected."""
        self.stage.cloud.arm.add_workspace(LATER, self.later.tracking_uri)

    def revoke_secret(self) -> None:
        """Azure DevOps takes one of the two no more."""
        self.stage.devops.refuse(self._secret)

    def renew_secret(self) -> None:
        """It takes another one, which lies in the vault."""
        self._secret = f"other-secret-{self._random.getrandbits(64):x}"
        self.stage.devops.accept(self._secret)
        self.stage.cloud.vault.put(OTHER_SECRET, self._secret)

    def _aml(self, one: Lived) -> MemoryAML:
        return self.later if one.workspace == LATER else self.stage.aml
