"""The main job of the demo: open the channel, let orders come, wait until all is quiet, compare."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from random import Random

import requests
from rich.console import Console
from rich.live import Live

from .chaos import Chaos
from .compare import differences
from .distributor import Channel, Distributor
from .figures import Figures, reader
from .house import MORTAL, House
from .odoo_side import odoo_side
from .view import View

ADAPTER = "shopify"
STOCK = (400, 60)
"""Pieces of each product at the first and the second location."""
SKUS = 40
BATCH = 4
"""Orders placed at a time."""
FAULTS = (
    ("throttled", 0.03),
    ("server_error", 0.02),
    ("lost_answer", 0.02),
    ("slow", 0.01),
    ("duplicate", 0.02),
    ("out_of_order", 0.02),
)
"""What the store does to us in every run, with its probability per request."""


@dataclass(frozen=True)
class Plan:
    """How a run goes. ``pause`` is the time between batches of orders, ``patience`` how long nothing may move."""

    orders: int = 220
    chaos: bool = False
    kills: int = 12
    seed: int = 1
    pause: float = 0.4
    patience: float = 120.0


class Stuck(Exception):
    """Nothing moved for too long; the message says what was still open."""


def run(house: House, plan: Plan, console: Console, channel: Channel | None = None) -> tuple[Channel, list[str], View]:
    """Run the main job. Returns the channel, the differences between both sides (none is right) and the last view.

    :param channel: one that an earlier run has opened; a new one is opened where none is given.
    :raises Stuck: when the run comes to no end.
    """
    view = View(plan.orders, None if console.is_terminal else console)
    distributor = Distributor(house.odoo, tend=house.supervisor.tend)
    with Live(view, console=console, refresh_per_second=4) if console.is_terminal else nullcontext():
        channel = channel or _open(house, distributor, view)
        for kind, probability in FAULTS:
            house.store.tell("fault", kind=kind, probability=probability, **({"seconds": 2} if kind == "slow" else {}))
        view.title = "Orders are coming" + (" · processes are being killed" if plan.chaos else "")
        _follow(house, plan, view)
        house.store.tell("clear_faults")
        view.title = "Comparing"
    return channel, _compare(house, channel), view


def _open(house: House, distributor: Distributor, view: View) -> Channel:
    view.title = "Setting up the distributor"
    products = house.store.assortment(STOCK)
    catalog = house.store.tell("catalog")
    warehouses = distributor.warehouses(catalog["locations"])
    distributor.stock(products, warehouses)
    view.news(f"{len(products)} products in {len(warehouses)} warehouses")
    channel = distributor.open_channel(
        "Demo Store",
        ADAPTER,
        {"shop_domain": "fake-store.myshopify.com", "endpoint": house.store.url},
        {"access_token": catalog["access_token"]},
        warehouses,
    )
    view.news("channel tested and activated")
    distributor.hurry(channel)
    distributor.await_matches(channel, len(products))
    view.news(f"{len(products)} listings matched by SKU")
    distributor.await_stock(lambda: house.store.side(list(warehouses)).stock)
    view.news("the store shows the stock of both warehouses")
    return channel


def _follow(house: House, plan: Plan, view: View) -> None:
    look, random = reader(house.owner_dsn, house.store), Random(plan.seed)
    chaos = plan.chaos and Chaos(MORTAL, house.supervisor.kill, seed=plan.seed, kills=plan.kills)
    placed, quiet, next_order = 0, 0, time.monotonic()
    watch = _Watch(plan.patience)
    while quiet < 3:
        now = time.monotonic()
        if placed < plan.orders and now >= next_order:
            count = min(BATCH, plan.orders - placed)
            house.store.tell(
                "place_orders", count=count, seed=random.randrange(1 << 30), edits=0.05, cancellations=0.05
            )
            placed, next_order = placed + count, now + plan.pause
        if chaos and (victim := chaos.tick(now)):
            view.news(f"killed {victim} ({chaos.done.total()} of {plan.kills})")
        for name in house.supervisor.tend():
            view.news(f"{name} is started again")
        figures = look()
        if figures:
            view.show(figures)
            ended = placed == plan.orders and (not chaos or chaos.over) and figures.quiet
            quiet = quiet + 1 if ended else 0
            watch.see(figures, alive=placed < plan.orders or bool(chaos and not chaos.over))
        time.sleep(0.3)


class _Watch:
    """Notices when nothing moves any more."""

    def __init__(self, patience: float) -> None:
        self._patience, self._since = patience, time.monotonic()
        self._last: tuple[int, ...] = ()

    def see(self, figures: Figures, *, alive: bool) -> None:
        moving = (figures.imported, figures.reserved, figures.delivered, figures.fulfilled, figures.stock_updates)
        if moving != self._last or alive:
            self._last, self._since = moving, time.monotonic()
        if time.monotonic() - self._since > self._patience:
            raise Stuck(f"nothing has moved for {self._patience:.0f} s: {figures}")


def _compare(house: House, channel: Channel) -> list[str]:
    """Both sides, looked at until they agree or half a minute has passed: a last number may be on its way."""
    deadline = time.monotonic() + 30
    while True:
        try:
            store = house.store.side(list(channel.warehouses))
            found = differences(store, odoo_side(house.odoo, channel.id, channel.warehouses))
        except requests.ConnectionError:
            found = ["Odoo does not answer"]
        if not found or time.monotonic() > deadline:
            return found
        house.supervisor.tend()
        time.sleep(1)
