"""Routes match as in the Functions host: ASP.NET templates, by function name, never 405."""

from typing import Any

import pytest

from azure_functions_durable_graph.errors import HostError
from azure_functions_durable_graph.host.web.route_templates import clashes, endpoint, match


def values(template: str, path: str, method: str = "GET", methods: Any = ()) -> Any:
    return endpoint("f", template, methods).match(method, path.strip("/"))


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("health", "health", {}),
        ("Health", "HEALTH", {}),
        ("runs/{id}", "runs/a", {"id": "a"}),
        ("runs/{id}", "runs/a%20b%2Fc", {"id": "a b/c"}),
        ("runs/{id}", "RUNS/Abc", {"id": "Abc"}),
        ("runs/{id?}", "runs", {}),
        ("runs/{id?}", "runs/a", {"id": "a"}),
        ("runs/{id=first}", "runs", {"id": "first"}),
        ("files/{*rest}", "files/a/b/c", {"rest": "a/b/c"}),
        ("files/{*rest}", "files", {}),
        ("n/{n:int}", "n/-12", {"n": "-12"}),
        ("n/{n:int:min(3)}", "n/3", {"n": "3"}),
        ("n/{n:range(1,5)?}", "n/5", {"n": "5"}),
        ("{a}-{b}", "x-y", {"a": "x", "b": "y"}),
        ("{name}.json", "openapi.json", {"name": "openapi"}),
        ("g/{id:guid}", "g/00000000-0000-0000-0000-000000000007", {"id": "00000000-0000-0000-0000-000000000007"}),
        ("r/{x:regex(^[a-z]{{2}}$)}", "r/ab", {"x": "ab"}),
        ("w/{x:alpha:length(2,3)}", "w/abc", {"x": "abc"}),
    ],
)
def test_a_template_takes_its_values_from_the_path(template: str, path: Any, expected: Any) -> None:
    assert values(template, path) == expected


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("runs/{id}", "runs"),
        ("runs/{id}", "runs/a/b"),
        ("runs", "runs/a"),
        ("n/{n:int}", "n/x"),
        ("r/{x:regex(^[a-z]{{2}}$)}", "r/abc"),
        ("n/{n:int}", "n/99999999999"),
        ("n/{n:int:min(3)}", "n/2"),
        ("n/{n:max(3)}", "n/4"),
        ("b/{b:bool}", "b/yes"),
        ("d/{d:datetime}", "d/soon"),
        ("f/{f:double}", "f/x"),
        ("w/{x:alpha}", "w/a1"),
        ("w/{x:minlength(3)}", "w/ab"),
        ("w/{x:maxlength(1)}", "w/ab"),
        ("w/{x:length(2)}", "w/abc"),
        ("w/{x:required}", "w/%20"),
    ],
)
def test_what_does_not_fit_does_not_match(template: str, path: Any) -> None:
    assert values(template, path) is None


def test_a_verb_that_does_not_fit_is_no_match() -> None:
    assert values("runs", "runs", "POST", ["GET"]) is None
    assert values("runs", "runs", "POST", []) == {}


def test_the_first_function_by_name_wins_not_the_more_specific_route() -> None:
    endpoints = [endpoint("b", "runs/special", ()), endpoint("A", "runs/{id}", ())]

    found = match(endpoints, "GET", "/runs/special")

    assert found is not None
    assert (found[0].function, found[1]) == ("A", {"id": "special"})


@pytest.mark.parametrize("template", ["admin/x", "runtime", "Admin"])
def test_routes_that_the_host_reserves_are_refused(template: str) -> None:
    with pytest.raises(HostError, match="reserved by the host"):
        endpoint("f", template, ())


@pytest.mark.parametrize(
    ("template", "text"),
    [("a/{x:colour}", "colour"), ("a/{1x}", "'1x'"), ("a/{x:min(a)}", "min"), ("a/{x:regex([)}", "regex")],
)
def test_a_template_that_makes_no_sense_is_refused(template: str, text: Any) -> None:
    with pytest.raises(HostError, match=text):
        endpoint("f", template, ())


def test_two_functions_with_one_route_and_a_common_verb_clash() -> None:
    get, post, both = endpoint("a", "x", ["GET"]), endpoint("b", "X/", ["POST"]), endpoint("c", "x", [])

    assert clashes([get, post]) == []
    assert len(clashes([get, post, both])) == 2
