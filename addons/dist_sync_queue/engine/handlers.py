# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From a handler's name, as it stands in ``dist.job``, to the methods that do the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ..api import DECORATED, HandlerSpec
from ..errors import UnknownHandler

_overrides: dict[str, Handler] = {}
"""Handlers of the test kit; empty in production."""


@dataclass(frozen=True)
class Handler:
    """What to call for one handler name. ``targets`` are (model, method) pairs, or functions taking the environment."""

    name: str
    spec: HandlerSpec
    targets: tuple[Any, ...]

    @property
    def kind(self) -> str:
        return self.spec.kind

    @property
    def lane(self) -> str:
        return self.spec.lane

    def bound(self, env: Any) -> list[Callable[..., Any]]:
        """The methods, bound to ``env``."""
        return [
            getattr(env[target[0]], target[1]) if isinstance(target, tuple) else (lambda *a, t=target: t(env, *a))
            for target in self.targets
        ]


def specs_of(model_class: type, method: str) -> list[tuple[type, HandlerSpec]]:
    """The decorations of a method anywhere in its model's class hierarchy; an undecorated override keeps them.

    The outermost decorated definition of the method decides; each comes with the class that made it.
    """
    for klass in model_class.__mro__:
        found = getattr(klass.__dict__.get(method), "_dist_handlers", None)
        if found:
            return [(klass, spec) for spec in found]
    return []


def _scan(registry: Any) -> dict[str, Handler]:
    table: dict[str, Handler] = {}
    for model_name, model_class in registry.items():
        for method in sorted(DECORATED):
            if not hasattr(model_class, method):
                continue
            for klass, spec in specs_of(model_class, method):
                # a mixin's handler is registered for the mixin, not again for every model that inherits it
                if not spec.name or getattr(klass, "_name", None) != model_name:
                    continue
                known = table.get(spec.name)
                target = (model_name, method)
                table[spec.name] = (
                    replace(known, targets=(*known.targets, target), spec=_strictest(known.spec, spec))
                    if known
                    else Handler(spec.name, spec, (target,))
                )
    return table


def _strictest(one: HandlerSpec, other: HandlerSpec) -> HandlerSpec:
    """Two methods share one type: the smaller batch and the longer timeout; the first one's lane."""
    return replace(one, batch=min(one.batch, other.batch), timeout=one.timeout + other.timeout)


def handlers(registry: Any) -> dict[str, Handler]:
    """All handlers of events, outcomes and dirty marks in a registry (kept with a registry that is fully loaded)."""
    table = registry.__dict__.get("_dist_handlers")
    if table is None:
        table = _scan(registry)
        if registry.ready:
            registry.__dict__["_dist_handlers"] = table
    return {**table, **_overrides} if _overrides else table


def resolve(registry: Any, name: str) -> Handler:
    """The handler called ``name``. :raises UnknownHandler: where no installed addon has it"""
    if handler := handlers(registry).get(name):
        return handler
    model, _, method = name.partition(":")
    if method and model in registry:
        specs = [spec for _klass, spec in specs_of(registry[model], method) if spec.kind == "job"]
        if specs:
            handler = Handler(name, specs[0], ((model, method),))
            if registry.ready:
                handlers(registry)  # make sure the table exists
                registry.__dict__["_dist_handlers"][name] = handler
            return handler
    raise UnknownHandler(_unknown_message(name, model, method))


def _unknown_message(name: str, model: str, method: str) -> str:
    if method:
        return (
            f"No method {method!r} decorated with @job on model {model!r}. The addon that had it may be uninstalled or "
            "of another version. Install or upgrade it and replay this job, or cancel it."
        )
    what, _, rest = name.partition("#")
    decorator = {"outcome": "@on_outcome", "dirty": "@on_dirty"}.get(rest, "@on_event")
    return (
        f"No installed addon handles {name!r} ({decorator}({what!r})). The addon of {what.split('.')[0]!r} events may "
        "be missing or older than the relay. Install or upgrade it and replay this job, or cancel it."
    )


@contextmanager
def override(handler: Handler) -> Iterator[None]:
    """Put a handler in place for a while; for tests."""
    before = _overrides.get(handler.name)
    _overrides[handler.name] = handler
    try:
        yield
    finally:
        if before is None:
            _overrides.pop(handler.name, None)
        else:
            _overrides[handler.name] = before
