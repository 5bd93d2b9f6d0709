"""Without any fault the house keeps every promise; what the other tests build on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scope import Scope


def test_without_faults(scope: Scope) -> None:
    scope.load(20)
    scope.offer(30)
    history = scope.settle()
    lanes = {effect.lane for effect in history.effects}
    assert lanes == {"fact", "job", "event"}
    assert {shown.lane for shown in history.shown} == {"show", "sum"}
