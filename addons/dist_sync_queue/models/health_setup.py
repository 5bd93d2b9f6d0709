# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Is the database what this code was written for? Clocks, versions of the modules, functions and role of the relay."""

from __future__ import annotations

import time

from odoo import models
from odoo.modules.module import Manifest

from .. import sql
from .health import Finding

SKEW_SECONDS = 2.0
"""As for the relay's doctor."""


class DistHealth(models.AbstractModel):
    _inherit = "dist.health"

    def _installation(self, missing: list[str]) -> list[Finding]:
        """:param missing: functions of the relay this database has not"""
        return [*self._clock(self._ahead()), *self._modules(), *self._functions(missing), *self._role(missing)]

    def _ahead(self) -> float:
        """Seconds the database's clock is ahead of this host's; half of the way there and back is taken off."""
        before = time.time()
        there = float(self._row("SELECT EXTRACT(EPOCH FROM clock_timestamp())::float8")[0])
        return there - (before + time.time()) / 2

    def _clock(self, ahead: float) -> list[Finding]:
        _ = self.env._
        if abs(ahead) <= SKEW_SECONDS:
            return [self._finding("ok", _("Clock"), _("The database's agrees with this host's."))]
        text = _("The database's is %s seconds ahead of this host's.", f"{ahead:.1f}")
        if ahead < 0:
            text = _("The database's is %s seconds behind this host's.", f"{-ahead:.1f}")
        hint = _("Run NTP on both: a job's earliest time is told by the host's clock and waited for by the database's.")
        return [self._finding("bad", _("Clocks disagree"), text, hint)]

    def _modules(self) -> list[Finding]:
        """The modules of Distribution, as installed here, against the code on this host."""
        _ = self.env._
        modules = self.env["ir.module.module"].sudo()
        installed = ["installed", "to upgrade", "to remove"]
        domain = [("state", "in", installed), "|", ("name", "=like", "dist\\_%"), ("name", "=", "distribution")]
        different = []
        for module in modules.search(domain, order="name"):
            manifest = Manifest.for_addon(module.name, display_warning=False)
            code = manifest.version if manifest else _("not there")
            if code != module.latest_version:
                different.append(
                    _("%(name)s %(here)s, code %(code)s", name=module.name, here=module.latest_version, code=code)
                )
        if not different:
            return [self._finding("ok", _("Modules"), _("As new as their code."))]
        hint = _(
            "Have the same code on every host; run `odoo dist_worker -d %(db)s --drain`, then "
            "`odoo -u dist_sync_queue -d %(db)s`.",
            db=self.env.cr.dbname,
        )
        return [self._finding("bad", _("Modules were not upgraded"), "; ".join(different), hint)]

    def _missing_functions(self) -> list[str]:
        self.env.cr.execute(
            "SELECT proname::text FROM pg_proc WHERE pronamespace = to_regnamespace('dist_relay')",
        )
        return sorted(sql.functions() - {row[0] for row in self.env.cr.fetchall()})

    def _functions(self, missing: list[str]) -> list[Finding]:
        _ = self.env._
        if not missing:
            return [self._finding("ok", _("Functions of the relay"), _("All are there."))]
        hint = _("Make them anew: `odoo -u dist_sync_queue -d %s`.", self.env.cr.dbname)
        return [self._finding("bad", _("Functions of the relay are missing"), ", ".join(missing), hint)]

    def _role(self, missing: list[str]) -> list[Finding]:
        """Whether anybody but the owner may call them; asked where a connection is active."""
        _ = self.env._
        if missing or not self._active_connections():
            return []
        roles = self._row(
            """SELECT string_agg(DISTINCT a.grantee::regrole::text, ', ')
                 FROM pg_proc p CROSS JOIN LATERAL aclexplode(p.proacl) a
                 JOIN pg_roles r ON r.oid = a.grantee AND r.rolcanlogin
                WHERE p.pronamespace = to_regnamespace('dist_relay') AND p.proname = 'claim'
                  AND a.grantee <> p.proowner"""
        )[0]
        if roles:
            return [self._finding("ok", _("Role of the relay"), roles)]
        hint = _("CREATE ROLE dist_relay LOGIN PASSWORD '…'; SELECT dist_relay.grant_to('dist_relay');")
        return [
            self._finding("note", _("No role for the relay"), _("Only the owner may call what the relay calls."), hint)
        ]
