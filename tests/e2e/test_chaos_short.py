"""Every service is killed once while orders come; nothing is lost and nothing is done twice.

The long form, with more kills and orders, is ``make chaos``.
"""

from __future__ import annotations

from home import Home
from rich.console import Console

from dist_dev.demo.house import MORTAL
from dist_dev.demo.run import Plan, run

SEED = 7
ORDERS = 20


def test_kills_leave_no_difference(home: Home) -> None:
    killed_before = dict(home.house.supervisor.restarts)
    plan = Plan(orders=ORDERS, chaos=True, kills=len(MORTAL), seed=SEED, pause=2.0)
    _channel, differences, view = run(home.house, plan, Console(width=120), home.channel)
    assert differences == []
    # Tests before this one may have placed orders of their own since the house was first looked at.
    assert view.figures.imported == view.figures.placed >= home.figures.placed + ORDERS
    assert view.figures.dead == 0
    killed = {name: count - killed_before.get(name, 0) for name, count in home.house.supervisor.restarts.items()}
    assert {name for name, count in killed.items() if count} >= set(MORTAL), killed
