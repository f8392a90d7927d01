"""A run that should have come, as a story: people are told that it did not, and when it does.

The time is six minutes ago, since five are given to the event. What a day, or the next look, is
apart is done by rounds of the app whose clock is ahead or behind.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from local.chat.front import Chat
from local.demo.scene import TRAINING_PATIENCE
from local.demo.stories.following import PATIENCE, telling
from local.demo.stories.patterns import PatternStory
from local.deployment import Broken

if TYPE_CHECKING:
    from pathlib import Path

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
        """One round of the app, whose log says this of what is expected."""
        seconds = f"{by.total_seconds():.0f}"
        with self._screen.step(f"A round of the app: {when}") as results:
            name = f"round-{time.monotonic_ns()}"
            child = self._deployment.program(name, "-m", "local.demo.rounds", seconds)
            code = child.ended(TRAINING_PATIENCE)
            results.append(f"exit code {code}")
        said = child.output.read_text("utf-8") + child.log.read_text("utf-8")
        if code != 0:
            raise Broken("\n".join([f"the round exited with {code}:", said]))
        lines = re.findall(r"expect=\w+ .*", said)
        for line in lines:
            self._screen.told("log", line)
        found = [line.partition("=")[2].partition(" ")[0] for line in lines]
        named = ", ".join(told) or "nothing"
        self.expect(f"the log says {named} of what is expected", found == told, lines)

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
