"""Which tasks may wait: those of organizations that somebody names, and so many of each.

Whoever waits already stays, whatever is named since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.kept.organizations import named
from functions.core.terms.errors import RelayError
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.core.kept.tasks import Task
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Routes

MOST_WAITS = 5000
MOST_OF_AN_ORGANIZATION = 1000
MOST_OF_A_PLAN = 100
NAME_IT = "name it in WAITS_ORGANIZATIONS, a setting of the app, or in its route file"


class Refused(RelayError):
    """A registration is not taken. `told`: whoever sent it proved to be a task, and is told why."""

    def __init__(self, status: int, why: str, *, told: bool = False) -> None:
        super().__init__(why)
        self.status = status
        self.told = told


def organizations(routes: Routes, devops_url: str, by_setting: Iterable[str]) -> frozenset[str]:
    """Those whose tasks may register, each by the one address that `organization` tells.

    The routes name theirs at this Azure DevOps; those of the setting are such addresses.
    """
    of_routes = (named(name, devops_url) for name in routes.organizations)
    return frozenset(filter(None, (*of_routes, *by_setting)))


class Entrance:
    """Lets tasks in that have proved to be some. Both raise Refused, and tell of no run."""

    def __init__(self, ports: Ports, devops_url: str, by_setting: Iterable[str] = ()) -> None:
        self._book, self._routes = ports.ledger.waits, ports.routes
        self._devops_url, self._by_setting = devops_url, tuple(by_setting)

    def check_named(self, task: Task) -> None:
        """Refuse a task of an organization that nobody names. Raises RoutesUnreadable."""
        routes = self._routes.routes()
        if task.organization not in organizations(routes, self._devops_url, self._by_setting):
            why = f"tasks of {bounded(task.organization)} may not wait here: {NAME_IT}"
            raise Refused(403, why, told=True)

    def check_room(self, task: Task) -> None:
        """Refuse a task where too many wait; one that waits already has its place."""
        taken = self._book.taken(MOST_WAITS)
        if any(one.task == task.key for one in taken):
            return
        own = bounded(task.organization)
        if sum(one.task.startswith(f"{task.plan}.") for one in taken) >= MOST_OF_A_PLAN:
            raise Refused(429, f"{MOST_OF_A_PLAN} tasks of this plan wait already", told=True)
        if sum(one.organization == own for one in taken) >= MOST_OF_AN_ORGANIZATION:
            why = f"{MOST_OF_AN_ORGANIZATION} tasks of {own} wait already: try later"
            raise Refused(429, why, told=True)
        if len(taken) >= MOST_WAITS:
            raise Refused(429, f"{MOST_WAITS} tasks wait already: try later", told=True)
