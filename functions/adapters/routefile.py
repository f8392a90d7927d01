"""The route file on disk, decoded once and again only when it changes."""

from __future__ import annotations

import hashlib
import stat
import threading
from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core.terms.errors import RoutesUnreadable, in_words
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.routes.definition import Routes

LONGEST_SHOWN = 180
DIGITS = 16


class RouteFile:
    """Routes from a path. A broken file is broken until it changes, and is tried only then.

    One that fails as nobody foresaw is tried each time: it may be the process that is at fault.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shown = bounded(path, LONGEST_SHOWN)  # what is wrong with it follows
        self._had: set[str] = set()
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._decoded: Routes | RoutesUnreadable | None = None

    def routes(self) -> Routes:
        """The routes as deployed; raises RoutesUnreadable."""
        with self._lock:
            try:
                self._refresh()
            except OSError as error:
                why = f"cannot be read: {error.strerror}; set ROUTES_FILE, or deploy the file"
                raise RoutesUnreadable([f"{self._shown}: {why}"]) from None
            except RoutesUnreadable:
                raise
            except Exception as error:  # a bug: events are kept meanwhile, and rounds go on
                why = f"cannot be read: {in_words(error)}"
                raise RoutesUnreadable([bounded(f"{self._shown}: {why}")]) from error
            if isinstance(self._decoded, RoutesUnreadable):
                raise self._decoded.with_traceback(None)
            assert self._decoded is not None  # noqa: S101 - _refresh sets it
            return self._decoded

    def _refresh(self) -> None:
        found = self._path.stat()
        if not stat.S_ISREG(found.st_mode):  # of a pipe or a device nobody knows when it ends
            raise RoutesUnreadable([f"{self._shown}: is no file; set ROUTES_FILE"])
        # a package may give all its files one time, whatever is in them
        seen = (found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size)
        if seen == self._seen:
            return
        from functions.core.routes.file.interpreting import decode  # noqa: PLC0415 - loads yaml

        try:
            text = self._path.read_text("utf-8")
            file = hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
            earlier = frozenset(self._had)
            decoded = decode(text, self._path.name)
            self._decoded = replace(decoded, file=file, earlier=earlier)
            self._had.add(file)
        except RoutesUnreadable as error:
            self._decoded = error
        except UnicodeDecodeError:
            self._decoded = RoutesUnreadable([f"{self._path.name}: is not UTF-8 text"])
        self._seen = seen
