"""Load `function_app.py` as the Python worker does, and refuse what Azure would not load.

In Azure a function that cannot be loaded is simply missing, although the deployment succeeded; here it is an error at
start-up.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import sys
import typing
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import azure.functions as func

from ...azure.app import DurableGraphApp, GraphFunctions
from ...errors import HostError

T = TypeVar("T")

_INDEXED: weakref.WeakKeyDictionary[Any, LoadedApp] = weakref.WeakKeyDictionary()
"""The functions of each app. The SDK lists them only once: a second call finds every name taken."""

_SERVED = frozenset({"httpTrigger", "orchestrationTrigger", "activityTrigger", "entityTrigger", "timerTrigger"})
_CONTEXT_ONLY = {"orchestrationTrigger": "orchestrator", "entityTrigger": "entity"}


@dataclass(frozen=True)
class Function:
    """One function of the app. `trigger` is the trigger binding's dict, with camelCase keys."""

    name: str
    code: Any
    trigger: Mapping[str, Any]
    bindings: Mapping[str, str]

    @property
    def kind(self) -> str:
        """The trigger's type."""
        return str(self.trigger["type"])

    @property
    def durable_name(self) -> str:
        """The name under which orchestrators and activities are called: the trigger's, else the function's."""
        for key in ("orchestration", "activity", "entityName"):
            if self.trigger.get(key):
                return str(self.trigger[key])
        return self.name

    @functools.cached_property
    def takes_context(self) -> bool:
        """Whether the function has a parameter `context` that receives the invocation's context."""
        return "context" not in self.bindings and "context" in inspect.signature(self.code).parameters

    @functools.cached_property
    def is_async(self) -> bool:
        """Whether the function is awaited on the worker's loop; any other runs in a thread."""
        return inspect.iscoroutinefunction(self.code)

    @property
    def client_parameter(self) -> str | None:
        """The parameter that takes the durable client, if there is one."""
        return next((name for name, kind in self.bindings.items() if kind == "durableClient"), None)


@dataclass(frozen=True)
class LoadedApp:
    """The functions that the local host runs, the names and triggers of those that it does not run, and the graphs."""

    functions: tuple[Function, ...]
    not_served: tuple[tuple[str, str], ...]
    graphs: tuple[str, ...] = ()

    def of_kind(self, kind: str) -> list[Function]:
        """The functions with that trigger."""
        return [function for function in self.functions if function.kind == kind]


def load_app(folder: Path) -> LoadedApp:
    """Import the app in `folder`. Raises HostError, in one sentence, if it cannot be loaded."""
    module = load_module(folder)
    app = index_app(only(func.FunctionRegister, "function app", module))
    runtimes = [value for value in vars(module).values() if isinstance(value, DurableGraphApp)]
    graphs = [f"{graph.graph_name} {graph.manifest.version}" for one in runtimes for graph in one.registry.defaults()]
    return replace(app, graphs=tuple(graphs))


def load_runtime(folder: Path) -> DurableGraphApp:
    """The DurableGraphApp of the app in `folder`. Raises HostError like `load_app`."""
    return only(DurableGraphApp, "DurableGraphApp", load_module(folder))


def load_module(folder: Path) -> ModuleType:
    """Import the app's script, from its folder and under its own name."""
    script = os.environ.get("PYTHON_SCRIPT_FILE_NAME", "function_app.py")
    if not (folder / script).is_file():
        raise HostError(f"{folder} has no {script}; run this in the folder of a function app")
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(Path(script).stem)  # under this name the SDK's codec finds its classes
    except Exception as error:
        raise HostError(f"{script} cannot be imported: {_place(error)}") from error


def only(kind: type[T], what: str, module: ModuleType) -> T:
    """The one value of that kind at a module's top level. Raises HostError if there is none or more than one."""
    found = [value for value in vars(module).values() if isinstance(value, kind)]
    if len(found) != 1:
        raise HostError(f"{module.__name__}.py must have one {what} at its top level, it has {len(found)}")
    return found[0]


def index_app(app: Any) -> LoadedApp:
    """List the app's functions. Raises HostError naming every function that Azure would refuse."""
    if isinstance(app, GraphFunctions):
        app.runtime.check()  # graphs that do not fit each other: RegistrationError
    if app in _INDEXED:
        return _INDEXED[app]
    try:
        found = app.get_functions()
    except Exception as error:
        raise HostError(f"the app's functions cannot be listed: {error}") from error
    functions, others, faults = [], [], []
    for item in found:
        function = _function(item)
        if function.kind not in _SERVED:
            others.append((function.name, function.kind))
            continue
        faults += list(_faults(function))
        functions.append(function)
    if faults:
        raise HostError("Azure would not load this app: " + "; ".join(faults))
    _INDEXED[app] = LoadedApp(tuple(functions), tuple(others))
    return _INDEXED[app]


def _function(item: Any) -> Function:
    bindings = item.get_bindings()
    return Function(
        name=item.get_function_name(),
        code=item.get_user_function(),
        trigger=_lowered(item.get_trigger().get_dict_repr()),
        bindings={binding.name: binding.type for binding in bindings},
    )


def _lowered(trigger: dict[str, Any]) -> dict[str, Any]:
    """Enum members as the text that the host reads."""
    plain = {key: getattr(value, "value", value) for key, value in trigger.items()}
    plain["methods"] = [str(getattr(m, "value", m)).upper() for m in trigger.get("methods") or ()]
    return plain


def _faults(function: Function) -> Iterator[str]:
    """The worker's load-time checks (worker 4.x, functions.py)."""
    name = function.name
    if function.kind in _CONTEXT_ONLY and "context" not in function.bindings:
        yield f"{name}: the {_CONTEXT_ONLY[function.kind]}'s context_name must be 'context'"
        return
    parameters = inspect.signature(function.code).parameters
    bound = set(function.bindings) - {"$return"}
    for parameter in parameters:
        if parameter not in bound and parameter != "context":
            yield f"{name}: the parameter {parameter!r} has no binding"
    for binding in sorted(bound - set(parameters)):
        yield f"{name}: the binding {binding!r} has no parameter"
    yield from _annotation_faults(function, parameters)


def _annotation_faults(function: Function, parameters: Iterable[str]) -> Iterator[str]:
    try:
        hints = typing.get_type_hints(function.code)
    except Exception as error:  # the annotations are the app's code
        yield f"{function.name}: its annotations cannot be read ({error})"
        return
    for parameter in parameters:
        hint = hints.get(parameter)
        if hint is not None and (typing.get_origin(hint) is not None or not isinstance(hint, type)):
            yield f"{function.name}: {parameter!r} is annotated {hint}; the worker takes plain classes only"
    returned = hints.get("return")
    if function.kind == "httpTrigger":
        trigger = hints.get(str(function.trigger["name"]))
        if isinstance(trigger, type) and not issubclass(trigger, func.HttpRequest):
            yield f"{function.name}: {function.trigger['name']!r} must be an HttpRequest"
        if isinstance(returned, type) and not issubclass(returned, (func.HttpResponse, str)):
            yield f"{function.name}: an HTTP function returns HttpResponse or str"


def _place(error: Exception) -> str:
    """`NameError: name 'x' is not defined (graphs/order.py, line 7)`."""
    text = f"{type(error).__name__}: {error}"
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return text
    path = Path(traceback.tb_frame.f_code.co_filename)
    return f"{text} ({path.name}, line {traceback.tb_lineno})"
