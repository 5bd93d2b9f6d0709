# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Find the failing item of a batch and let the rest go on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Failed(Exception):
    """Raised by ``attempt``: the call on ``batch[start:stop]`` failed; ``__cause__`` says why."""

    def __init__(self, start: int, stop: int) -> None:
        self.start, self.stop = start, stop
        super().__init__(f"items {start}..{stop - 1} failed")


class Isolated(Generic[T]):
    """What became of the items: ``done``, ``failed`` with why, and ``left`` untouched."""

    def __init__(self) -> None:
        self.done: list[T] = []
        self.failed: list[tuple[T, BaseException]] = []
        self.left: list[T] = []


def isolate(
    items: Sequence[T],
    attempt: Callable[[Sequence[T]], int],
    key: Callable[[T], Hashable | None] = lambda item: None,
    out_of_time: Callable[[], bool] = lambda: False,
) -> Isolated[T]:
    """Run ``attempt`` on all items; where it fails, on fewer and fewer, until each failing item stands alone.

    ``attempt`` runs a batch in a savepoint and returns how many of its items it did before it ran out of time (the
    others are left); or it undoes everything and raises :class:`Failed` with the place of the failure. An item counts
    as failed only when it failed alone. Items whose ``key`` equals that of an item that failed or was left are left as
    well.

    >>> def attempt(batch):
    ...     if 13 in batch:
    ...         raise Failed(0, len(batch)) from ValueError("unlucky")
    ...     return len(batch)
    >>> result = isolate(range(10, 20), attempt)
    >>> result.done, [(item, str(why)) for item, why in result.failed]
    ([10, 11, 12, 14, 15, 16, 17, 18, 19], [(13, 'unlucky')])

    >>> result = isolate([("a", 13), ("b", 1), ("a", 2)], lambda batch: attempt([n for _k, n in batch]), lambda i: i[0])
    >>> result.done, result.left
    ([('b', 1)], [('a', 2)])
    """
    result: Isolated[T] = Isolated()
    held: set[Hashable] = set()
    todo: list[Sequence[T]] = [list(items)]

    def leave(left: Sequence[T]) -> None:
        result.left.extend(left)
        held.update(k for item in left if (k := key(item)) is not None)

    while todo:
        batch = todo.pop()
        free = []
        for item in batch:
            if held and key(item) in held:
                leave([item])
            else:
                free.append(item)
        if not free:
            continue
        if (result.done or result.failed) and out_of_time():
            leave(free)
            continue
        try:
            count = attempt(free)
        except Failed as failure:
            if len(free) == 1:
                why = failure.__cause__ or failure
                result.failed.append((free[0], why))
                if (k := key(free[0])) is not None:
                    held.add(k)
                continue
            todo.extend(reversed(_parts(free, failure)))
            continue
        result.done.extend(free[:count])
        leave(free[count:])
    return result


def _parts(batch: Sequence[T], failure: Failed) -> list[Sequence[T]]:
    """What to try next, in order: what came before the failure, the failing stretch (halved), and the rest."""
    start, stop = failure.start, failure.stop
    if start == 0 and stop >= len(batch):
        middle = len(batch) // 2
        return [batch[:middle], batch[middle:]]
    middle = (start + stop) // 2 if stop - start > 1 else stop
    parts = [batch[:start], batch[start:middle], batch[middle:stop], batch[stop:]]
    return [part for part in parts if part]
