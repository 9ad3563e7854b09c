"""Injected failures, for tests: the n-th call of a node raises instead of running."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...errors import RegistrationError
from ...graph.registration import GraphRegistration, NodeCode
from ...graph.signatures import awaits
from ...work.node_facts import item_here


class InjectedFailures:
    """The planned outcomes of the next calls of each node."""

    def __init__(self) -> None:
        self._planned: dict[tuple[str, str, int | None], deque[Exception | None]] = {}

    def plan(self, graph: GraphRegistration, node: str, *calls: Exception | None, item: int | None = None) -> None:
        """Plan what the next calls raise, those for one item of a map or all; None lets one succeed.

        Raises RegistrationError if there is no handler.
        """
        if graph.nodes[node].handler is None:
            raise RegistrationError(f"node {node!r} of graph {graph.graph_name!r} has no handler to fail")
        self._planned.setdefault((graph.graph_name, node, item), deque()).extend(calls)

    def into(self, graph: GraphRegistration) -> GraphRegistration:
        """The same graph, with the same hash, whose handlers follow the plan."""
        nodes = {
            name: code if code.handler is None else NodeCode(self._inject(graph, name, code.handler), code.route)
            for name, code in graph.nodes.items()
        }
        return replace(graph, nodes=nodes)

    def _raise_planned(self, key: tuple[str, str]) -> None:
        queue = self._planned.get((*key, item_here())) or self._planned.get((*key, None))
        error = queue.popleft() if queue else None
        if error is not None:
            raise error

    def _inject(self, graph: GraphRegistration, node: str, handler: Callable[..., Any]) -> Callable[..., Any]:
        key = (graph.graph_name, node)
        if awaits(handler):

            @functools.wraps(handler)
            async def injected_async(*arguments: Any, **keywords: Any) -> Any:
                self._raise_planned(key)
                return await handler(*arguments, **keywords)

            return injected_async

        @functools.wraps(handler)
        def injected(*arguments: Any, **keywords: Any) -> Any:
            self._raise_planned(key)
            return handler(*arguments, **keywords)

        return injected
