"""People at their screens change what runs: they cancel, re-prioritise, pause and resume while the workers work."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

from history import check, report

from odoo.exceptions import UserError

if TYPE_CHECKING:
    from house import House
    from scope import Scope

HANDLER = "dist.chaos.key:_work"
CANCELLED = """
SELECT payload->'args'->>0 FROM dist_job
 WHERE handler = %s AND state = 'cancelled' AND merged_into IS NULL AND key LIKE %s
"""
ENDED_RUNNING = """
SELECT count(*) FROM dist_job_attempt a JOIN dist_job j ON j.id = a.job_id
 WHERE a.outcome = 'cancelled' AND j.handler = %s AND j.key LIKE %s
"""
APPLIED = """
SELECT r.action FROM dist_job_request r JOIN dist_job j ON j.id = r.job_id
 WHERE r.state = 'applied' AND j.handler = %s AND j.key LIKE %s GROUP BY 1 HAVING count(*) >= 10
"""


class Screens:
    """Some people, each of whom presses a button now and then, in a transaction of the click."""

    def __init__(self, house: House, scope: Scope, people: int) -> None:
        self._house, self._scope = house, scope
        self._stop = threading.Event()
        self.like = f"chaos:{scope.name}.%"
        self._control = house.business.run(
            lambda env: env["dist.job.control"].create({"kind": "handler", "name": HANDLER}).id
        )
        self._people = [threading.Thread(target=self._sit, args=(seed,)) for seed in range(people)]
        for person in self._people:
            person.start()

    def close(self) -> None:
        """They go home, and what they paused goes on."""
        self._stop.set()
        for person in self._people:
            person.join()
        self._house.business.run(self._go_on)
        self._house.business.run(lambda env: env["dist.job.control"].browse(self._control).unlink())

    def _sit(self, seed: int) -> None:
        dice = random.Random(seed)
        buttons = [self._cancel, self._cancel, self._priority, self._priority, self._pause, self._go_on]
        while not self._stop.is_set():
            button, number = dice.choice(buttons), dice.random()
            try:
                self._house.business.run(lambda env, press=button, n=number: press(env, n))
            except UserError:
                continue  # somebody else was quicker: it is not paused, or not to be paused, any more
            finally:
                self._stop.wait(dice.uniform(0, 0.1))

    def _jobs(self, env: Any, number: float, count: int) -> Any:
        """Some jobs as a list shows them: what is in hand is among them."""
        domain = [("handler", "=", HANDLER), ("state", "=", "pending"), ("key", "=like", self.like)]
        jobs = env["dist.job"].search(domain, limit=30, order="id")
        return jobs[int(number * len(jobs)) :][:count]

    def _cancel(self, env: Any, number: float) -> None:
        self._jobs(env, number * number, 2).action_cancel()  # rather of the first, which run

    def _priority(self, env: Any, number: float) -> None:
        self._jobs(env, number, 5).action_set_priority(int(number * 10))

    def _pause(self, env: Any, number: float) -> None:
        if number < 0.5:
            env["dist.job.control"].browse(self._control).paused = True
        else:
            self._scope.of(env).action_pause()

    def _go_on(self, env: Any, _number: float = 0) -> None:
        env["dist.job.control"].browse(self._control).paused = False
        connection = self._scope.of(env)
        if connection.state == "paused":
            connection.action_resume()


def test_screens_change_what_runs(house: House, scope: Scope) -> None:
    """Each job either took effect, once and in its key's order, or is cancelled and left no trace; never both."""
    house.engine("second-engine")
    screens = Screens(house, scope, people=3)
    pending = "SELECT count(*) FROM dist_job WHERE handler = %s AND state = 'pending' AND key LIKE %s"

    def enough() -> bool:
        if house.sql(pending, HANDLER, screens.like)[0][0] < 20:
            scope.load(10, scope.ship, lambda name: scope.work(name, seconds=0.05), scope.count)
        applied = {action for (action,) in house.sql(APPLIED, HANDLER, screens.like)}
        return applied == {"cancel", "priority"} and house.sql(ENDED_RUNNING, HANDLER, screens.like)[0][0] >= 3

    try:
        house.until(enough, "jobs are cancelled, also in the middle of their work, and re-prioritised")
    finally:
        screens.close()
    left = scope.drain()
    house.stop("second-engine")
    history = scope.history(left)
    cancelled = {token for (token,) in house.sql(CANCELLED, HANDLER, screens.like)}
    history.intents = [intent for intent in history.intents if intent.token not in cancelled]
    violations = check(history)
    assert not violations, report(violations)
    assert cancelled
    assert {effect.lane for effect in history.effects} == {"fact", "job"}
