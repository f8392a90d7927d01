"""One call of every method of the port, for what must hold for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.ports.ledger import Entry, Shared
from tests.ledger.samples import NOON, WORKSPACE, key, letter, opened, started

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.ports.ledger import Ledger

READING: dict[str, Callable[[Ledger], object]] = {
    "read": lambda ledger: ledger.read(key()),
    "due": lambda ledger: ledger.due(NOON, 10),
    "waiting_on": lambda ledger: ledger.waiting_on("contoso", 10),
    "of_run": lambda ledger: ledger.of_run(WORKSPACE.id.lower(), "run-1"),
    "recent": lambda ledger: ledger.recent(NOON, 10),
    "listed": lambda ledger: ledger.listed(NOON, 10),
    "written": lambda ledger: ledger.written(NOON, 7),
    "letters": lambda ledger: ledger.letters(10),
    "shared": lambda ledger: ledger.shared("contoso"),
}
WRITING: dict[str, Callable[[Ledger], object]] = {
    "claim": lambda ledger: ledger.claim(opened()),
    "write": lambda ledger: ledger.write(Entry(opened(), 'W/"1"'), started(opened())),
    "schedule": lambda ledger: ledger.schedule(opened()),
    "retire": lambda ledger: ledger.retire(key()),
    "keep": lambda ledger: ledger.keep(letter("e-1")),
    "discard": lambda ledger: ledger.discard("e-1"),
    "share": lambda ledger: ledger.share(Shared("contoso", {}, None), {}),
    "prune": lambda ledger: ledger.prune(NOON, 10),
}
EVERY = READING | WRITING
