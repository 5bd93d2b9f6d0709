# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from string import Formatter
from urllib.parse import quote

from odoo import fields, models
from odoo.exceptions import UserError


class DistChannel(models.Model):
    """What the buttons of a channel do, and the figures of its card."""

    _inherit = "dist.channel"

    order_count = fields.Integer(compute="_compute_counts", string="Orders")
    order_today_count = fields.Integer(compute="_compute_counts", string="Orders Today")
    attention_count = fields.Integer(compute="_compute_counts", string="Need Attention")
    unmatched_count = fields.Integer(compute="_compute_counts", string="Unmatched Listings")
    offer_count = fields.Integer(compute="_compute_counts", string="Offers")

    def _compute_counts(self):
        today = fields.Datetime.to_datetime(fields.Date.context_today(self))
        mine = [("channel_id", "in", self.ids)]

        def count(model: str, *domain) -> dict:
            return dict(self.env[model]._read_group([*mine, *domain], ["channel_id"], ["__count"]))

        orders = count("dist.channel.order")
        orders_today = count("dist.channel.order", ("create_date", ">=", today))
        attention = count("dist.channel.order", ("state", "=", "exception"))
        unmatched = count("dist.channel.mapping", ("state", "=", "unmatched"))
        offers = count("dist.offer")
        for channel in self:
            channel.order_count = orders.get(channel, 0)
            channel.order_today_count = orders_today.get(channel, 0)
            channel.attention_count = attention.get(channel, 0)
            channel.unmatched_count = unmatched.get(channel, 0)
            channel.offer_count = offers.get(channel, 0)

    # -- the connection behind -----------------------------------------------------------------------------------

    def action_test_connection(self):
        return self.connection_id.action_test_connection()

    def action_activate(self):
        return self.connection_id.action_activate()

    def action_pause(self):
        return self.connection_id.action_pause()

    def action_resume(self):
        return self.connection_id.action_resume()

    def action_draft(self):
        return self.connection_id.action_draft()

    def action_pull_now(self):
        return self.connection_id.action_pull_now()

    # -- availability --------------------------------------------------------------------------------------------

    def action_push_all(self):
        """Compute every offer and send it whatever we believe the channel shows."""
        self.check_access("write")
        self.env["dist.offer"].search([("channel_id", "in", self.ids)]).write({"expected_known": False})
        self._mark_all()
        return True

    def _mark_all(self) -> None:
        """Everything these channels show may have changed."""
        self.env["dist.availability"]._mark_channels(self)

    def action_load_locations(self):
        """Take the locations the last test of the connection found."""
        self.check_access("write")
        if not any((channel.check_result or {}).get("locations") for channel in self):
            raise UserError(self.env._("Test the connection first: the test tells the channel's locations."))
        self._load_locations()
        return True

    def _load_locations(self) -> None:
        """List what the test of the connection found; a single location is linked to the channel's warehouse."""
        for channel in self.sudo():
            found = (channel.check_result or {}).get("locations") or []
            known = {loc.external_id: loc for loc in channel.with_context(active_test=False).location_ids}
            alone = len(found) == 1 and not known
            for location in found:
                external_id, name = str(location["id"]), location.get("name") or str(location["id"])
                if external_id not in known:
                    self.env["dist.channel.location"].create(
                        {
                            "channel_id": channel.id,
                            "external_id": external_id,
                            "name": name,
                            "warehouse_id": channel.warehouse_id.id if alone else False,
                        }
                    )
                elif known[external_id].name != name:
                    known[external_id].name = name

    # -- windows -------------------------------------------------------------------------------------------------

    def _view(self, model: str, name: str, *domain):
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "view_mode": "list,form",
            "domain": [("channel_id", "in", self.ids), *domain],
            "context": {"default_channel_id": self.id if len(self) == 1 else False},
        }

    def action_view_orders(self):
        return self._view("dist.channel.order", self.env._("Channel Orders"))

    def action_view_attention(self):
        return self._view("dist.channel.order", self.env._("Need Attention"), ("state", "=", "exception"))

    def action_view_mappings(self):
        return self._view("dist.channel.mapping", self.env._("Mappings"))

    def action_view_unmatched(self):
        return self._view("dist.channel.mapping", self.env._("Unmatched Listings"), ("state", "=", "unmatched"))

    def action_view_offers(self):
        return self._view("dist.offer", self.env._("Offers"))

    # -- links ---------------------------------------------------------------------------------------------------

    def _link(self, name: str, **values: str) -> str | None:
        """The address of something in the store, from the manifest's template over settings and external ids."""
        self.ensure_one()
        template = ((self.adapter_id.sudo().manifest or {}).get("links") or {}).get(name)
        if not template:
            return None
        known = {
            **(self.sudo().settings or {}),
            **{key: self._local_id(value) for key, value in values.items() if value},
        }
        names = [field for _text, field, _spec, _conv in Formatter().parse(template) if field]
        if any(known.get(field) in (None, "", False) for field in names):
            return None
        url = template.format_map({field: quote(str(known[field]), safe=".:") for field in names})
        return url if url.startswith(("https://", "http://")) else None

    def _local_id(self, external_id: str) -> str:
        """The last part of a global id: what stores use in their own addresses (``gid://shop/Order/42`` → ``42``)."""
        return external_id.rpartition("/")[2] if "://" in external_id else external_id

    def _open_link(self, name: str, **values: str):
        url = self._link(name, **values)
        if not url:
            raise UserError(self.env._("The adapter of this channel tells no address for this."))
        return {"type": "ir.actions.act_url", "url": url, "target": "new"}
