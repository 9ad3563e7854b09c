"""Every block of code in docs/usage.md is executed, in the situation that the guide describes: see `guide/`."""

from __future__ import annotations

import json

import pytest
from guide import apps, fan_outs, nodes, routing, waiting
from guide.blocks import BLOCKS, CHECKS, GUIDE

PARTS = (routing, waiting, nodes, fan_outs, apps)
"""Importing a part registers its checks."""


@pytest.mark.parametrize("name", BLOCKS)
def test_the_block_does_what_the_guide_says(name: str) -> None:
    CHECKS[name](BLOCKS[name])


def test_no_check_stands_for_a_block_that_is_gone() -> None:
    assert set(CHECKS) == set(BLOCKS)


def test_the_route_table_of_the_guide_is_the_one_that_is_served() -> None:
    from azure_functions_durable_graph.http.routes import ROUTES

    section = GUIDE.read_text(encoding="utf-8").split("\n## HTTP\n")[1].split("\n## ")[0]

    for route in ROUTES:
        assert f"{route.path}" in section, f"{route.path} is not in the guide"
    assert json.dumps("return") in section
