"""A run that should have come, as a story: people are told that it did not, and when it does.

The time is six minutes ago, since five are given to the event. What a day, or the next look, is
apart is done by rounds of the app whose clock is ahead or behind.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from local.chat.front import Chat
from local.demo.scene import TRAINING_PATIENCE
from local.demo.stories.following import PATIENCE, telling
from local.demo.stories.patterns import PatternStory
from local.deployment import Broken

if TYPE_CHECKING:
    from local.deployment import Deployment
    from local.screen import Screen

ROUTE = "  - name: register-model\n"
PASSED = timedelta(minutes=6)
DAY, NEXT_LOOK = timedelta(days=1), timedelta(minutes=6)


def settings(directory: Path) -> dict[str, str]:
    """What the app needs for it: a route that expects a run by a time, and people to tell."""
    given = telling(directory)
    routes, by = directory / "routes.yaml", datetime.now(UTC) - PASSED
    expects = f'    expect: {{by: "{by:%H:%M} UTC"}}\n'
    text = routes.read_text("utf-8").replace(ROUTE, ROUTE + expects, 1)
    routes.write_text(text, "utf-8")
    return given


class Expect(PatternStory):
    """The training of the night did not run, and is started by hand in the morning."""

    def __init__(self, deployment: Deployment, screen: Screen) -> None:
        super().__init__(deployment, screen)
        self._logs, self._awaited = list[Path](), list[str]()
        self._shown: set[str] = set()

    def tell(self) -> None:
        """Nobody trains; then somebody does."""
        with Chat() as chat:
            vault = self._deployment.cloud.vault
            for name, address in (
                ("demo-teams", chat.teams),
                ("demo-slack", chat.slack),
                ("demo-hook", chat.hook),
                ("demo-hook-key", chat.signing),
            ):
                vault.put(name, address)
            self._screen.title("1. Yesterday: the app notes by when the next training is awaited")
            self._round(-DAY, "a day ago", [])
            self._logs.append(self._deployment.host.log)  # whose timer may say by now what is next
            self._screen.title("2. Today: that was six minutes ago, and none has ended")
            self._round(timedelta(0), "now", ["overdue"])
            self._are_told(chat, ["overdue"])
            self._round(timedelta(0), "the same, once more", [])
            self._are_told(chat, ["overdue"])
            self._screen.title("3. Somebody starts the training, and it ends after all")
            training = self._trained(self.way("sync"), "ways.py sync", "FINISHED")
            self.starts(training)
            self._round(NEXT_LOOK, "six minutes later", ["came"])
            self._are_told(chat, ["overdue", "came"])
        self.keeps_the_secret()

    def _round(self, by: timedelta, when: str, told: list[str]) -> None:
        """One round of the app, in whose logs there is this more of what is expected by now.

        The app's own timer fires as well: whoever is first says it, and nobody says it again.
        """
        seconds = f"{by.total_seconds():.0f}"
        with self._screen.step(f"A round of the app: {when}") as results:
            name = f"round-{time.monotonic_ns()}"
            child = self._deployment.program(name, "-m", "local.demo.rounds", seconds)
            code = child.ended(TRAINING_PATIENCE)
            results.append(f"exit code {code}")
        if code != 0:
            raise Broken("\n".join([f"the round exited with {code}:", *child.tail()]))
        self._logs += [child.output, child.log]
        self._awaited += told
        lines = self._lines()
        for line in [one for one in lines if one not in self._shown]:
            self._screen.told("log", line)
        self._shown |= {*lines}
        found = sorted(line.partition("=")[2].partition(" ")[0] for line in lines)
        named = ", ".join(told) or "nothing"
        self.expect(
            f"the log says {named} of what is expected", found == sorted(self._awaited), lines
        )

    def _lines(self) -> list[str]:
        """What was said of it until now, once there is as much as is awaited, or after a while."""
        end = time.monotonic() + PATIENCE
        while True:
            said = "".join(log.read_text("utf-8") for log in self._logs)
            found = re.findall(r"expect=\w+ .*", said)
            if len(found) >= len(self._awaited) or time.monotonic() > end:
                return found
            time.sleep(0.1)

    def _are_told(self, chat: Chat, about: list[str]) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not self._has(chat, len(about)):
            time.sleep(0.1)
        got = [event["data"]["about"] for event in chat.events]
        self._screen.told("Slack", chat.messages[-1]["text"] if chat.messages else "nothing")
        counts = [len(chat.cards), len(chat.messages), got]
        wanted = [len(about), len(about), about]
        self.expect(f"people know of it, once each: {', '.join(about)}", counts == wanted, counts)

    def _has(self, chat: Chat, many: int) -> bool:
        return all(len(got) >= many for got in (chat.cards, chat.messages, chat.events))
