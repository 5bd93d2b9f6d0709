"""The live view: one line per stage with a bar, the lag, and what happened last."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dist_dev.ui import NAME_WIDTH

from .figures import Figures

PLAIN_SECONDS = 10.0
"""How often a line is printed where nobody watches a terminal."""


class View:
    """Draws figures. ``orders`` is how many orders the run will place.

    Where ``plain`` is given (a log file, CI) the view prints a line now and then instead.
    """

    def __init__(self, orders: int, plain: Console | None = None) -> None:
        self._orders, self._plain = orders, plain
        self._news: deque[str] = deque(maxlen=6)
        self._printed = 0.0
        self.figures = Figures()
        self.title = "Starting"

    def news(self, text: str) -> None:
        """Add a line to what happened last."""
        self._news.append(text)
        self._print(text)

    def show(self, figures: Figures) -> None:
        """Show new figures."""
        self.figures = figures
        if self._plain and time.monotonic() - self._printed > PLAIN_SECONDS:
            self._printed = time.monotonic()
            self._print(" · ".join(f"{count} {name.split()[0].lower()}" for name, count in self._counts()))

    def _print(self, text: str) -> None:
        if self._plain:
            self._plain.print(f"{'demo':>{NAME_WIDTH}}  {text}", highlight=False, soft_wrap=True)

    def __rich__(self) -> RenderableType:
        return Panel(Group(self._stages(), self._work(), Text("\n".join(self._news), "dim")), title=self.title)

    def _stages(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for name, count in self._counts():
            bar = ProgressBar(total=self._orders, completed=count, width=40)
            table.add_row(name, bar, Text(f"{count:>4}", "bold"))
        return table

    def _counts(self) -> Sequence[tuple[str, int]]:
        f = self.figures
        return (
            ("Placed in the store", f.placed),
            ("Imported into Odoo", f.imported),
            ("Confirmed sales orders", f.confirmed),
            ("Reserved in Odoo", f.reserved),
            ("Delivered by the warehouse", f.delivered),
            ("Fulfilled in the store", f.fulfilled),
            ("Cancelled in the store", f.store_cancelled),
        )

    def _work(self) -> Text:
        f = self.figures
        text = Text(
            f"\n{f.stock_updates} stock updates · {f.events_open} events and {f.jobs + f.marks} jobs under way · "
            f"oldest event {f.lag_seconds:.1f} s · {f.exceptions} need attention · "
        )
        return text.append(f"{f.dead} dead letters", "red" if f.dead else "")
