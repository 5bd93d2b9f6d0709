"""One house for all tests of this folder, and for each test a share of it that nobody else touches."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dist_dev.layout import Layout
from dist_dev.supervisor import Supervisor


@pytest.fixture(scope="session")
def house() -> Iterator[Any]:
    """The running house."""
    if not os.environ.get("DIST_CACHE"):
        pytest.skip("nothing is set up here (no DIST_CACHE); `make test` sets up and runs this")
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]  # they lead to the PostgreSQL of the other tests, and Odoo takes them before its file
    from house import House  # imports Odoo: not for the tests of the checker

    layout = Layout.from_environment()
    folder = layout.state / "chaos"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with Supervisor(layout.logs / "chaos", layout.status("chaos")) as supervisor:
        found = House(layout, supervisor, folder)
        yield found
        found.close()


@pytest.fixture
def scope(house: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Keys and a connection of this test's own; afterwards every part of the house runs as it should."""
    from scope import Scope

    found = Scope(house, request.node.name.removeprefix("test_").replace("[", "-").replace("]", ""))
    yield found
    found.close()
    house.normal()


@pytest.fixture
def scopes(house: Any) -> Iterator[Callable[..., Any]]:
    """Makes such shares, for a test that needs several."""
    from scope import Scope

    made: list[Scope] = []

    def make(name: str, keys: int = 5) -> Scope:
        made.append(Scope(house, name, keys))
        return made[-1]

    yield make
    for each in made:
        each.close()
    house.normal()
