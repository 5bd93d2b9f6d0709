"""One test's share of the house: a connection and keys of its own, what it does with them, and the verdict."""

from __future__ import annotations

import itertools
import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any

from business import key as key_record
from history import Effect, History, Intent, Shown, check, report
from house import PATIENCE, QUICK, House

from dist_relay.runtime.keys import Keys

MOST_IN_FLIGHT = 100
Work = Callable[[Any], object]


class Scope:
    """Keys ``<name>.<n>`` and a connection of the same name."""

    def __init__(self, house: House, name: str, keys: int = 5) -> None:
        self.house, self.name = house, f"{name[:24]}-{secrets.token_hex(3)}"
        self.keys = [f"{self.name}.{number}" for number in range(keys)]
        house.until(lambda: house.sql("SELECT 1 FROM dist_adapter WHERE code = 'counterpart'"), "the relay announces")
        self.connection, self.ref = house.business.run(self._create)
        self.database = str(house.sql("SELECT dist_relay.database_uuid()")[0][0])
        self.streams = Keys(self.database, self.ref)
        self.peaks: Counter[str] = Counter()
        self._numbers = itertools.count(1)
        house.peeks.append(self._peek)

    def _create(self, env: Any) -> tuple[int, str]:
        env["dist.chaos.key"].create([{"name": name} for name in self.keys])
        connection = env["dist.connection"].create(
            {
                "name": self.name,
                "adapter_id": env["dist.adapter"].search([("code", "=", "counterpart")]).id,
                "settings": {"url": self.house.counterpart_url, "account": self.name},
                "company_id": env.company.id,
                "max_in_flight": MOST_IN_FLIGHT,
            }
        )
        connection._activate()
        connection.schedule_ids.write({"interval_seconds": 5, "timeout_seconds": 30})
        return connection.id, connection.ref

    def _peek(self) -> None:
        self.peaks["entries in the stream"] = max(
            self.peaks["entries in the stream"], int(self.house.redis.xlen(self.streams.out))
        )

    # -- business -----------------------------------------------------------------------------------------------------

    def of(self, env: Any) -> Any:
        """The connection's record."""
        return env["dist.connection"].browse(self.connection)

    def ship(self, name: str, **options: Any) -> Work:
        """A transaction that tells a fact."""
        return lambda env: key_record(env, name)._ship(self.of(env), **options)

    def work(self, name: str, **options: Any) -> Work:
        """A transaction that asks for a job."""
        return lambda env: key_record(env, name)._work_later(**options)

    def cross(self, name: str, other: str) -> Work:
        """A transaction that asks for a job that locks one key and then another."""
        return lambda env: key_record(env, name)._cross_later(key_record(env, other))

    def count(self, name: str) -> Work:
        """A transaction that changes a value."""
        return lambda env: key_record(env, name)._count(self.of(env))

    def diamond(self, name: str) -> Work:
        """A transaction that asks for four jobs that wait for each other."""
        return lambda env: key_record(env, name)._diamond()

    def all_of(self, *works: Work) -> Work:
        """One transaction that does all of these."""

        def together(env: Any) -> None:
            for work in works:
                work(env)

        return together

    def load(self, rounds: int, *what: Callable[[str], Work]) -> None:
        """Commit ``rounds`` transactions over the keys in turn; after each fourth one more is rolled back."""
        for number in range(rounds):
            name = self.keys[number % len(self.keys)]
            work = self.all_of(*(make(name) for make in (what or (self.ship, self.work, self.count))))
            self.house.business.run(work)
            if number % 4 == 3:
                self.house.business.rolled_back(work)

    def offer(self, count: int) -> None:
        """Let the counterpart offer so many things to pulls, and have them pulled."""
        for _ in range(count):
            number = next(self._numbers)
            name = self.keys[number % len(self.keys)]
            self.house.ledger.offer(self.name, [(name, f"event-{name}-{number}")])
        self.pull()

    def pull(self) -> None:
        """Make the pull due."""
        self.house.sql(
            "UPDATE dist_connection_schedule SET next_run_at = now() AT TIME ZONE 'UTC' WHERE connection_id = %s",
            self.connection,
        )

    # -- the end ------------------------------------------------------------------------------------------------------

    def left(self) -> dict[str, int]:
        """What is not settled, by name."""
        house, like = self.house, f"{self.name}.%"
        events = house.sql(
            "SELECT state, count(*) FROM dist_outbox_event WHERE connection_id = %s AND state NOT IN ('delivered',"
            " 'cancelled') GROUP BY 1",
            self.connection,
        )
        jobs = house.sql(
            "SELECT state, count(*) FROM dist_job WHERE state NOT IN ('done', 'cancelled') AND (connection_id = %s OR"
            " key LIKE %s OR res_model = 'dist.chaos.key' AND res_id IN (SELECT id FROM dist_chaos_key WHERE name"
            " LIKE %s)) GROUP BY 1",
            self.connection,
            f"chaos:{like}",
            like,
        )
        marks = house.sql("SELECT count(*) FROM dist_dirty_mark WHERE connection_id = %s", self.connection)[0][0]
        offered = len(house.ledger.offers(self.name))
        known = house.sql("SELECT count(*) FROM dist_chaos_effect WHERE lane = 'event' AND key LIKE %s", like)[0][0]
        found = {f"{state} events": int(count) for state, count in events}
        found |= {f"{state} jobs": int(count) for state, count in jobs}
        found |= {"marks": int(marks), "offers not taken": max(0, offered - int(known))}
        for name, stream in (("entries", self.streams.out), ("results", self.streams.results)):
            found[f"{name} in Redis"] = int(house.redis.xlen(stream))
        return {name: count for name, count in found.items() if count}

    def hurry(self) -> None:
        """Let the pauses between tries be over, and runs of pulls that nobody answers."""
        house = self.house
        house.sql(
            "UPDATE dist_outbox_event SET next_try_at = now() AT TIME ZONE 'UTC' WHERE id IN (SELECT id FROM"
            " dist_outbox_event WHERE connection_id = %s AND next_try_at > now() AT TIME ZONE 'UTC' FOR UPDATE SKIP"
            " LOCKED)",
            self.connection,
        )
        house.sql(
            "UPDATE dist_connection_schedule SET next_run_at = now() AT TIME ZONE 'UTC', run_deadline = CASE WHEN"
            " run_started_at < now() AT TIME ZONE 'UTC' - interval '5 s' THEN now() AT TIME ZONE 'UTC' ELSE"
            " run_deadline END WHERE connection_id = %s",
            self.connection,
        )

    def drain(self, patience: float = PATIENCE) -> dict[str, int]:
        """Wait until nothing is left; what is left after ``patience`` seconds."""
        turns = itertools.count()

        def empty() -> bool:
            if next(turns) % 10 == 0:
                self.hurry()
            return not self.left()

        try:
            self.house.until(empty, "everything is settled", patience)
        except AssertionError:
            return self.left()
        return {}

    def history(self, left: dict[str, int]) -> History:
        """All that was meant to happen to these keys, and all that did."""
        house, like = self.house, f"{self.name}.%"
        intents = [
            Intent(*row)
            for row in house.sql("SELECT lane, key, number, token FROM dist_chaos_intent WHERE key LIKE %s", like)
        ]
        intents += [Intent("event", name, seq, token) for seq, name, token in house.ledger.offers(self.name)]
        inside = house.sql("SELECT lane, key, token, number FROM dist_chaos_effect WHERE key LIKE %s ORDER BY id", like)
        outside = house.ledger.effects(self.name)
        effects = [Effect(lane, name, token) for lane, name, token, _number in inside if lane != "sum"]
        effects += [Effect("fact", each.key, each.token) for each in outside if each.op == "ship"]
        shown = [Shown("sum", name, 0, number) for lane, name, _token, number in inside if lane == "sum"]
        shown += [Shown("show", e.key, e.version or 0, int(e.token)) for e in outside if e.op == "show"]
        values = dict(house.sql("SELECT name, value FROM dist_chaos_key WHERE name LIKE %s", like))
        return History(
            intents,
            effects,
            {(lane, name): value for name, value in values.items() for lane in ("show", "sum")},
            shown,
            left,
            {"entries in the stream": (self.peaks["entries in the stream"], int(QUICK["stream_limit"]))},
        )

    def settle(self, patience: float = PATIENCE) -> History:
        """Drain, and hold the history against every promise.

        :raises AssertionError: with the report, when one was broken.
        """
        history = self.history(self.drain(patience))
        violations = check(history)
        assert not violations, f"{self.name}: {report(violations)}"
        return history

    def close(self) -> None:
        """Take everything of this test out of the way of the next."""
        self.house.peeks.remove(self._peek)
        for table in (
            "dist_job_crash",
            "dist_mark_crash",
            "dist_exception",
            "dist_dirty_mark",
            "dist_outbox_event",
            "dist_job",
        ):
            self.house.sql(f"DELETE FROM {table}")
        self.house.sql("DELETE FROM dist_connection WHERE id = %s", self.connection)  # its lanes end
