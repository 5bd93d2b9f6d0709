"""A process dies at a named point, of every module that names some: a new point is tested as soon as it is there.

Faults 3 and 5 to 9 of the list, and those of Odoo's workers.
"""

from __future__ import annotations

import importlib.util
import os
import signal
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from dist_relay import crash as relay

if TYPE_CHECKING:
    from house import House
    from scope import Scope

ROUNDS = int(os.environ.get("DIST_CHAOS_ROUNDS", "1"))
TIMES = range(1, ROUNDS + 1)
"""The nth time a point is passed; the long form tries more of them."""


def _engine() -> ModuleType:
    """The engine's module of points, without Odoo."""
    path = Path(__file__).parents[2] / "addons" / "dist_sync_queue" / "engine" / "crash.py"
    spec = importlib.util.spec_from_file_location("engine_crash", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("point", sorted(relay.POINTS))
def test_a_part_of_the_relay_dies(point: str, times: int, house: House, scope: Scope) -> None:
    part = point.partition(".")[0]
    house.stop(part)
    scope.load(15)
    scope.offer(50)
    house.part(part, crash_at=f"{point}:{times}")
    if times > 1:
        scope.load(15)
    house.until(lambda: house.died(part) is not None or (times > 1 and not scope.left()), f"{point} is passed")
    assert house.died(part) in ({relay.EXIT_CODE} if times == 1 else {relay.EXIT_CODE, None})
    scope.settle()


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("point", sorted([*_engine().POINTS, "handler"]))
def test_a_worker_of_odoo_dies(point: str, times: int, house: House, scope: Scope) -> None:
    """``handler`` lies in the middle of a job that has written already."""
    house.stop("engine")
    scope.load(30)
    scope.offer(20)
    house.engine(crash_at=f"{point}:{times + 1}")
    house.until(lambda: house.died("engine") is not None, f"{point} is passed")
    assert house.died("engine") == -signal.SIGKILL
    scope.settle()
