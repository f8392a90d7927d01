"""What was started is followed to its end, as stories: what is told, to whom, what goes on."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Literal

from local.chat.front import Chat
from local.demo.app import RouteSeen
from local.demo.stories.patterns import PatternStory
from local.deployment import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from local.devops import QueuedRun
    from local.trainings import Training

SETTINGS = {"CLAIM_LEASE_SECONDS": "2"}  # else the first look comes two minutes after the start


CHANNELS = """notify:
  - teams: demo-teams
  - slack: demo-slack
  - webhook: demo-hook
    signing: demo-hook-key
"""
PATIENCE = 30.0
DEPLOY, ROLL_BACK = 44, 45
ROUTE_ENDS = '        run_id: "{{ run.id }}"         # tells this start from every other: keep it\n'
THEN = f"""
    then:
      succeeded:
        start:
          pipeline: {DEPLOY}
          parameters: {{run_id: "{{{{ run.id }}}}", registered_by: "{{{{ pipeline.run }}}}"}}
        then:
          failed:
            start:
              pipeline: {ROLL_BACK}
              parameters: {{run_id: "{{{{ run.id }}}}", after: "{{{{ pipeline.url }}}}"}}
"""


def telling(directory: Path) -> dict[str, str]:
    """What the app needs where people are told: channels in its route file, and their host."""
    routes = directory / "routes.yaml"
    text = (ROOT / "routes.yaml").read_text("utf-8").replace("routes:\n", f"{CHANNELS}routes:\n", 1)
    routes.write_text(text, "utf-8")
    return {**SETTINGS, "ROUTES_FILE": str(routes), "NOTIFY_HOSTS": "127.0.0.1"}


def going_on(directory: Path) -> dict[str, str]:
    """What the app needs where something goes on by an end: a route file that says what."""
    routes = directory / "routes.yaml"
    text = (ROOT / "routes.yaml").read_text("utf-8")
    routes.write_text(text.replace(ROUTE_ENDS, ROUTE_ENDS + THEN, 1), "utf-8")
    return {**SETTINGS, "ROUTES_FILE": str(routes)}


class Follow(PatternStory):
    """A training, the pipeline that follows it, and what becomes of that."""

    def tell(self) -> None:
        """A pipeline that fails, and one that is canceled before any agent took it up."""
        self._screen.title("1. A training ends, its pipeline is started, and fails")
        training = self._trained(self.way("sync"), "ways.py sync", "FINISHED")
        self.starts(training)
        self._ends(training, self._good, "failed", "failed")
        self._screen.title(
            "2. One that raises: the failure route's pipeline is canceled in the queue"
        )
        training = self._trained(self.way("sync", "--fail"), "ways.py sync --fail", "FAILED")
        self.reports(training)
        self._ends(training, self._bad, "canceled", "canceled: canceled while it was queued")
        self.keeps_the_secret()

    def _ends(
        self, training: Training, route: RouteSeen, result: Literal["failed", "canceled"], told: str
    ) -> None:
        devops, (run,) = self._scene.devops, self._scene.started(training, route)
        if result == "failed":
            devops.begin(run.id)
        devops.finish(run.id, result)
        with self._screen.step(f"Azure DevOps: pipeline run {run.id} is {result}") as results:
            found = self._scene.ended(training, route)
            results.append(found.ended if found else "the ledger knows nothing of it")
        ended, state = (found.ended, found.state) if found else ("", "")
        so = (ended, state) == (told, "started (answered)")
        self.expect("the ledger says how it ended, and still that it was started", so, found)
        for step in found.steps if found else ():
            self._screen.told("ledger", f"{step.what}: {step.detail}")
        lines = re.findall(rf"pipeline_run={run.id} ended=.*", self._log.read_text("utf-8"))
        for line in lines:
            self._screen.told("log", line)
        self.expect("one line in the log tells it", len(lines) == 1, lines)


class Notify(PatternStory):
    """A training whose pipeline fails: people read of it in Teams, in Slack and by a webhook."""

    def tell(self) -> None:
        """One failure, one message to each, and no address in the log or the ledger."""
        with Chat() as chat:
            vault = self._deployment.cloud.vault
            vault.put("demo-teams", chat.teams)
            vault.put("demo-slack", chat.slack)
            vault.put("demo-hook", chat.hook)
            vault.put("demo-hook-key", chat.signing)
            self._screen.title("1. A training ends, its pipeline is started, and fails")
            training = self._trained(self.way("sync"), "ways.py sync", "FINISHED")
            self.starts(training)
            devops, (run,) = self._scene.devops, self._scene.started(training, self._good)
            devops.begin(run.id)
            devops.finish(run.id, "failed")
            self._screen.title("2. People are told, each channel once")
            self._are_told(chat, run.id)
            kept = self._log.read_bytes() + self._deployment.ledger.read_bytes()
            so = chat.token.encode() not in kept
            self.expect("no address stands in the log or the ledger", so, self._deployment.ledger)
        self.keeps_the_secret()

    def _are_told(self, chat: Chat, run: int) -> None:
        with self._screen.step("The next round sends what waits") as results:
            end = time.monotonic() + PATIENCE
            got = [chat.cards, chat.messages, chat.events]
            while not all(got) and time.monotonic() < end:
                time.sleep(0.1)
            results.append(", ".join(str(len(one)) for one in got))
        for line in re.findall(r"notice=sent .*", self._log.read_text("utf-8")):
            self._screen.told("log", line)
        counts = [len(one) for one in got]
        self.expect("a card, a message and a signed event have come", counts == [1, 1, 1], counts)
        (message,), (event,) = chat.messages, chat.events
        self._screen.told("Slack", message["text"])
        told = event["data"]["notices"][0]["pipeline_run"], chat.forged
        self.expect("they name the pipeline run, and nothing was forged", told == (run, []), told)


class Then(PatternStory):
    """A model is registered, then deployed; that fails, and is rolled back: one after the other."""

    def tell(self) -> None:
        """Three pipelines, each started once by the end of the one before."""
        devops = self._scene.devops
        devops.add_pipeline(
            *("contoso", "mlops", DEPLOY, "deploy-model"),
            parameters={"run_id": None, "registered_by": None},
        )
        devops.add_pipeline(
            *("contoso", "mlops", ROLL_BACK, "roll-back"),
            parameters={"run_id": None, "after": None},
        )
        self._screen.title("1. A training ends, and its model is being registered")
        training = self._trained(self.way("sync"), "ways.py sync", "FINISHED")
        self.starts(training)
        (first,) = self._scene.started(training, self._good)
        self._screen.title("2. That pipeline succeeds: the model is deployed")
        devops.finish(first.id)
        second = self._goes_on(training, "register-model.succeeded", DEPLOY)
        asked = second.template_parameters
        knows = asked["registered_by"] == str(first.id)
        self.expect("it knows which pipeline run registered the model", knows, asked)
        self._screen.title("3. The deployment fails: it is rolled back")
        devops.begin(second.id)
        devops.finish(second.id, "failed")
        third = self._goes_on(training, "register-model.succeeded.failed", ROLL_BACK)
        page = third.template_parameters["after"]
        self.expect("it has the page of what failed", page.endswith(f"={second.id}"), page)
        requests = self._scene.requests_to_start()
        self.expect("three pipelines, one request each", requests == 3, requests)  # noqa: PLR2004
        self.keeps_the_secret()

    def _goes_on(self, training: Training, name: str, pipeline: int) -> QueuedRun:
        route = RouteSeen(name, "", pipeline)
        with self._screen.step(f"The end is seen, and {name} goes on") as results:
            found = self._scene.until(training, route, lambda page: page.settled)
            results.append(found.became if found else "the ledger knows nothing of it")
        for step in found.steps if found else ():
            self._screen.told("ledger", f"{step.what}: {step.detail}")
        started = self._scene.started(training, route)
        self.expect(f"{name} started its pipeline once", len(started) == 1, started)
        return started[0]
