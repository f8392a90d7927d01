"""Queue triggers: each message of a storage queue is one invocation, and is gone once that is done.

One that fails is seen again, at once or when `visibilityTimeout` is over; after `maxDequeueCount`
times it goes to the queue `…-poison`, and so does, uncalled, one that comes more often. At most
`batchSize` and `newBatchThreshold` run at a time. What messages hold is in base64.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger
https://github.com/Azure/azure-sdk-for-net/tree/main/sdk/storage/Microsoft.Azure.WebJobs.Extensions.Storage.Queues
"""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import requests
from azure.functions.meta import Datum

from local.host.triggers.storagequeue import StorageQueue, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.host.indexing import IndexedFunction
    from local.host.invocations import Worker
    from local.host.triggers.storagequeue import Message

TAKEN_FOR = 600.0  # seconds in which a message that is worked on is seen by nobody else
SOONEST, LATEST = 0.1, 1.0  # seconds between two looks: Azure's host waits for up to a minute
REASON = "New queue message detected on '{}'."
log = logging.getLogger("host")


class Queues:
    """Fires the functions of an app that wait for messages, and puts what its functions give."""

    def __init__(
        self,
        worker: Worker,
        functions: Iterable[IndexedFunction],
        settings: Mapping[str, str],
        options: Mapping[str, Any],
    ) -> None:
        self._worker, self._functions, self._settings = worker, list(functions), settings
        batch = int(options.get("batchSize", 16))
        self._at_once = batch + int(options.get("newBatchThreshold", batch // 2))
        self._most = int(options.get("maxDequeueCount", 5))
        self._hidden = span(str(options.get("visibilityTimeout", "00:00:00")))
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to look; a queue that is not there is made."""
        for function in self._functions:
            for number in range(self._at_once):
                name = f"{function.name}-{number}"
                threading.Thread(target=self._keep, args=[function], name=name, daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def put(self, binding: Mapping[str, Any], given: Datum) -> None:
        """Put what a function gave: a text, or each of the texts in a list."""
        texts = json.loads(given.value) if given.type == "json" else [given.value]
        queue = StorageQueue(binding, self._settings)
        for text in texts:
            queue.put(text if isinstance(text, str) else json.dumps(text))

    def _keep(self, function: IndexedFunction) -> None:
        queue, pause = StorageQueue(function.binding, self._settings), SOONEST
        while not self._stopping.wait(pause):
            try:
                message = queue.take(TAKEN_FOR)
                if message:
                    self._work(function, queue, message)
            except (requests.RequestException, LookupError) as error:
                log.error("The listener for function 'Functions.%s': %s", function.name, error)  # noqa: TRY400 - what it says is all there is
                message = None
            pause = 0 if message else min(LATEST, max(SOONEST, 2 * pause))

    def _work(self, function: IndexedFunction, queue: StorageQueue, message: Message) -> None:
        if message.times > self._most:
            return queue.poison(message)
        with suppress(CancelledError, RuntimeError):  # the worker has stopped meanwhile
            datum = Datum(message.text, "string")
            reason = REASON.format(queue.name)
            if self._worker.invoke(function, datum, reason).result().ok:
                return queue.drop(message)
            if message.times >= self._most:
                return queue.poison(message)
            queue.release(message, self._hidden)
        return None
