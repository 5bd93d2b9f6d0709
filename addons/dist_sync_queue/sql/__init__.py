# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The SQL files of schema ``dist_relay``, (re)made at every install and update of the addon."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


def functions() -> set[str]:
    """The names of the functions of the schema, for the health check."""
    made = re.compile(r"^CREATE OR REPLACE FUNCTION dist_relay\.(\w+)", re.MULTILINE)
    return {name for path in _FOLDER.glob("*.sql") for name in made.findall(path.read_text(encoding="utf-8"))}


def apply(cr: Any) -> None:
    """Make the schema and all its functions anew; rights given with ``dist_relay.grant_to`` are kept."""
    cr.execute(
        """
        SELECT DISTINCT a.grantee::regrole::text
          FROM pg_proc p CROSS JOIN LATERAL aclexplode(p.proacl) a
         WHERE p.pronamespace = to_regnamespace('dist_relay') AND p.proname = 'hello'
           AND a.grantee <> 0 AND a.grantee <> p.proowner
        """
    )
    roles = [row[0] for row in cr.fetchall()]
    # a function whose columns changed cannot be replaced, only dropped; the transaction hides the moment without it
    cr.execute(
        """
        SELECT 'DROP FUNCTION ' || string_agg(p.oid::regprocedure::text, ', ')
          FROM pg_proc p WHERE p.pronamespace = to_regnamespace('dist_relay')
        """
    )
    if drop := cr.fetchone()[0]:
        cr.execute(drop)
    for path in sorted(_FOLDER.glob("*.sql")):
        cr.execute(path.read_text(encoding="utf-8"))
    for role in roles:
        cr.execute("SELECT dist_relay.grant_to(%s)", (role.strip('"'),))


def drop(cr: Any) -> None:
    """Remove the schema; what the relay saw of this database is gone."""
    cr.execute("DROP SCHEMA IF EXISTS dist_relay CASCADE")
