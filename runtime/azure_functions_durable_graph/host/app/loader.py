"""Loads `function_app.py` as the Python worker does, and rejects what Azure would not load.

In Azure a function that cannot be loaded is simply missing, although the deployment succeeded; here it is an error at
start-up.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import sys
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import azure.functions as func

from ...azure.app import DurableGraphApp
from ...azure.graph_functions import GraphFunctions
from ...errors import HostError
from ...work.user_frames import user_frame
from .deliveries import BY_HAND
from .worker_rules import OUT, Declaration, declaration, load_problems

T = TypeVar("T")

_INDEXED: weakref.WeakKeyDictionary[Any, LoadedApp] = weakref.WeakKeyDictionary()
"""The functions of each app. The SDK lists them only once: a second call finds every name taken."""

_SERVED = frozenset({"httpTrigger", "orchestrationTrigger", "activityTrigger", "entityTrigger", *BY_HAND})


@dataclass(frozen=True)
class Function:
    """One function of the app. `trigger` is the trigger binding's dict, with camelCase keys."""

    name: str
    code: Any
    trigger: Mapping[str, Any]
    declared: Declaration

    @property
    def kind(self) -> str:
        """The trigger's type."""
        return str(self.trigger["type"])

    @property
    def not_served(self) -> str | None:
        """Why the local host cannot call it, if it cannot: its trigger, or an input that only Azure can provide."""
        if self.kind not in _SERVED:
            return self.kind
        if str(self.trigger.get("cardinality", "")).lower() == "many":
            return f"{self.kind} for many messages at once"
        given = {self.trigger["name"], self.client_parameter, *self.outputs}
        inputs = [binding.type for name, binding in self.declared.bindings.items() if name not in given]
        return f"{self.kind} with the input {inputs[0]}" if inputs else None

    @property
    def durable_name(self) -> str:
        """The name under which orchestrators and activities are called: the trigger's, else the function's."""
        for key in ("orchestration", "activity", "entityName"):
            if self.trigger.get(key):
                return str(self.trigger[key])
        return self.name

    @functools.cached_property
    def takes_context(self) -> bool:
        """Whether it has a parameter `context` for the invocation's context."""
        return "context" not in self.declared.bindings and "context" in self.declared.parameters

    @functools.cached_property
    def is_async(self) -> bool:
        """Whether the function is awaited on the worker's loop; any other runs in a thread."""
        return inspect.iscoroutinefunction(self.code)

    @property
    def client_parameter(self) -> str | None:
        """The parameter that takes the durable client, if there is one."""
        found = (name for name, binding in self.declared.bindings.items() if binding.type == "durableClient")
        return next(found, None)

    @functools.cached_property
    def outputs(self) -> dict[str, str]:
        """Parameters that take output, each with the type of the binding that converts it."""
        bindings = self.declared.bindings
        return {name: self.declared.converter_type(name) for name in bindings if bindings[name].direction == OUT}


@dataclass(frozen=True)
class LoadedApp:
    """The functions that the local host runs, the names and triggers of those that it does not run, and the graphs."""

    functions: tuple[Function, ...]
    not_served: tuple[tuple[str, str], ...]
    graphs: tuple[str, ...] = ()

    def of_kind(self, *kinds: str) -> list[Function]:
        """The functions with one of these triggers."""
        return [function for function in self.functions if function.kind in kinds]


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
        return importlib.import_module(Path(script).stem)  # this name, so that the SDK's codec finds its classes
    except (Exception, SystemExit) as error:  # the module may call sys.exit()
        raise HostError(f"{script} cannot be imported: {_describe(error)}") from error


def only(kind: type[T], what: str, module: ModuleType) -> T:
    """The one value of that kind at a module's top level. Raises HostError if there is none or more than one."""
    found = [value for value in vars(module).values() if isinstance(value, kind)]
    if len(found) != 1:
        raise HostError(f"{module.__name__}.py must have exactly one {what} at its top level, not {len(found)}")
    return found[0]


def index_app(app: Any) -> LoadedApp:
    """List the app's functions. Raises HostError, which names every function that Azure would reject."""
    if isinstance(app, GraphFunctions):
        app.runtime.check()  # raises RegistrationError for faults between graphs
    if app in _INDEXED:
        return _INDEXED[app]
    try:
        found = app.get_functions()
    except Exception as error:
        raise HostError(f"the app's functions cannot be listed: {error}") from error
    if refusals := [problem for item in found for problem in load_problems(item)]:
        raise HostError("Azure would not load this app: " + "; ".join(refusals))
    functions = [_function(item) for item in found]
    others = tuple((function.name, reason) for function in functions if (reason := function.not_served))
    _INDEXED[app] = LoadedApp(tuple(function for function in functions if not function.not_served), others)
    return _INDEXED[app]


def _function(item: Any) -> Function:
    return Function(
        name=item.get_function_name(),
        code=item.get_user_function(),
        trigger=_without_enums(item.get_trigger().get_dict_repr()),
        declared=declaration(item),
    )


def _without_enums(trigger: dict[str, Any]) -> dict[str, Any]:
    """Enum members as the text that the host reads."""
    plain = {key: getattr(value, "value", value) for key, value in trigger.items()}
    plain["methods"] = [str(getattr(m, "value", m)).upper() for m in trigger.get("methods") or ()]
    return plain


def _describe(error: BaseException) -> str:
    """`NameError: name 'x' is not defined (graphs/order.py, line 7: total = x)`: the user's last line that ran."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    place = user_frame(error)
    return f"{type(error).__name__}: {text}" + (f" ({place})" if place else "")
