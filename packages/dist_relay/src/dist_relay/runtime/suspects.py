"""How often an event was begun without a result, over all its publications.

Redis counts how often an entry was begun; a publication has a new entry. So that an event that kills its workers is
given up all the same, its begins are counted under its id. Only of suspects, which an earlier attempt was begun of: the
others cost nothing. Counted is right before a call; one that comes to its end, whatever its outcome, ends the count,
and so does an outcome that is final without a call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import scripts
from .keys import Keys
from .redis_client import RedisClient

_KEPT_MS = 2 * 86_400_000
"""Longer than an event may be put off (a day)."""


class Suspects:
    """The counts of one connection."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client, self._keys = client, keys
        self._count = client.register_script(scripts.COUNT)

    def begun(self, event_ids: Sequence[str]) -> list[int]:
        """How often each was begun without a result, as far as it was counted."""
        if not event_ids:
            return []
        found: Any = self._client.mget([self._keys.begun(id_) for id_ in event_ids])
        return [int(number or 0) for number in found]

    def count(self, numbers: Mapping[str, int]) -> None:
        """Remember that each was begun at least so often, by event id; also at Redis' memory limit."""
        if numbers:
            names = [self._keys.begun(id_) for id_ in numbers]
            self._count(keys=names, args=[_KEPT_MS, *numbers.values()])
