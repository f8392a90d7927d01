"""Events that were recorded in files: deliveries, dead letters, or what a person wrote down."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from functions.core.events import parsing
from functions.core.terms.errors import NotARunEvent, RelayError
from functions.core.texts import jsontext
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from functions.core.terms.runs import RunEvent

LARGEST_FILE = 16 * 1024 * 1024


class NotRecorded(RelayError):
    """A file that holds no run event; `is_missing`: there is no file."""

    def __init__(self, why: str, *, is_missing: bool = False) -> None:
        super().__init__(why)
        self.is_missing = is_missing


class Recorded(NamedTuple):
    """A run event, and the file that it is from."""

    file: Path
    event: RunEvent


def read(paths: Sequence[Path]) -> list[Recorded]:
    """The run events in these files, and in every `.json` file below these folders.

    A file holds one event, or a list of them, in either schema of Event Grid. Raises NotRecorded.
    """
    files = [file for path in paths for file in _files(path)]
    return [Recorded(file, event) for file in files for event in _events(file)]


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob("*.json"))
    if not found:
        raise NotRecorded(f"{path}: no .json file is in this folder", is_missing=True)
    return found


def _events(file: Path) -> Iterator[RunEvent]:
    found = _document(file)
    for payload in found if isinstance(found, list) else [found]:
        try:
            yield parsing.parse(payload)
        except NotARunEvent as error:
            raise NotRecorded(f"{file}: no run event: {error}") from None


def _document(file: Path) -> object:
    try:
        with file.open("rb") as opened:
            text = opened.read(LARGEST_FILE + 1)
        if len(text) > LARGEST_FILE:
            raise NotRecorded(f"{file}: larger than {LARGEST_FILE} bytes")
        return jsontext.read(text.decode("utf-8-sig"))
    except OSError as error:
        raise NotRecorded(f"{file}: {error.strerror}", is_missing=True) from None
    except ValueError as error:
        raise NotRecorded(f"{file}: no JSON: {bounded(error, 100)}") from None
