"""What the doctor finds in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dist_relay import __version__
from dist_relay.finding import Finding
from dist_relay.pump.examiner import Examiner

SKEW_SECONDS = 2.0
ADDON_VERSIONS = ((19, 0, 1), (19, 0, 2))
"""Releases of the addon dist_sync_queue this relay works with: from the first, below the second."""
XMIN_AGE = 10_000_000


def examine_postgres(pg: Examiner, rows: list[dict[str, Any]]) -> Iterator[Finding]:
    """Findings about the database and the role."""
    hello = pg.hello()
    yield Finding("ok", f"PostgreSQL: addon {hello.addon_version}, database {hello.database}")
    if not addon_fits(hello.addon_version):
        text = f"relay {__version__} was not made for addon {hello.addon_version}"
        yield Finding("note", text, "Update the older of the two.")
    yield clocks("PostgreSQL", pg.clock_ahead())
    missing = pg.missing()
    if missing:
        hint = "Update the addon dist_sync_queue (odoo -u), then: SELECT dist_relay.grant_to('<this role>')."
        yield Finding("bad", f"missing, or not allowed for this role: {', '.join(missing)}", hint)
    if powers := pg.powers():
        hint = (
            "The relay needs none of it. Use a role of its own: CREATE ROLE dist_relay LOGIN; grant_to('dist_relay')."
        )
        yield Finding("bad" if "superuser" in powers else "note", f"the role may do more: {', '.join(powers)}", hint)
    elif not missing:
        yield Finding("ok", "the role may call its functions and nothing else")
    yield from counts(pg.status())
    if "diagnose()" not in missing:
        yield from judge(pg.diagnose(), bool(rows))


def counts(status: dict[str, Any]) -> Iterator[Finding]:
    """The counts of ``status()`` as lines."""
    for name in ("outbox", "jobs"):
        found = status.get(name) or {}
        text = ", ".join(f"{count} {state}" for state, count in sorted(found.items())) or "none"
        yield Finding("ok", f"{'events' if name == 'outbox' else name}: {text}")


def judge(facts: dict[str, Any], connections: bool) -> Iterator[Finding]:
    """What the facts of ``diagnose()`` mean."""
    identity = facts["identity"]
    if not identity["may_publish"]:
        why = "its uuid or salt is not the confirmed one: it is a copy" if identity["confirmed"] else "never confirmed"
        hint = "If the original no longer runs: Distribution / Technical / Relay, Let this database publish."
        yield Finding("bad", f"this database may not publish ({why})", hint)
    if connections and not facts["pumps"]:
        yield Finding("bad", "no pump has a session on this database", "Start: dist-relay run, or dist-relay pump.")
    for name, what, hint in _STUCK:
        if facts[name]:
            yield Finding("bad" if name != "unknown_long" else "note", f"{facts[name]} {what}", hint)
    for each in facts["schedules_overdue"]:
        text = f"{each['name']}: {each['capability']} is overdue by {each['seconds'] // 60} minutes"
        yield Finding("bad", text, "A pump starts pulls: does one run? Its log says why it does not.")
    for each in facts["transactions"]:
        if each["seconds"] > 300:
            text = f"a transaction is open for {each['seconds']} s: {each['application'] or '?'}, pid {each['pid']}"
            yield Finding("bad", text, f"Claims get slower. End it: SELECT pg_terminate_backend({each['pid']}).")
    if facts["prepared"]:
        hint = "Find it in pg_prepared_xacts; COMMIT PREPARED or ROLLBACK PREPARED."
        yield Finding("bad", f"{facts['prepared']} prepared transactions were left", hint)
    for each in facts["slots"]:
        if not each["active"] or (each["xmin_age"] or 0) > XMIN_AGE:
            hint = "It keeps dead rows and WAL. Start its reader, or pg_drop_replication_slot."
            yield Finding("note", f"the replication slot {each['name']} is held back", hint)
    if facts["breakers_open"]:
        hint = "Nothing to do: they are tried again by themselves, and no attempt is spent."
        yield Finding("note", f"breaker open: {', '.join(facts['breakers_open'])}", hint)
    for name, what in (
        ("dead_letters", "open dead letters"),
        ("dead_events", "dead events"),
        ("dead_jobs", "dead jobs"),
    ):
        if facts[name]:
            hint = "Put the cause right in Odoo and replay them, or cancel them."
            yield Finding("note", f"{facts[name]} {what}", hint)


_STUCK = (
    (
        "leases_over",
        "events were published, their lease is over for ten minutes, and no pump took them again",
        "Is a pump running, and does it reach Redis? Is the connection's stream full (stream_limit)?",
    ),
    (
        "ready_long",
        "events have been ready for ten minutes or more",
        "No pump, or no worker takes what it publishes; look at stream lag and breakers below.",
    ),
    (
        "unknown_long",
        "events have an unknown outcome for an hour or more",
        "Answers get lost. Each is looked up before it is tried again; look at the channel.",
    ),
)


def clocks(what: str, ahead: float) -> Finding:
    """The finding about a clock that is ``ahead`` seconds of this host's.

    >>> clocks("Redis", -7.26).what
    'the clock of Redis is 7.3 s behind that of this host'
    >>> clocks("Redis", 0.4).level
    'ok'
    """
    if abs(ahead) <= SKEW_SECONDS:
        return Finding("ok", f"the clock of {what} agrees with this host's")
    text = f"the clock of {what} is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} that of this host"
    return Finding("bad", text, "Run NTP on both: deadlines and waits are told in the others' time.")


def addon_fits(version: str) -> bool:
    """Whether an addon of this version works with this relay.

    >>> [addon_fits(text) for text in ("19.0.1.0.0", "19.0.2.0.0", "18.0.1.0.0", "None")]
    [True, False, False, False]
    """
    try:
        found = tuple(int(part) for part in version.split(".")[:3])
    except ValueError:
        return False
    return ADDON_VERSIONS[0] <= found < ADDON_VERSIONS[1]
