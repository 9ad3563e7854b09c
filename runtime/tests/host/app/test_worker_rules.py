"""The loader refuses what the Python worker refuses, and nothing else. The template's tests ask the worker itself."""

from collections.abc import Callable
from typing import Any

import azure.durable_functions as df
import pytest
from odd_functions import ROWS

from azure_functions_durable_graph.errors import HostError
from azure_functions_durable_graph.host.app.loader import index_app


@pytest.mark.parametrize(("add", "loads"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_loader_decides_as_the_worker_does(add: Callable[[Any], object], loads: bool) -> None:
    app = df.DFApp()
    add(app)

    if loads:
        index_app(app)
    else:
        with pytest.raises(HostError, match=r"Azure would not load this app: .*: "):
            index_app(app)
