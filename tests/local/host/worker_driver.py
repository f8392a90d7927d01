"""Drives Azure's own Python worker library on a function app, without its host and without gRPC.

    python worker_driver.py APP_DIRECTORY [FUNCTION EVENT_JSON]

Runs under the interpreter that has `azure-functions-runtime`. Prints one JSON object: the indexed
functions with their bindings or the error, how the invocation ended if one was asked for, and its
lines: logger, thread, and the invocation that the worker knows each by.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from types import SimpleNamespace as Message
from typing import Any

import azure_functions_runtime as runtime


class Lines(logging.Handler):
    """Notes of each line what the worker's own handler asks for where it is written."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        known = str(runtime.invocation_id_cv.get())
        self.seen.append((record.name, str(record.threadName), known))


class Status(Message):
    """A result: Failure or Success."""

    Failure, Success = 0, 1


class Binding(Message):
    """A binding, with the directions and data types of the protocol."""

    undefined = None
    inout = 2
    out = 1


class Data(Message):
    """A typed value that knows which kind it holds."""

    def WhichOneof(self, _kind: str) -> str:  # noqa: N802 - the protocol's name
        return next(iter(vars(self)))


class Parameter(Message):
    """A named value of an invocation."""

    def WhichOneof(self, _kind: str) -> str:  # noqa: N802 - the protocol's name
        return "data"


class Protocol:
    """Stands for the generated messages: those that are only carried about are plain values."""

    StatusResult, BindingInfo, TypedData = Status, Binding, Data

    def __getattr__(self, _name: str) -> type[Message]:
        return Message


def request(kind: str, **fields: object) -> Message:
    """A request as the worker's dispatcher hands it over."""
    properties = {"protos": Protocol(), "host": "127.0.0.1"}
    return Message(request=Message(**{kind: Message(**fields)}), properties=properties)


async def invoked(function_id: str, parameter: str, event: str) -> dict[str, Any]:
    """Invoke with one event, as the Event Grid trigger does."""
    answer = await runtime.invocation_request(
        request(
            "invocation_request",
            invocation_id="1",
            function_id=function_id,
            input_data=[Parameter(name=parameter, data=Data(json=event))],
            trigger_metadata={},
            trace_context=Empty(),
            retry_context=Empty(),
        )
    )
    failed = answer.result.status != Status.Success
    return {"ok": not failed, "error": answer.result.exception.message if failed else ""}


class Empty:
    """A message whose fields were all left out."""

    def __getattr__(self, _name: str) -> str:
        return ""


async def drive(directory: str, function: str = "", event: str = "") -> dict[str, Any]:
    """Index the app, then invoke one function if asked."""
    initialized = await runtime.worker_init_request(
        request("worker_init_request", capabilities={}, function_app_directory=directory)
    )
    if initialized.result.status != Status.Success:
        return {"error": initialized.result.exception.message}
    answer = await runtime.functions_metadata_request(request("functions_metadata_request"))
    found = {f.name: f for f in answer.function_metadata_results or ()}
    bindings = {n: [json.loads(b) for b in f.raw_bindings] for n, f in found.items()}
    said: dict[str, Any] = {"error": "", "functions": bindings}
    if function:
        runtime.start_threadpool_executor()
        lines = Lines()
        logging.getLogger().addHandler(lines)
        parameter = bindings[function][0]["name"]
        said["invocation"] = await invoked(found[function].function_id, parameter, event)
        runtime.stop_threadpool_executor()
        said["lines"] = lines.seen
    return said


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    os.chdir(sys.argv[1])
    sys.path.insert(0, sys.argv[1])
    print(json.dumps(asyncio.run(drive(*sys.argv[1:]))))  # noqa: T201 - its one answer
