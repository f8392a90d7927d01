"""Indexing: which functions an app has, checked the way the Python worker checks them.

The worker imports `function_app.py`, takes its one `FunctionApp` and compares every parameter with
its binding; one exception and the host sees no function at all. The rules are those of the worker
library that Azure loads (https://pypi.org/project/azure-functions-runtime/); what this host cannot
fire or fill (other triggers, other output bindings) it refuses by name.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import azure.functions as azf
from azure.functions.meta import Datum
from azure.functions.meta import get_binding_registry as _registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

EVENT_GRID = "eventGridTrigger"
TIMER = "timerTrigger"
HTTP = "httpTrigger"
QUEUE = "queueTrigger"
TRIGGERS = (EVENT_GRID, TIMER, HTTP, QUEUE)
RETURN, OUTPUT = "$return", "queue"
TEXT = (str, bytes)


_converters: Callable[[], Any] = _registry  # the library gives it no types


class IndexingError(Exception):
    """The app cannot be indexed; the message says which function and why."""


@dataclass(frozen=True)
class IndexedFunction:
    """One function and how to call it: `parameter` takes the trigger's value.

    `outputs`: the queues that it may put messages on, by the parameters that take these.
    """

    name: str
    call: Callable[..., Any]
    kind: str
    parameter: str
    binding: Mapping[str, Any]
    decode: Callable[[Datum], Any]
    wants_context: bool
    returns: bool
    outputs: Mapping[str, Mapping[str, Any]]
    directory: str

    @property
    def is_async(self) -> bool:
        """Whether it is a coroutine function, which runs on the event loop."""
        return inspect.iscoroutinefunction(self.call)


def load(directory: Path, script: str = "function_app.py") -> azf.FunctionRegister:
    """Import the app's script as the worker does, by module name with its folder on `sys.path`.

    Raises IndexingError when the import fails, or when there is not exactly one app in it.
    """
    path = directory.resolve() / script
    if not path.is_file():
        raise IndexingError(f"no {script} in {directory}")
    return _app_in(_imported(path), script)


def _imported(path: Path) -> object:
    """The script as a module of its own name, new each time: its app can be indexed only once."""
    sys.path[:] = [str(path.parent), *(p for p in sys.path if p != str(path.parent))]
    sys.modules.pop(path.stem, None)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(path.stem)
    except Exception as error:
        raise IndexingError(f"{path.name}: {type(error).__name__}: {error}") from error


def _app_in(module: object, script: str) -> azf.FunctionRegister:
    apps = {id(v): v for v in vars(module).values() if isinstance(v, azf.FunctionRegister)}
    if len(apps) != 1:
        raise IndexingError(f"{script}: {len(apps)} function apps at top level; one is needed")
    return next(iter(apps.values()))


def index(app: azf.FunctionRegister) -> dict[str, IndexedFunction]:
    """Every function of the app by name. Raises IndexingError if any one of them is wrong."""
    app.functions_bindings = None  # the names that an earlier indexing left would clash
    try:
        functions = app.get_functions()
    except Exception as error:
        raise IndexingError(str(error)) from error
    if not functions:
        raise IndexingError("the function app has no functions")
    return {str(f.get_function_name()): _indexed(f) for f in functions}


def _indexed(function: Any) -> IndexedFunction:
    name, call = str(function.get_function_name()), function.get_user_function()
    trigger = function.get_trigger()
    others = [b for b in function.get_bindings() if b is not trigger]
    _check_bindings(name, trigger, others)
    hints = _hints(name, call)  # first: from Python 3.14 on a signature reads the annotations too
    parameters = set(inspect.signature(call).parameters)
    outputs = {b.name: b.get_dict_repr() for b in others if b.type == OUTPUT}
    _check_outputs(name, outputs, hints)
    wants_context = _check_names(name, parameters - outputs.keys(), trigger.name, hints)
    if len(others) > len(outputs) and "return" in hints:
        _check_return(name, hints["return"])
    return IndexedFunction(
        name=name,
        call=call,
        kind=trigger.type,
        parameter=trigger.name,
        binding=trigger.get_dict_repr(),
        decode=_decoder(name, trigger, hints),
        wants_context=wants_context,
        returns=len(others) > len(outputs),
        outputs=outputs,
        directory=str(inspect.getfile(call).rpartition("/")[0]),
    )


def _check_bindings(name: str, trigger: Any, others: list[Any]) -> None:
    if trigger.type not in TRIGGERS:
        raise _wrong(name, f"this host cannot fire a {trigger.type}")
    for binding in others:
        if (binding.name, binding.type) != (RETURN, "http") and binding.type != OUTPUT:
            raise _wrong(name, f'this host cannot fill the binding "{binding.name}"')


def _check_outputs(name: str, outputs: Iterable[str], hints: Mapping[str, Any]) -> None:
    """As the worker does: `func.Out[T]`, of a T that the binding takes."""
    for output in outputs:
        (wanted,) = typing.get_args(hints.get(output)) or (None,)
        out = typing.get_origin(hints.get(output)) is azf.Out
        if not out or not converter_for(OUTPUT).check_output_type_annotation(wanted):
            raise _wrong(name, f"the binding {output!r} wants an azure.functions.Out of texts")


def _hints(name: str, call: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(call)
    except Exception as error:
        raise _wrong(name, f"annotation cannot be read: {error}") from error


def _check_names(name: str, parameters: set[str], bound: str, hints: Mapping[str, Any]) -> bool:
    wants_context = "context" in parameters and bound != "context"
    if wants_context and getattr(hints.get("context"), "__name__", "Context") != "Context":
        raise _wrong(name, 'the "context" parameter must be an azure.functions.Context')
    undeclared = parameters - {bound} - ({"context"} if wants_context else set())
    if undeclared:
        raise _wrong(name, f"parameters without a binding: {sorted(undeclared)}")
    if bound not in parameters:
        raise _wrong(name, f"the binding {bound!r} has no parameter")
    return wants_context


def _decoder(name: str, trigger: Any, hints: Mapping[str, Any]) -> Callable[[Datum], Any]:
    """How the trigger's value reaches the parameter; text annotations get the raw JSON."""
    annotation = hints.get(trigger.name)
    if annotation in TEXT:
        return _as_text
    converter = converter_for(trigger.type)
    if annotation is not None and not _accepts(converter.check_input_type_annotation, annotation):
        shown = getattr(annotation, "__name__", annotation)
        raise _wrong(
            name,
            f'type of {trigger.name} binding in the binding decorator "{trigger.type}" '
            f'does not match its Python annotation "{shown}"',
        )
    return lambda datum: converter.decode(datum, trigger_metadata={})


def _check_return(name: str, annotation: Any) -> None:
    converter = converter_for("http")
    if not _accepts(converter.check_output_type_annotation, annotation):
        raise _wrong(name, f'return annotation "{annotation}" does not match binding type "http"')


def _accepts(check: Callable[[Any], bool], annotation: Any) -> bool:
    try:
        return isinstance(annotation, type) and check(annotation)
    except TypeError:
        return False


def _as_text(datum: Datum) -> str:
    if datum.type != "json":
        raise ValueError(f'unexpected type of data for the "generic" binding: {datum.type}')
    return str(datum.value)


def _wrong(name: str, why: str) -> IndexingError:
    return IndexingError(f"cannot load the {name} function: {why}")


def converter_for(binding: str) -> Any:
    """azure.functions' own converter between a binding's wire value and Python."""
    return _converters().get(binding)


def json_datum(value: object) -> Datum:
    """A trigger's value as the host hands it to the worker."""
    return Datum(json.dumps(value), "json")
