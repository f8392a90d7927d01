"""A process that imports once, and forks into the programs that are asked for.

    python -m tests.running.forking FD NAME...

Most of what a short command costs is its imports. Here they are made before; each program is a
process of its own all the same, with its own signals, files, environment and end. The socket FD
carries requests, each with three files: stdout, stderr, and a pipe on which the process id comes
back at once and the exit code when it ended.

It has no thread beside its first one when it forks, and it imports nothing of the tests.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import socket
import sys
import time
from contextlib import suppress
from typing import Any, NamedTuple

LONGEST = 1 << 20


class Request(NamedTuple):
    """`python -m module words...` with this environment, in a session of its own if so asked."""

    module: str
    words: list[str]
    environ: dict[str, str]
    directory: str
    session: bool


def main() -> None:
    """Serve until nobody asks any more; what was forked goes on here as its program."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        _import(name)
    gc.collect()
    gc.freeze()  # so that a child writes to fewer of these pages
    asked, files = _serve(control)
    if asked:
        _become(Request(**json.loads(asked)), files)


def _import(name: str) -> None:
    """Import a module, or with `package.*` all of a package."""
    module = importlib.import_module(name.removesuffix(".*"))
    if name.endswith(".*"):
        for found in pkgutil.walk_packages(module.__path__, f"{module.__name__}."):
            importlib.import_module(found.name)


def _serve(control: socket.socket) -> tuple[bytes, list[int]]:
    """In the child that was forked for it: the request and its files. Else nothing, at the end."""
    with selectors.DefaultSelector() as awaited:
        awaited.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in awaited.select():
                if key.data is not None:
                    awaited.unregister(key.fileobj)
                    _tell_end(key.fd, *key.data)
                    continue
                asked, files, *_ = socket.recv_fds(control, LONGEST, 3)
                if not asked or not (child := os.fork()):
                    _close(awaited)
                    return asked, files
                _tell(files[2], child)
                for file in files[:2]:
                    os.close(file)
                pidfd = os.pidfd_open(child)
                awaited.register(pidfd, selectors.EVENT_READ, (child, files[2]))


def _tell_end(pidfd: int, child: int, pipe: int) -> None:
    _, status = os.waitpid(child, 0)
    _tell(pipe, os.waitstatus_to_exitcode(status))
    os.close(pipe)
    os.close(pidfd)


def _tell(pipe: int, number: int) -> None:
    with suppress(BrokenPipeError):
        os.write(pipe, f"{number}\n".encode())


def _close(awaited: selectors.BaseSelector) -> None:
    """Leave open what the program needs, and nothing that tells others that it has ended."""
    for key in list(awaited.get_map().values()):
        os.close(key.fd)
        if key.data is not None:
            os.close(key.data[1])


def _become(asked: Request, files: list[int]) -> None:
    for number, file in enumerate(files[:2], 1):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    if asked.session:
        os.setsid()
    os.chdir(asked.directory)
    os.environ.clear()
    os.environ.update(asked.environ)
    time.tzset()
    sys.argv[1:] = asked.words
    for name in (asked.module, f"{asked.module}.__main__"):
        sys.modules.pop(name, None)  # which is run now, and was imported but for what it imports
    runpy.run_module(asked.module, run_name="__main__", alter_sys=True)


def request(module: str, *words: str, **given: Any) -> bytes:
    """A request as it is sent."""
    return json.dumps(Request(module, list(words), **given)._asdict()).encode()


if __name__ == "__main__":
    main()
