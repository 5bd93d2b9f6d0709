"""``make demo``: the whole house on this machine, one real order after the other, and the comparison at the end.

Environment: ``ORDERS`` how many, ``CHAOS=1`` kills processes meanwhile, ``SEED`` repeats a run, ``KEEP=1`` leaves all
running at the end.
"""

from __future__ import annotations

import os
import sys
import time

from rich.console import Console
from rich.table import Table

from dist_dev import ui
from dist_dev.layout import Layout
from dist_dev.supervisor import Stopped, stop_signals

from .distributor import SetUpFailed
from .house import House, house
from .run import SKUS, Plan, Stuck, run
from .view import View


def main() -> int:
    """Run the demo; the exit status is 0 only if both sides agree."""
    console = Console()
    try:
        plan = Plan(
            orders=_number("ORDERS", 220),
            chaos=os.environ.get("CHAOS") not in (None, "", "0"),
            seed=_number("SEED", 1),
        )
        with stop_signals(), house(Layout.from_environment(), SKUS) as running:
            return _run(running, plan, console)
    except (ui.Problem, SetUpFailed, Stuck) as problem:
        console.print(f"\n[red]Problem:[/] {problem}", highlight=False)
        return 1
    except (Stopped, KeyboardInterrupt):
        console.print("\nEnded on request.")
        return 130


def _number(name: str, default: int) -> int:
    given = os.environ.get(name) or str(default)
    if not given.isdecimal() or not int(given):
        raise ui.Problem(f"{name}={given} is not a number from 1 up.")
    return int(given)


def _run(running: House, plan: Plan, console: Console) -> int:
    started = time.monotonic()
    _channel, found, view = run(running, plan, console)
    _summary(console, view, found, running, time.monotonic() - started)
    if os.environ.get("KEEP") not in (None, "", "0"):
        _invite(console, running)
        while True:
            running.supervisor.tend()
            time.sleep(0.5)
    return 1 if found else 0


def _invite(console: Console, running: House) -> None:
    """Say where to look at what is left running."""
    layout = Layout.from_environment()
    relay = f"{layout.short(layout.venv)}/bin/dist-relay --config {layout.short(running.relay_settings)} status"
    for line in (
        f"\nOdoo:  {running.places.odoo_url}/odoo/distribution   login admin, password admin",
        f"Relay: {relay}",
        "Logs:  make logs",
        "Ctrl-C here, or `make stop` in another terminal, ends everything.",
    ):
        console.print(line, highlight=False, soft_wrap=True)


def _summary(console: Console, view: View, found: list[str], running: House, seconds: float) -> None:
    f = view.figures
    table = Table(title="Store against Odoo", title_justify="left")
    for name in ("", "Store", "Odoo"):
        table.add_column(name, justify="left" if not name else "right")
    table.add_row("Orders", str(f.placed), str(f.imported))
    table.add_row("Cancelled", str(f.store_cancelled), str(f.cancelled))
    table.add_row("Shipped completely", str(f.fulfilled), str(f.delivered))
    table.add_row("Nothing left to deliver (edited)", str(f.empty), str(f.imported - f.cancelled - f.delivered))
    console.print(table)
    if restarts := running.supervisor.restarts:
        console.print("Killed and started again: " + ", ".join(f"{n} {c}×" for n, c in sorted(restarts.items())))
    parcels = f.effects.get("fulfillments", 0)
    attention = f"{f.exceptions} open in “Needs attention”, {f.dead} dead letters"
    console.print(f"{parcels} parcels told to the store, {attention}, {seconds:.0f} s", soft_wrap=True)
    for text in found[:20]:
        console.print(f"[red]differs:[/] {text}", highlight=False)
    verdict = f"[red]{len(found)} differences[/]" if found else "[green]no difference[/]: every order once, all equal"
    console.print(verdict)
    if os.environ.get("KEEP") in (None, "", "0"):
        console.print("\nTo look around in Odoo: `make demo KEEP=1`", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
