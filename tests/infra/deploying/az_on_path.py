"""An `az` for scripts to find on their path, which hands what is typed to this process.

A process of Python for each call would cost more than all else that the scripts do. One call at a
time, as they make them.
"""

from __future__ import annotations

import os
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from tests.infra.deploying.az_stand_in import Cloud, Refused, Typed

if TYPE_CHECKING:
    from typing import IO

SCRIPT = """#!/bin/sh
at={folder}
for word; do case $word in *=@-) cat > $at/input ;; esac; done
printf '%s\\0' "$PWD" "${{AZURE_BICEP_USE_BINARY_FROM_PATH:-}}" "$@" > $at/typed
echo typed > $at/ask
read -r code < $at/answer
[ ! -s $at/said ] || cat $at/said
[ ! -s $at/errors ] || cat $at/errors >&2
exit $code
"""
END = "end\n"


class Answer(NamedTuple):
    """What a call ends with."""

    code: int
    said: str
    errors: str


class OnPath:
    """The folder that holds `az` and what it knows, while entered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        az = folder / "az"
        az.write_text(SCRIPT.format(folder=folder), "utf-8")
        az.chmod(0o755)
        for name in ("ask", "answer"):
            os.mkfifo(folder / name)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._asked, self._answers = (self._opened(name) for name in ("ask", "answer"))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._asked.write(END)
        self._thread.join()
        self._asked.close()
        self._answers.close()

    def _opened(self, name: str) -> IO[str]:
        """Open to both ends: it neither waits for the other one nor ends with it."""
        return open(os.open(self._folder / name, os.O_RDWR), "w", 1, "utf-8")  # noqa: PTH123

    def _serve(self) -> None:
        with (self._folder / "ask").open(encoding="utf-8") as asked:
            while asked.readline() != END:
                code, said, errors = self._answered()
                (self._folder / "said").write_text(said, "utf-8")
                (self._folder / "errors").write_text(errors, "utf-8")
                self._answers.write(f"{code}\n")

    def _answered(self) -> Answer:
        cloud = Cloud(self._folder, self._typed())
        try:
            cloud.run()
        except Refused as refused:
            return Answer(1, cloud.said, str(refused))
        except Exception:  # noqa: BLE001 - as the interpreter would end
            return Answer(1, cloud.said, traceback.format_exc())
        return Answer(0, cloud.said, "")

    def _typed(self) -> Typed:
        folder, own_compiler, *words, _ = (self._folder / "typed").read_text("utf-8").split("\0")
        given = self._folder / "input"
        stdin = given.read_text("utf-8") if given.exists() else ""
        return Typed(words, Path(folder), own_compiler, stdin)
