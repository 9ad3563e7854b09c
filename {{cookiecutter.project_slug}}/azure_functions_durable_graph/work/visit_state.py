"""The state during one visit: loaded once, changed by updates, and turned into a patch at the end.

A patch is what the user's code changed: the keys that a handler returned, and what validation changed compared with the
baseline, which was loaded and dumped in this process. Comparing with the JSON in the history would report differences
that are not changes: sets have no order, and a new field of the model has its default.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel

from ..errors import PayloadError
from ..graph.fields import field_keys, unknown_attributes, unknown_fields
from ..graph.names import did_you_mean
from ..graph.plain_json import check, same_json
from ..graph.reducers import read_update, reduce_field, reducers_of
from ..graph.states import check_comes_back, dump, dump_checked, has_validators, load

StateT = TypeVar("StateT", bound=BaseModel)


class VisitState(Generic[StateT]):
    """The state of a visit. `value` is passed to user code; changes that it makes in place are not kept."""

    def __init__(self, model: type[StateT], state: Mapping[str, Any]) -> None:
        """Raises pydantic's ValidationError if the model cannot read the state."""
        self._model = model
        self._given = state
        self.value = load(model, state)
        self._written: set[str] = set()
        self._replaced = False
        self._baseline: dict[str, Any] | None = None
        self._dumped: dict[str, Any] | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The state's JSON form, without what user code has changed in place."""
        if self._dumped is None:
            self._keep_baseline(dump(load(self._model, self._given)))
        return cast("dict[str, Any]", self._dumped)

    def _keep_baseline(self, baseline: dict[str, Any]) -> None:
        """Remember how this process dumps the unchanged state; done only when it is needed."""
        self._baseline = self._dumped = baseline

    def apply(self, update: Any, who: str) -> list[str]:
        """Merge what user code returned, and validate it once. Returns the fields whose changes in place are lost.

        dict: shallow merge; a field with a reducer is reduced instead. A state model: full replacement. None:
        unchanged. Raises TypeError, which begins with `who`, for anything else and for unknown fields; ReducerFailed;
        pydantic's ValidationError; and PayloadError for what has no JSON form.
        """
        lost = [] if update is self.value else self._undo_changes_in_place()
        if update is None:
            return lost
        if isinstance(update, BaseModel):
            self._replace(update, who)
            return lost
        if not isinstance(update, Mapping):
            raise TypeError(_wrong_type(update, who))
        values = self._by_field(update, who)
        merged = _values(self.value)
        for key, value in values.items():
            reduces = key in reducers_of(self._model) and key in merged
            merged[key] = reduce_field(self._model, key, merged[key], value) if reduces else value
        self._validate(merged, set(values))
        return [name for name in lost if name not in values]

    def apply_json(self, update: Mapping[str, Any]) -> None:
        """Merge an update that has crossed the durable boundary, by the same rules as a returned dict."""
        reduced = [key for key in update if key in reducers_of(self._model)]
        plain = {key: value for key, value in update.items() if key not in reduced}
        values = _values(load(self._model, {**self.fields, **plain})) if plain else _values(self.value)
        for key in reduced:
            values[key] = reduce_field(self._model, key, values[key], read_update(self._model, key, update[key]))
        self._validate(values, set(update))

    def merge_patch(self, patch: Mapping[str, Any]) -> None:
        """Merge a patch of fields that were validated when they were written, and compute what depends on them.

        They stay as they are; another field changes only if it validates to another value because of them.
        """
        before = self.fields
        self.value = load(self._model, {**self._given, **patch})
        after = dump(self.value)
        kept = {**{name: value for name, value in self._given.items() if name in after}, **patch}
        derived = {name for name, value in after.items() if not same_json(value, before.get(name, _NEW))} - set(patch)
        self._baseline = {**before, **kept}
        self._dumped = {**after, **kept, **{name: after[name] for name in derived}}

    def split(self, update: Any, who: str) -> tuple[dict[str, Any], Any]:
        """What a branch returned: the updates of fields with a reducer, by field name, and everything else."""
        if not isinstance(update, Mapping):
            return {}, update
        values = self._by_field(update, who)
        reduced = {key: value for key, value in values.items() if key in reducers_of(self._model)}
        return reduced, {key: value for key, value in values.items() if key not in reduced}

    def patch(self) -> tuple[dict[str, Any], list[str]]:
        """The fields that were written or changed, and those that were removed."""
        if self._dumped is None or self._dumped is self._baseline:
            return {}, []
        before, after = self._baseline or {}, self._dumped
        changed = {
            key: after[key] for key in after if key in self._written or not same_json(before.get(key, _NEW), after[key])
        }
        return changed, [key for key in before if key not in after]

    def derives(self, name: str) -> bool:
        """Whether a changed field was computed by validation: no update has named it."""
        return not self._replaced and name not in self._written

    def _by_field(self, update: Mapping[Any, Any], who: str) -> dict[str, Any]:
        """The update by field names. Raises TypeError for unknown fields, and for a coroutine as a value."""
        for key in unknown_fields(self._model, update):
            raise TypeError(f"{who} returned the unknown field {key!r}; {did_you_mean(key, self._model.model_fields)}")
        for key, value in update.items():
            if inspect.iscoroutine(value):
                value.close()
                raise TypeError(f"{who} returned a coroutine as {key!r}; did you forget `await`?")
        keys = field_keys(self._model)
        return {keys.get(key, key): value for key, value in update.items()}

    def _replace(self, update: BaseModel, who: str) -> None:
        """Full replacement, by a model with exactly the fields of the state."""
        names, kind = set(self._model.model_fields), type(update)
        if kind is not self._model:
            if missing := sorted(names - set(kind.model_fields)):
                text = f"the state's {', '.join(map(repr, missing))} would be lost"
                raise TypeError(f"{who} returned a {kind.__name__}, not a {self._model.__name__}: {text}")
            more = sorted(set(kind.model_fields) - names)
            if more or not issubclass(kind, self._model):
                text = f"its {', '.join(map(repr, more))} would be lost" if more else _no_subclass(kind, self._model)
                raise TypeError(f"{who} returned a {kind.__name__}, not a {self._model.__name__}: {text}")
        for name in unknown_attributes(update):
            hint = did_you_mean(name, names)
            raise TypeError(f"{who} returned a {kind.__name__} with the unknown field {name!r}; {hint}")
        self._replaced = True
        self._validate(_values(update), set(), replaced=True)

    def _validate(self, values: Mapping[str, Any], written: set[str], *, replaced: bool = False) -> None:
        """Validate the merged values once. Fields that were not written are kept, unless validation changed them."""
        before = self.fields
        value = self._model.model_validate(values, by_alias=True, by_name=True)
        if replaced or has_validators(self._model):
            dumped = dump_checked(value, set(values))
            check(dumped, "state")
            if not replaced:
                self._keep_untouched(value, dumped, written)
        else:
            part = dump_checked(value, written, only=True)
            check(part, "state")
            dumped = {**before, **part}
        check_comes_back(value, dumped, set(dumped) if replaced else written)
        self.value, self._dumped = value, dumped
        self._written |= written

    def _keep_untouched(self, value: StateT, dumped: dict[str, Any], written: set[str]) -> None:
        """Undo what validators do to every value that is validated again, such as appending to it."""
        before = self.fields
        again = dump(self._model.model_validate(_values(self.value), by_alias=True, by_name=True))
        for name in set(dumped) & set(before) & set(again) - written:
            if same_json(dumped[name], again[name]):
                dumped[name] = before[name]
                value.__dict__[name] = getattr(self.value, name)

    def _undo_changes_in_place(self) -> list[str]:
        """Restore the value as it was before user code had it. Returns the fields that had been changed."""
        try:
            now = dump(self.value)
        except PayloadError:  # changed in place so that it no longer has a JSON form
            now = {}
        if self._dumped is None and now == self._given:
            self._keep_baseline(now)
        before = self.fields
        if now == before:
            return []
        self.value = load(self._model, before)
        return [key for key, value in before.items() if key not in now or not same_json(now[key], value)]


def _values(model: BaseModel) -> dict[str, Any]:
    """A model's fields and extra fields, without cached properties that have been read."""
    return {**{name: getattr(model, name) for name in type(model).model_fields}, **(model.model_extra or {})}


def _no_subclass(kind: type, model: type) -> str:
    twice = "it is another class of that name; its module may have been loaded twice"
    return twice if kind.__name__ == model.__name__ else "it is not a subclass"


_NEW = object()


def _wrong_type(update: Any, who: str) -> str:
    if inspect.isawaitable(update):
        return f"{who} returned a {type(update).__name__}; did you forget `await`?"
    return f"{who} returned {type(update).__name__}; return a dict of changed fields, a state model, or None"
