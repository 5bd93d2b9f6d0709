"""Random faults for a while, then every promise is checked.

The short form has the same faults each time, the long form others; the seed is printed, DIST_CHAOS_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import TYPE_CHECKING

from forms import LONG, SECONDS

if TYPE_CHECKING:
    from house import House
    from scope import Scope

PAUSE = (0.3, 1.5)


def test_a_storm_of_faults(house: House, scope: Scope) -> None:
    from storm import Storm

    seed = int(os.environ.get("DIST_CHAOS_SEED") or (random.randrange(2**32) if LONG else 1))
    print(f"DIST_CHAOS_SEED={seed}")
    storm = Storm(house, scope, seed)
    storm.double()
    try:
        storm.run(SECONDS, PAUSE)
        history = scope.settle(300)
    finally:
        storm.end()
    lanes = Counter(effect.lane for effect in history.effects)
    print(
        f"faults {dict(storm.done)}, broken off {storm.broken_off}, effects {dict(lanes)}, shown {len(history.shown)}"
    )
    assert min(lanes[lane] for lane in ("fact", "job")) > 10, lanes
    assert sum(storm.done.values()) > SECONDS / 4
