"""The doctor's session to PostgreSQL: what the role may do, the server's clock, and the facts of ``diagnose()``."""

from __future__ import annotations

import json
import time
from typing import Any

from .pg import Pg

FUNCTIONS = (
    "hello()",
    "connections()",
    "pending()",
    "claim(text,integer,integer)",
    "claim_pulls(integer)",
    "intake(jsonb)",
    "intake_raw(text[])",
    "announce(jsonb,text,text)",
    "replay(text[])",
    "raise_seq(bigint)",
    "status()",
    "diagnose()",
)
"""What this release of the relay calls."""


class Examiner(Pg):
    """A :class:`Pg` that also looks at itself."""

    def missing(self) -> list[str]:
        """Functions that are not there, or that this role may not call."""
        rows = self._rows(
            "SELECT f.name FROM unnest(%s::text[]) AS f (name) WHERE NOT COALESCE("
            "has_function_privilege(to_regprocedure('dist_relay.' || f.name), 'EXECUTE'), false)",
            (list(FUNCTIONS),),
        )
        return [str(row["name"]) for row in rows]

    def powers(self) -> list[str]:
        """What this role may do beyond its functions: attributes, and tables it can read or write."""
        role = self._rows(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )[0]
        words = {"rolsuper": "superuser", "rolcreaterole": "CREATEROLE", "rolcreatedb": "CREATEDB"}
        found = [word for name, word in {**words, "rolbypassrls": "BYPASSRLS"}.items() if role[name]]
        tables = self._rows(
            "SELECT count(*) AS n, min(c.oid::regclass::text) AS first FROM pg_class c"
            " WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace IN"
            " (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'dist_relay'))"
            " AND has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE')"
        )[0]
        if tables["n"]:
            found.append(f"access to {tables['n']} tables ({tables['first']}, …)")
        return found

    def clock_ahead(self) -> float:
        """Seconds PostgreSQL's clock is ahead of this host's."""
        before = time.time()
        then = float(self._rows("SELECT EXTRACT(EPOCH FROM clock_timestamp())::float8 AS t")[0]["t"])
        return then - (before + time.time()) / 2

    def diagnose(self) -> dict[str, Any]:
        """Facts about what is stuck, open and held; see ``sql/60_diagnose.sql`` of the addon."""
        found = self._rows("SELECT dist_relay.diagnose() AS d")[0]["d"]
        return dict(json.loads(found) if isinstance(found, str) else found)
