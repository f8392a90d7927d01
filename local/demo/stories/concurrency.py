"""One pipeline run of a group at a time, as a story: of those that wait only the latest starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local import trainings
from local.demo.stories.following import SETTINGS
from local.demo.stories.patterns import PatternStory
from local.deployment import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from local.trainings import Training

ROUTE = "  - name: register-model\n"
GROUP = '    concurrency: {group: "{{ model.name }}", at_most: 1, queue: latest}\n'
ONE_AT_A_TIME = "two pipeline runs of the group never went on at once"


def settings(directory: Path) -> dict[str, str]:
    """What the app needs for it: a route with a group, and that ends are looked for soon."""
    routes = directory / "routes.yaml"
    text = (ROOT / "routes.yaml").read_text("utf-8").replace(ROUTE, ROUTE + GROUP, 1)
    routes.write_text(text, "utf-8")
    return {**SETTINGS, "ROUTES_FILE": str(routes)}


class Concurrency(PatternStory):
    """Three models, of which the second is out of date before its turn comes."""

    def tell(self) -> None:
        """One goes on, two end meanwhile, and the newer of these starts after the end."""
        self._screen.title("1. A training ends, and its model is being registered")
        first = self._trained(self.way("sync"), "ways.py sync", "FINISHED")
        self.starts(first)
        self._screen.title("2. Two more end meanwhile: they wait, and the older one gives way")
        second = self._ends("second")
        self._stands(second, "open (concurrency)", "it waits, and says for whom", first.run)
        third = self._ends("third")
        self._stands(third, "open (concurrency)", "so does a third", first.run)
        gone = "the second gives way to the third"
        self._stands(second, "skipped (superseded)", gone, third.run)
        self._one_goes_on()
        self._screen.title("3. The first pipeline run ends: the latest starts")
        (run,) = self._scene.started(first, self._good)
        self._scene.devops.finish(run.id)
        self._stands(third, "started (answered)", "the third is started after that end", "")
        self._one_goes_on()
        ids = [run.template_parameters["run_id"] for run in self._scene.devops.runs]
        so = ids == [first.run, third.run]
        self.expect("two pipeline runs, and none for the second", so, ids)
        self.keeps_the_secret()

    def _ends(self, which: str) -> Training:
        training = self._trained(self.way("sync"), f"ways.py sync, the {which}", "FINISHED")
        event = trainings.run_completed(training)
        self._scene.published(event, f"the end of the {which}").tell(self._screen, None)
        return training

    def _stands(self, training: Training, state: str, what: str, named: str) -> None:
        found = self._scene.until(training, self._good, lambda page: page.state == state)
        became = found.became if found else "the ledger knows nothing of it"
        self._screen.told("ledger", became)
        self.expect(what, found is not None and found.state == state and named in became, became)

    def _one_goes_on(self) -> None:
        going = [run.id for run in self._scene.devops.runs if run.result is None]
        self.expect(ONE_AT_A_TIME, len(going) == 1, going)
