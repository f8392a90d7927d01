"""What a function is given beside its trigger's value: its context, and where it puts messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import azure.functions as azf

if TYPE_CHECKING:
    import threading

    from azure.functions.meta import Datum

    from local.host.indexing import IndexedFunction


class Job(NamedTuple):
    """An invocation that is to be made."""

    function: IndexedFunction
    datum: Datum
    reason: str
    id: str
    began: float


class Context(azf.Context):
    """What a function sees in its `context` parameter; no tracing, no retrying here."""

    def __init__(self, job: Job, storage: threading.local) -> None:
        self._job, self._storage = job, storage

    @property
    def invocation_id(self) -> str:
        """The id that the log lines and the record carry."""
        return self._job.id

    @property
    def thread_local_storage(self) -> Any:
        """Where a function's own threads may leave the invocation id."""
        return self._storage

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self._job.function.name

    @property
    def function_directory(self) -> str:
        """The folder of the file that defines the function."""
        return self._job.function.directory

    @property
    def trace_context(self) -> Any:
        """None: this host traces nothing."""
        return None

    @property
    def retry_context(self) -> Any:
        """None: this host retries nothing."""
        return None


class Out(azf.Out[Any]):
    """What a function gives to an output binding, None if nothing."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        """Give it."""
        self._value = val

    def get(self) -> Any:
        """What was given."""
        return self._value
