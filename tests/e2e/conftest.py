"""One running house for all tests of this folder: PostgreSQL, Valkey, Odoo, its workers, the relay, the store.

The main job comes first, then the monitor, then the kills: all wait until every order has reached its end. What is
broken on purpose comes last, for some of it stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from home import Home
from rich.console import Console

from dist_dev.demo.house import house
from dist_dev.demo.run import SKUS, Plan
from dist_dev.demo.run import run as run_main_job
from dist_dev.layout import Layout

ORDERS = 30
_ORDER = ("test_main_job", "test_monitor", "test_chaos_short", "test_bad_input")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        name = item.path.stem
        return _ORDER.index(name) if name in _ORDER else len(_ORDER)

    items.sort(key=place)


@pytest.fixture(scope="session")
def home() -> Iterator[Home]:
    """The house after its main job: ``ORDERS`` orders went through it, and ``found`` holds the differences."""
    if not os.environ.get("DIST_CACHE"):
        pytest.skip("nothing is set up here (no DIST_CACHE); `make test` sets up and runs this")
    with house(Layout.from_environment(), SKUS, "e2e") as running:
        channel, found, view = run_main_job(running, Plan(orders=ORDERS, pause=0.2), Console(width=120))
        yield Home(running, channel, found, view.figures)
