"""The system broken on purpose. Nothing here is reachable from the product: functions of the test's database are
replaced, or a process of the test is patched before it starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from house import House


@contextmanager
def sql_function(house: House, name: str, text: str, instead: str) -> Iterator[None]:
    """Replace ``text`` in a function of schema ``dist_relay`` inside the block."""
    (whole,) = house.sql("SELECT pg_get_functiondef(%s::regproc)", f"dist_relay.{name}")[0]
    assert text in whole, f"{name} reads otherwise now; this mutant breaks nothing"
    house.sql(whole.replace(text, instead))
    try:
        yield
    finally:
        house.sql(whole)


@contextmanager
def one_waiting_request_is_enough(house: House) -> Iterator[None]:
    """No identity re-run: a request is dropped while an equal one waits or runs, as a unique index would do it."""
    house.sql(
        "CREATE FUNCTION public.chaos_drop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.identity IS NOT NULL"
        " AND EXISTS (SELECT 1 FROM public.dist_job j WHERE j.identity = NEW.identity AND j.handler = NEW.handler AND"
        " j.state = 'pending') THEN RETURN NULL; END IF; RETURN NEW; END $$"
    )
    house.sql("CREATE TRIGGER chaos_drop BEFORE INSERT ON dist_job FOR EACH ROW EXECUTE FUNCTION public.chaos_drop()")
    try:
        yield
    finally:
        house.sql("DROP TRIGGER chaos_drop ON dist_job")
        house.sql("DROP FUNCTION public.chaos_drop()")


def ack_first() -> None:
    """In a pump: results are acknowledged before they are stored."""
    from dist_relay import crash
    from dist_relay.pump.intake import Intake

    store = Intake._store

    def broken(self: Intake, found: list[tuple[str, Any]]) -> None:
        for stream, entry in found:
            self._consumers[stream].forget([entry.id])
        if found:
            crash.point("mutant.acknowledged")
        store(self, found)

    Intake._store = broken  # type: ignore[method-assign]


def no_read_back() -> None:
    """In a worker: whether an earlier attempt took effect is never looked up, as if nobody had told the adapter."""
    from dist_relay.testkit.counterpart_adapter import Flows

    Flows._knows = lambda _self, _event_id: False  # type: ignore[method-assign]


def main() -> None:
    """``python -m mutants …`` is an Odoo whose job engine lets jobs overtake a head of their key that waits."""
    import odoo.cli.command
    from odoo.tools import config

    parse = config.parse_config

    def parsed(*args: Any, **kwargs: Any) -> Any:
        found = parse(*args, **kwargs)
        from odoo.addons.dist_sync_queue.engine import claim

        for statement in ("_CLAIM_HEADS", "_CLAIM_RUNS"):
            text = getattr(claim, statement)
            assert claim.BLOCKING in text, "the claim reads otherwise now; this mutant breaks nothing"
            setattr(claim, statement, text.replace(claim.BLOCKING, claim.READY))
        return found

    config.parse_config = parsed
    odoo.cli.command.main()


if __name__ == "__main__":
    main()
