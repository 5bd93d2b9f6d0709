"""A process dies at a named point, at each that the sources name: a new point is tested as soon as it is there.

Faults 3 and 5 to 9 of the list, and those of Odoo's workers.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from forms import LONG, ROUNDS

from dist_relay import crash as relay

if TYPE_CHECKING:
    from house import House
    from scope import Scope

REPO = Path(__file__).parents[2]

TIMES = range(1, ROUNDS + 1)
"""The nth time a point is passed; the long form tries more of them."""


def points(folder: str) -> list[str]:
    """The names given to ``point`` anywhere below a folder of the repository."""
    calls = (re.findall(r"""\bpoint\("([a-z_.]+)"\)""", path.read_text()) for path in (REPO / folder).rglob("*.py"))
    return sorted({name for names in calls for name in names})


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("point", points("packages/dist_relay/src/dist_relay"))
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


def test_a_worker_dies_and_the_next_one_finds_the_connection_paused(house: House, scope: Scope) -> None:
    """What took effect before it died is put off by the next one, and is looked up all the same when it goes on.

    The lease is long: the event is put off because of the pause, not dropped because it is late.
    """
    house.part("pump", lease_seconds=30)
    house.part("worker", lease_seconds=30, crash_at="worker.after_call")
    house.business.run(scope.ship(scope.keys[0]))
    house.until(lambda: house.died("worker") is not None, "it dies after the call")
    house.business.run(lambda env: scope.of(env).action_pause())
    put_off = "SELECT 1 FROM dist_outbox_event WHERE connection_id = %s AND outcome_code = 'paused'"
    house.until(lambda: house.sql(put_off, scope.connection), "the next one puts it off")
    house.business.run(lambda env: scope.of(env).action_resume())
    scope.settle()


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("point", [*points("addons/dist_sync_queue/engine"), "handler"])
def test_a_worker_of_odoo_dies(point: str, times: int, house: House, scope: Scope) -> None:
    """``handler`` lies in the middle of a job that has written already."""
    house.stop("engine")
    scope.load(30)
    scope.load(10, scope.diamond)
    scope.offer(20)
    house.engine(crash_at=f"{point}:{times + 1}")

    def died() -> bool:
        if not scope.left():  # a quick engine was through before it had come past often enough
            scope.load(10, scope.diamond)
        return house.died("engine") is not None

    house.until(died, f"{point} is passed")
    assert house.died("engine") == -signal.SIGKILL
    scope.settle()


def test_every_point_is_known() -> None:
    assert points("packages/dist_relay/src/dist_relay") == sorted(relay.POINTS)
    assert len(points("addons/dist_sync_queue/engine")) >= 3


def test_workers_are_killed_among_many_diamonds(house: House, scope: Scope) -> None:
    """No wake-up is lost: each last job runs, once, after both of those before it."""
    house.engine("second-engine")
    count = 1000 if LONG else 300
    for number in range(count // 20):
        name = scope.keys[number % len(scope.keys)]
        house.business.run(scope.all_of(*[scope.diamond(name)] * 20))
        if number % 10 == 5:
            house.kill("engine" if number % 20 == 5 else "second-engine")
            house.supervisor.tend()
    history = scope.settle(300)
    house.stop("second-engine")
    assert len(history.effects) == 4 * count
