# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from dist_contracts import Order, Tax

from ..logic import amounts

GROUP = "dist_sync_queue.group_dist_user"


class DistChannel(models.Model):
    """A connection that sells, and how its orders become ours."""

    _name = "dist.channel"
    _description = "Sales Channel"
    _inherits = {"dist.connection": "connection_id"}
    _order = "id"
    _check_company_auto = True

    connection_id = fields.Many2one("dist.connection", required=True, ondelete="cascade", index=True)
    # Sellers and warehouse people read channels, but not what their connections are set up with.
    settings = fields.Json(related="connection_id.settings", readonly=False, groups=GROUP)
    check_result = fields.Json(related="connection_id.check_result", groups=GROUP)
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        required=True,
        check_company=True,
        default=lambda self: self.env["stock.warehouse"].search([("company_id", "=", self.env.company.id)], limit=1),
        help="Orders are delivered from here unless the channel names a location linked to another warehouse.",
    )
    location_ids = fields.One2many("dist.channel.location", "channel_id", string="Locations")
    team_id = fields.Many2one("crm.team", string="Sales Team", check_company=True)
    salesperson_id = fields.Many2one("res.users", domain="[('share', '=', False)]")
    pricelist_id = fields.Many2one(
        "product.pricelist",
        check_company=True,
        help="Its currency is the one orders have to be in. Prices come from the channel.",
    )
    order_prefix = fields.Char(
        help="Sales orders are named by the channel's number behind this prefix. Empty: by sequence."
    )
    import_since = fields.Date(help="Orders placed before this day are kept for information only.")
    import_test_orders = fields.Boolean(help="Otherwise test orders wait on hold until somebody releases them.")
    confirm_automatically = fields.Boolean(default=True)
    payment_policy = fields.Selection(
        [("secured", "Authorized or paid"), ("any", "Any payment status")],
        default="secured",
        required=True,
        help="Orders whose payment is not there yet wait on hold.",
    )
    currency_basis = fields.Selection(
        [("shop", "Shop currency"), ("presentment", "Currency the buyer saw")], default="shop", required=True
    )
    share_customers = fields.Boolean(help="New customers are visible to all companies, not only to the channel's.")
    guest_partner_id = fields.Many2one(
        "res.partner", string="Guest Customer", help="Customer of orders that name neither a buyer nor an address."
    )
    shipping_product_id = fields.Many2one(
        "product.product", default=lambda self: self._default_product("shipping"), required=True
    )
    discount_product_id = fields.Many2one(
        "product.product", default=lambda self: self._default_product("discount"), required=True
    )
    discount_policy = fields.Selection(
        [("percent", "Percentage where exact, otherwise a line"), ("line", "Always a line")],
        default="percent",
        required=True,
    )
    tax_policy = fields.Selection(
        [("line", "Separate line where no tax matches"), ("strict", "Refuse where no tax matches")],
        default="line",
        required=True,
        help="Taxes of the channel are matched by rate, included or not, company and country.",
    )
    tax_product_id = fields.Many2one(
        "product.product",
        default=lambda self: self._default_product("tax"),
        required=True,
        help="Taxes we owe that no Odoo tax matches. Give it a tax-payable account.",
    )
    facilitated_tax_policy = fields.Selection(
        [("exclude", "Leave it out"), ("line", "Separate line")],
        default="exclude",
        required=True,
        help="Tax that the marketplace collects and remits is neither revenue nor a debt of ours.",
    )
    facilitated_tax_product_id = fields.Many2one(
        "product.product",
        default=lambda self: self._default_product("facilitated_tax"),
        required=True,
        help="Only for separate lines. Give it a clearing account.",
    )
    other_product_id = fields.Many2one(
        "product.product",
        string="Product for Ignored Listings",
        default=lambda self: self._default_product("other"),
        required=True,
    )
    adjustment_product_id = fields.Many2one(
        "product.product", default=lambda self: self._default_product("adjustment"), required=True
    )
    mismatch_policy = fields.Selection(
        [
            ("exact", "Refuse any difference"),
            ("adjust", "Adjustment line within the tolerance"),
            ("block", "Quotation, confirmed when somebody accepts the difference"),
        ],
        default="adjust",
        required=True,
        help="When the sales order's total is not the channel's.",
    )
    mismatch_tolerance = fields.Float(default=0.05, digits=(16, 6))
    publish_availability = fields.Boolean(default=True)
    buffer_quantity = fields.Float(string="Buffer", digits="Product Unit", help="Units never promised.")
    buffer_percent = fields.Float(
        string="Buffer (%)", help="Share of the free stock never promised. The larger one counts."
    )
    settle_margin = fields.Integer(
        default=30,
        string="Clock Tolerance (s)",
        help="How far the channel's clock may be off ours. An order placed this close to a quantity update leaves it "
        "open whether the channel subtracted it before or after, so the quantity is sent again.",
    )
    order_ids = fields.One2many("dist.channel.order", "channel_id")
    mapping_ids = fields.One2many("dist.channel.mapping", "channel_id")

    _connection_unique = models.Constraint("UNIQUE (connection_id)", "A connection can be only one channel.")
    _buffer_positive = models.Constraint(
        "CHECK (buffer_quantity >= 0 AND buffer_percent >= 0 AND buffer_percent <= 100 AND mismatch_tolerance >= 0)",
        "Buffers and tolerances cannot be negative, nor a percentage above 100.",
    )

    @api.model
    def _default_product(self, name: str):
        return self.env.ref(f"dist_channel.product_{name}", raise_if_not_found=False)

    @api.constrains("warehouse_id", "connection_id")
    def _check_warehouse_company(self):
        for channel in self:
            if channel.warehouse_id.company_id != channel.company_id:
                raise ValidationError(
                    self.env._("The warehouse of channel %s belongs to another company.", channel.display_name)
                )

    @api.model_create_multi
    def create(self, vals_list):
        channels = super().create(vals_list)
        channels._load_locations()
        return channels

    def write(self, vals):
        res = super().write(vals)
        if vals.keys() & {"buffer_quantity", "buffer_percent", "publish_availability", "warehouse_id", "state"}:
            self._mark_all()
        return res

    def unlink(self):
        """Take the connection along, which refuses where history hangs on it."""
        connections = self.connection_id
        res = super().unlink()
        connections.unlink()
        return res

    # -- what the settings mean ---------------------------------------------------------------------------------

    @property
    def _side(self) -> amounts.Side:
        return self.currency_basis

    def _currency(self):
        """The currency orders have to be in."""
        self.ensure_one()
        return self.pricelist_id.currency_id or self.company_id.currency_id

    def _step(self) -> Decimal:
        """The smallest amount of the channel's currency."""
        return Decimal(repr(self._currency().rounding))

    def _tolerance(self) -> Decimal:
        """How far the channel's own sums may be apart before the order is refused."""
        return {"exact": Decimal(0), "block": Decimal("Infinity")}.get(
            self.mismatch_policy, Decimal(repr(round(self.mismatch_tolerance, 6)))
        )

    def _can(self, capability: str) -> bool:
        """Whether the channel's adapter announced a capability."""
        self.ensure_one()
        return capability in ((self.adapter_id.manifest or {}).get("capabilities") or ())

    def _warehouse_of(self, location_external_id: str | None):
        """The warehouse behind a location of the channel."""
        self.ensure_one()
        location = self.location_ids.filtered(lambda loc: loc.external_id == location_external_id)
        return location.warehouse_id or self.warehouse_id

    @api.model
    def _by_connection(self, connections) -> dict:
        """The channel of each connection."""
        channels = self.search([("connection_id", "in", connections.ids)])
        return {channel.connection_id: channel for channel in channels}

    def _tax_rules(self, order: Order, taxes: dict) -> amounts.Rules:
        """How ``order`` is written on this channel. ``taxes`` are the candidates of its company by rate."""
        self.ensure_one()
        country = order.ship_to.country if order.ship_to else None
        home = self.company_id.account_fiscal_country_id.code

        def match(tax: Tax) -> int | None:
            if tax.rate is None:
                return None
            found = taxes.get((round(tax.rate * 100, 4).normalize(), order.taxes_included), ())
            ranked = [
                (
                    candidate["country"] != country,
                    candidate["name"] != tax.title,
                    candidate["sequence"],
                    candidate["id"],
                )
                for candidate in found
                if candidate["country"] in (country, home)
            ]
            return min(ranked)[-1] if ranked else None

        return amounts.Rules(
            side=self._side,
            step=self._step(),
            match=match,
            facilitated_as_line=self.facilitated_tax_policy == "line",
            discounts_as_lines=self.discount_policy == "line",
        )

    def _tax_candidates(self) -> dict:
        """The sales taxes a channel's tax can be, by (percentage, included in the price)."""
        self.ensure_one()
        taxes = self.env["account.tax"].search(
            [
                *self.env["account.tax"]._check_company_domain(self.company_id),
                ("type_tax_use", "=", "sale"),
                ("amount_type", "=", "percent"),
            ]
        )
        found: dict = {}
        for tax in taxes:
            key = (Decimal(repr(round(tax.amount, 4))).normalize(), tax.price_include)
            found.setdefault(key, []).append(
                {"id": tax.id, "name": tax.name, "sequence": tax.sequence, "country": tax.country_id.code}
            )
        return found
