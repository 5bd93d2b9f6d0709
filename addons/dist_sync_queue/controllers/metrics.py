# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""``/dist/metrics``: what the engine knows, as Prometheus text, for who has the token."""

from __future__ import annotations

import hmac

from prometheus_client import CONTENT_TYPE_LATEST

from odoo import SUPERUSER_ID, api, http
from odoo.http import request

from ..engine.metrics import exposition
from ..models.relay import METRICS_PARAMETER, hash_of_token


class DistMetrics(http.Controller):
    """No session, no user: a token alone, kept as its hash and compared in constant time."""

    @http.route(
        "/dist/metrics", type="http", auth="none", methods=["GET"], csrf=False, save_session=False, readonly=False
    )
    def metrics(self, **_query: str) -> http.Response:
        """Metrics of one database; several databases: header ``X-Odoo-Database``. Reads only, in bounded time.

        404 while no token was made or no database is chosen, 401 for a wrong token.
        """
        if not request.db:
            return request.not_found()
        cr = request.env.cr
        # not a replica's cursor: who works and which transactions are open stands on the primary
        cr.execute("SET TRANSACTION READ ONLY")
        env = api.Environment(cr, SUPERUSER_ID, {})
        wanted = env["ir.config_parameter"].get_param(METRICS_PARAMETER, "")
        if not wanted:
            return request.not_found()
        scheme, _space, token = request.httprequest.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(hash_of_token(token.strip()), wanted):
            return request.make_response("", headers={"WWW-Authenticate": "Bearer"}, status=401)
        headers = {"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
        return request.make_response(exposition(cr), headers=headers)
