"""The mutants of a module: one small change each, made in its text at the place that its syntax tree tells."""

from __future__ import annotations

import ast
import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COMPARISONS = {
    "==": "!=",
    "!=": "==",
    "<=": "<",
    ">=": ">",
    "<": "<=",
    ">": ">=",
    "is not": "is",
    "not in": "in",
    "is": "is not",
    "in": "not in",
}
ARITHMETIC = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Pow: ("**", "*")}
ARITHMETIC |= {ast.FloorDiv: ("//", "*"), ast.BitOr: ("|", "&"), ast.BitAnd: ("&", "|")}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
MEMBERS = {
    "Impact": ("COSMETIC", "SAFE", "BREAKING"),
    "RouteAction": ("NEXT", "WAIT_FOR_EVENT", "WAIT_FOR_ANY", "SLEEP", "COMPLETE"),
}
"""Enums whose members decide something: each is replaced by each other."""

Change = tuple[ast.AST, int, int, str]
"""The node, and the text that takes the place of what is between two offsets."""


@dataclass(frozen=True)
class Mutant:
    """One change. `id` follows from what is changed and in which function, not from where the function is."""

    id: str
    path: str
    line: int
    last_line: int
    start: int
    end: int
    text: str
    shown: str

    @property
    def room(self) -> str:
        """The room of its module."""
        return self.path.partition("/")[0]

    def applied_to(self, source: bytes) -> bytes:
        """The module with the change."""
        return source[: self.start] + self.text.encode() + source[self.end :]

    def __str__(self) -> str:
        return f"{self.id} {self.path}:{self.line}: {self.shown}"


class Module:
    """A module's tree, with the place of each node in its text."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def start(self, node: ast.AST) -> int:
        """Where a node begins, in bytes."""
        return self._lines[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined,no-any-return]

    def end(self, node: ast.AST) -> int:
        """Where a node ends, in bytes."""
        return self._lines[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined,no-any-return]

    def text(self, node: ast.AST) -> str:
        """A node's own text."""
        return self.source[self.start(node) : self.end(node)].decode()

    def whole(self, node: ast.AST, text: str) -> Change:
        """The node replaced by a text."""
        return node, self.start(node), self.end(node), text

    def between(self, node: ast.AST, left: ast.AST, right: ast.AST, old: str, new: str) -> Change:
        """An operator between two operands replaced."""
        begin, gap = self.end(left), self.source[self.end(left) : self.start(right)].decode()
        at = _sign(old).search(gap)
        assert at is not None, f"no {old} in {gap!r}"
        return node, begin + len(gap[: at.start()].encode()), begin + len(gap[: at.end()].encode()), new


def mutants_of(path: str, source: bytes) -> Iterator[Mutant]:
    """Every mutant of one module."""
    module, seen = Module(source), Counter[str]()
    for owner, node in _walk(ast.parse(source), "", top=True):
        for operator in _OPERATORS:
            for _, start, end, text in operator(module, node):
                old = source[start:end].decode()
                line = source.count(b"\n", 0, start) + 1
                around = source.splitlines()[line - 1].decode().strip()
                key = "\n".join((path, owner, around, old, text))
                seen[key] += 1
                digest = hashlib.sha256(f"{key}\n{seen[key]}".encode()).hexdigest()[:8]
                last = line + old.count("\n")
                yield Mutant(
                    digest, path, line, last, start, end, text, f"{_brief(old)} -> {_brief(text)}  in `{around}`"
                )


def _sign(sign: str) -> re.Pattern[str]:
    """An operator that is not a part of a longer one."""
    words = r"\s+".join(map(re.escape, sign.split()))
    return re.compile(rf"(?<![\w<>=!*/|&]){words}(?![\w<>=*/|&])")


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 50 else f"{line[:47]}..."


def _walk(node: ast.AST, owner: str, *, top: bool = False) -> Iterator[tuple[str, ast.AST]]:
    """Every node that decides something, with the name of its function: no annotations, no texts, no assertions."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, (ast.JoinedStr, ast.Assert, ast.Import)):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue  # a docstring, or the body of a Protocol's method
            if isinstance(child, ast.If) and "version_info" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.Call) and ast.unparse(child.func) == "TypeVar":
                continue
            named = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            inner = f"{owner}.{child.name}" if named else owner  # type: ignore[attr-defined]
            if top:
                child.at_top = True  # type: ignore[attr-defined]
            yield inner, child
            yield from _walk(child, inner, top=top and not named)


def _comparison(module: Module, node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for left, right in itertools.pairwise(operands):
            gap = module.source[module.end(left) : module.start(right)].decode()
            old = next(sign for sign in COMPARISONS if _sign(sign).search(gap))
            yield module.between(node, left, right, old, COMPARISONS[old])


def _condition(module: Module, node: ast.AST) -> Iterator[Change]:
    if isinstance(node, (ast.If, ast.While, ast.IfExp)) and not _is_negated_elsewhere(node.test):
        yield module.whole(node.test, f"(not ({module.text(node.test)}))")
    if isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield module.whole(test, "True")
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield module.whole(node, module.text(node.operand))
    if isinstance(node, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in itertools.pairwise(node.values):
            yield module.between(node, left, right, old, new)


def _is_negated_elsewhere(test: ast.AST) -> bool:
    """Whether another operator turns the condition around already."""
    ordered = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
    simple = isinstance(test, ast.Compare) and len(test.ops) == 1 and not isinstance(test.ops[0], ordered)
    return simple or isinstance(test, ast.Constant) or (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not))


def _arithmetic(module: Module, node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield module.between(node, node.left, node.right, *ARITHMETIC[type(node.op)])


def _constant(module: Module, node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, bool):
            yield module.whole(node, str(not value))
        elif isinstance(value, (int, float)):
            yield module.whole(node, repr(value + 1))
        elif isinstance(value, str) and re.fullmatch(r"[\w.:-]{2,60}", value):  # a key or a name, not a sentence
            yield module.whole(node, repr(value + "_"))


def _name(module: Module, node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
        yield module.whole(node.func, NAMES[node.func.id])
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in MEMBERS:
        members = MEMBERS[node.value.id]
        for other in members if node.attr in members else ():
            if other != node.attr:
                yield module.whole(node, f"{node.value.id}.{other}")


def _statement(module: Module, node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield module.whole(node, "return None")
    writes = isinstance(node, ast.Assign) and not all(isinstance(target, ast.Name) for target in node.targets)
    leaves = isinstance(node, (ast.Raise, ast.Continue, ast.Break, ast.AugAssign, ast.Expr, ast.Delete))
    if leaves or (writes and not isinstance(node.targets[0], ast.Tuple)):  # type: ignore[attr-defined]
        yield module.whole(node, "pass")


def _row(module: Module, node: ast.AST) -> Iterator[Change]:
    """A row of a table taken out."""
    if not hasattr(node, "at_top"):
        return
    rows: list[tuple[ast.AST, ast.AST]] = []
    if isinstance(node, ast.Dict):
        rows = [(key, value) for key, value in zip(node.keys, node.values, strict=True) if key is not None]
    elif isinstance(node, (ast.Tuple, ast.Set, ast.List)) and not isinstance(getattr(node, "ctx", None), ast.Store):
        rows = [(item, item) for item in node.elts] if len(node.elts) > 2 else []
    for first, last in rows:
        comma = re.match(rb"\s*,", module.source[module.end(last) :])
        if comma is not None:
            yield first, module.start(first), module.end(last) + comma.end(), ""


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


_OPERATORS: tuple[Callable[[Module, ast.AST], Iterator[Change]], ...] = (
    _comparison,
    _condition,
    _arithmetic,
    _constant,
    _name,
    _statement,
    _row,
)
