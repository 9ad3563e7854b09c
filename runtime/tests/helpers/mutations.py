"""JSON files as disks, editors and merges damage them: seeded, so that a failure can be seen again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

ODD_VALUES: list[Any] = [None, True, False, 0, -1, 1.5, 10**30, float("nan"), float("inf")]
ODD_VALUES += ["", "x", "\ud800", "a\u0000b", [], {}, [[]], {"a": 1}]


def mutations(text: str, count: int, seed: int = 0) -> Iterator[bytes]:
    """So many damaged versions of a JSON file, by every kind of damage in turn."""
    chance = random.Random(seed)
    for number in range(count):
        yield _DAMAGES[number % len(_DAMAGES)](text, chance)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a document with each of its keys or indices."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])


def _flipped(text: str, chance: random.Random) -> bytes:
    data = bytearray(text.encode())
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _cut(text: str, chance: random.Random) -> bytes:
    return text.encode()[: chance.randrange(len(text))]


def _another_value(text: str, chance: random.Random) -> bytes:
    data = json.loads(text)
    container, key = chance.choice(list(_places(data)))
    container[key] = chance.choice(ODD_VALUES)
    return json.dumps(data).encode()


def _dropped(text: str, chance: random.Random) -> bytes:
    data = json.loads(text)
    container, key = chance.choice(list(_places(data)))
    del container[key]
    return json.dumps(data).encode()


def _renamed(text: str, chance: random.Random) -> bytes:
    data = json.loads(text)
    container, key = chance.choice([place for place in _places(data) if isinstance(place[0], dict)])
    container[chance.choice(["x", "", "\ud800", f"{key}s"])] = container.pop(key)
    return json.dumps(data).encode()


def _twice(text: str, chance: random.Random) -> bytes:
    lines = text.splitlines()
    at = chance.randrange(len(lines))
    return "\n".join([*lines[: at + 1], lines[at], *lines[at + 1 :]]).encode()


def _deep(text: str, chance: random.Random) -> bytes:
    depth = chance.choice([500, 5_000, 200_000])
    at = text.index(":", chance.randrange(len(text) // 2)) + 1
    return (text[:at] + "[" * depth + "]" * depth + "," + text[at:]).encode()


def _huge_number(text: str, chance: random.Random) -> bytes:
    number = chance.choice(["9" * 10_000, "1e999", "-1e999", "NaN", "Infinity", "1" + "0" * 400])
    at = text.index(":", chance.randrange(len(text) // 2)) + 1
    end = min(text.find(mark, at) for mark in ",\n" if text.find(mark, at) > 0)
    return (text[:at] + number + text[end:]).encode()


def _whole(text: str, chance: random.Random) -> bytes:
    return chance.choice([b"", b" ", b"null", b"[]", b'"x"', b"1", b"\xff\xfe", b"\x00" * 100, b"{}", b'{"format": 1}'])


def _encoded(text: str, chance: random.Random) -> bytes:
    return text.replace("e", "é").encode(chance.choice(["utf-16", "utf-32", "latin-1", "utf-16-le"]))


def _merged(text: str, chance: random.Random) -> bytes:
    at = chance.randrange(len(text))
    return f"{text[:at]}\n<<<<<<< HEAD\n{text[at:]}\n=======\n{text}\n>>>>>>> branch\n".encode()


_DAMAGES: list[Callable[[str, random.Random], bytes]] = [
    _flipped, _cut, _another_value, _dropped, _renamed, _twice, _deep, _huge_number, _whole, _encoded, _merged,
]  # fmt: skip
