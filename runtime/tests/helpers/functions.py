"""Activities and orchestrators that many tests of the engine use."""

from typing import Any

given_to: list[int] = []
"""What `flaky` was given since a test began."""


def double(given: int) -> int:
    return given * 2


def fail(given: object) -> None:
    raise ValueError(f"no {given}")


def flaky(given: int) -> int:
    """Fail until the counter in the list is 0."""
    given_to.append(given)
    if len(given_to) < given:
        raise RuntimeError("not yet")
    return len(given_to)


def listener(context: Any) -> Any:
    heard = []
    for _ in range(2):
        heard.append((yield context.wait_for_external_event("word")))
    return heard


def child(context: Any) -> Any:
    given = context.get_input()
    if given == "bad":
        raise ValueError("bad child")
    return (yield context.call_activity("double", given))
