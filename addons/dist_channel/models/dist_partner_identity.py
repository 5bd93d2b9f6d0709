# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from odoo import api, fields, models
from odoo.tools import SQL

from dist_contracts import Address, Order

from ..logic import party

ADDRESS_FIELDS = ("street", "street2", "city", "zip", "phone")


@dataclass
class Slot:
    """A customer in the making: a partner that exists, or the values of one to be created."""

    keys: list[tuple[int, str, str]] = field(default_factory=list)
    partner: Any = None
    vals: dict | None = None


class DistPartnerIdentity(models.Model):
    """By what a customer of a channel is known again.

    ``buyer``: the channel's own id; ``email``: the normalised address, unless it is a mask of the marketplace;
    ``name``: name and postal address; ``address``: a delivery address of a customer. The unique index is what makes
    duplicates impossible: of two transactions that create the same customer at once the second one fails as a
    serialization failure, is run again by the engine and then finds the first one's customer. No lock is held
    meanwhile.
    """

    _name = "dist.partner.identity"
    _description = "Customer Identity"
    _rec_name = "value"

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade", index=True)
    channel_id = fields.Many2one("dist.channel", ondelete="cascade", index="btree_not_null")
    scope = fields.Integer(required=True, default=0, help="The channel for its own ids, otherwise 0.")
    kind = fields.Selection(
        [("buyer", "Buyer ID"), ("email", "Email"), ("name", "Name and address"), ("address", "Delivery address")],
        required=True,
    )
    value = fields.Char(required=True)
    partner_id = fields.Many2one("res.partner", required=True, ondelete="cascade", index=True)

    _identity_unique = models.UniqueIndex(
        "(company_id, scope, kind, value)", "This identity belongs to a customer already."
    )

    # -- the batch -----------------------------------------------------------------------------------------------

    @api.model
    def _resolve(self, channel, orders: dict[Any, Order]) -> dict[Any, tuple[Any, Any]]:
        """Customer and delivery address of each order, found or created.

        :param orders: anything → contract order, all of one channel
        :return: the same keys → (customer, delivery address)
        """
        slots = self._customers(channel, orders)
        deliveries = self._deliveries(channel, {key: (slots[key].partner, order) for key, order in orders.items()})
        return {key: (slots[key].partner, deliveries[key]) for key in orders}

    @api.model
    def _customers(self, channel, orders) -> dict[Any, Slot]:
        keys = {key: self._keys(channel, order) for key, order in orders.items()}
        known = self._known(channel.company_id, {k for found in keys.values() for k in found})
        self._known_by_email(channel.company_id, keys.values(), known)
        self._known_by_name(channel.company_id, orders, keys, known)
        slots: dict[Any, Slot] = {}
        fresh: dict[tuple, Slot] = {}
        for key, order in orders.items():
            slot = next((fresh[k] for k in keys[key] if k in fresh), None)
            partner = next((known[k] for k in keys[key] if k in known), None)
            if slot is None or partner:
                slot = Slot(partner=partner, vals=None if partner else self._partner_vals(channel, order))
            slot.keys += keys[key]
            fresh.update({k: slot for k in keys[key] if k not in fresh})
            slots[key] = slot
        pending = {id(slot): slot for slot in slots.values() if not slot.partner}
        partners = self._create_partners([slot.vals for slot in pending.values()])
        for slot, partner in zip(pending.values(), partners, strict=True):
            slot.partner = partner
        self._remember(channel, {k: slot.partner for slot in slots.values() for k in slot.keys}, known)
        return slots

    @api.model
    def _keys(self, channel, order: Order) -> list[tuple[int, str, str]]:
        """The identities an order shows, the surest first."""
        found = []
        buyer, address = order.buyer, order.bill_to or order.ship_to
        if buyer and buyer.external_id:
            found.append((channel.id, "buyer", buyer.external_id))
        if buyer and not buyer.email_masked and (email := party.normalise_email(buyer.email)):
            found.append((0, "email", email))
        if address and party.name_and_company(address)[0]:
            found.append((0, "name", party.key_of(address)))
        return found

    @api.model
    def _known(self, company, keys) -> dict[tuple, Any]:
        """Partners of identities that still hold; an identity of an archived partner does not."""
        if not keys:
            return {}
        rows = self.search([("company_id", "=", company.id), ("value", "in", list({value for _s, _k, value in keys}))])
        found = {}
        for row in rows:
            key = (row.scope, row.kind, row.value)
            if key in keys and row.partner_id.active and self._still_true(row):
                found[key] = row.partner_id
        return found

    @api.model
    def _still_true(self, row) -> bool:
        """Somebody may have changed the partner since: a corrected or moved address is not the same any more."""
        partner = row.partner_id
        if partner.company_id and partner.company_id != row.company_id:
            return False
        if row.kind == "email":
            return party.normalise_email(partner.email) == row.value
        if row.kind == "name":
            return self._key_of_partner(partner) == row.value
        return (
            row.kind != "address"
            or row.value == f"{partner.parent_id.id or partner.id}:{self._key_of_partner(partner)}"
        )

    @api.model
    def _key_of_partner(self, partner) -> str:
        return party.address_key(
            partner.name,
            partner.street,
            partner.street2,
            partner.city,
            partner.zip,
            partner.state_id.code,
            partner.country_id.code,
            partner.company_name or None,
        )

    @api.model
    def _known_by_email(self, company, keys, known) -> None:
        """Customers that came to Odoo by another way."""
        emails = {value for found in keys for (_s, kind, value) in found if kind == "email"}
        emails -= {value for (_s, kind, value) in known if kind == "email"}
        if emails:
            domain = [("email_normalized", "in", list(emails)), ("company_id", "in", [False, company.id])]
            for partner in self.env["res.partner"].search(domain, order="parent_id DESC, id DESC"):
                known[0, "email", partner.email_normalized] = partner

    @api.model
    def _known_by_name(self, company, orders, keys, known) -> None:
        open_keys = {
            value
            for found in keys.values()
            for (_s, kind, value) in found
            if kind == "name" and not any(k in known for k in found)
        }
        addresses = [order.bill_to or order.ship_to for order in orders.values()]
        zips = {a.zip for a in addresses if a and a.zip and party.key_of(a) in open_keys}
        if zips:
            domain = [("zip", "in", list(zips)), ("parent_id", "=", False), ("company_id", "in", [False, company.id])]
            for partner in self.env["res.partner"].search(domain, order="id DESC"):
                if (value := self._key_of_partner(partner)) in open_keys:
                    known[0, "name", value] = partner

    @api.model
    def _create_partners(self, vals_list):
        return (
            self.env["res.partner"]
            .with_context(tracking_disable=True, mail_create_nosubscribe=True, mail_create_nolog=True)
            .create(vals_list)
        )

    @api.model
    def _remember(self, channel, partners: dict[tuple, Any], known) -> None:
        """Write identities down in one sorted statement; see the class for what happens when two do so at once."""
        values = [
            SQL("(%s, %s, %s, %s, %s, %s)", channel.company_id.id, scope or None, scope, kind, value, partner.id)
            for (scope, kind, value), partner in sorted(partners.items(), key=lambda entry: entry[0])
            if (scope, kind, value) not in known
        ]
        if values:
            self.env["res.partner"].flush_model(["name"])
            self.env.cr.execute(
                SQL(
                    """INSERT INTO dist_partner_identity (company_id, channel_id, scope, kind, value, partner_id)
                       VALUES %s
                       ON CONFLICT (company_id, scope, kind, value) DO UPDATE SET partner_id = EXCLUDED.partner_id""",
                    SQL(", ").join(values),
                )
            )
            self.invalidate_model()

    # -- delivery addresses --------------------------------------------------------------------------------------

    @api.model
    def _deliveries(self, channel, wanted: dict[Any, tuple[Any, Order]]) -> dict[Any, Any]:
        found, open_keys = {}, {}
        for key, (partner, order) in wanted.items():
            if not order.ship_to or party.key_of(order.ship_to) == self._key_of_partner(partner):
                found[key] = partner
            else:
                open_keys[key] = (0, "address", f"{partner.id}:{party.key_of(order.ship_to)}")
        known = self._known(channel.company_id, set(open_keys.values()))
        parents = [wanted[key][0].id for key, k in open_keys.items() if k not in known]
        if parents:
            for child in self.env["res.partner"].search([("parent_id", "in", parents)], order="id DESC"):
                known.setdefault((0, "address", f"{child.parent_id.id}:{self._key_of_partner(child)}"), child)
        fresh = {}
        for key, k in open_keys.items():
            if k not in known and k not in fresh:
                fresh[k] = self._delivery_vals(channel, *wanted[key])
        made = dict(zip(fresh, self._create_partners(list(fresh.values())), strict=True))
        all_known = {**known, **made}
        found.update({key: all_known[k] for key, k in open_keys.items()})
        self._remember(channel, {k: all_known[k] for k in open_keys.values()}, known)
        return found

    # -- values --------------------------------------------------------------------------------------------------

    @api.model
    def _partner_vals(self, channel, order: Order) -> dict:
        buyer, address = order.buyer, order.bill_to or order.ship_to
        vals = self._address_vals(address) if address else {}
        vals["name"] = vals.get("name") or (buyer and (buyer.name or buyer.email)) or order.number
        if buyer:
            vals["email"] = buyer.email or vals.get("email")
            vals["phone"] = buyer.phone or vals.get("phone")
            if lang := self._lang(buyer.locale):
                vals["lang"] = lang
        vals["company_id"] = False if channel.share_customers else channel.company_id.id
        return vals

    @api.model
    def _delivery_vals(self, channel, partner, order: Order) -> dict:
        vals = self._address_vals(order.ship_to)
        company = vals.pop("company_name", None)  # Odoo keeps it for customers only
        vals["name"] = ", ".join(part for part in (vals.get("name") or partner.name, company) if part)
        return {**vals, "type": "delivery", "parent_id": partner.id, "company_id": partner.company_id.id}

    @api.model
    def _address_vals(self, address: Address) -> dict:
        name, company = party.name_and_company(address)
        country = self._countries().get(address.country)
        vals = {name_: getattr(address, name_) for name_ in ADDRESS_FIELDS}
        return vals | {
            "name": name,
            "company_name": company or False,
            "email": address.email,
            "country_id": country,
            "state_id": self._states().get((country, address.state)),
        }

    @api.model
    def _countries(self) -> dict[str, int]:
        """Country ids by ISO code, kept for the transaction."""
        cache = self.env.cr.cache
        if "dist_countries" not in cache:
            cache["dist_countries"] = {c.code: c.id for c in self.env["res.country"].search([]) if c.code}
        return cache["dist_countries"]

    @api.model
    def _states(self) -> dict[tuple[int, str], int]:
        cache = self.env.cr.cache
        if "dist_states" not in cache:
            found = defaultdict(lambda: None)
            found.update({(s.country_id.id, s.code): s.id for s in self.env["res.country.state"].search([])})
            cache["dist_states"] = found
        return cache["dist_states"]

    @api.model
    def _lang(self, locale: str | None) -> str | None:
        """The installed language of a locale such as ``de-AT``."""
        if not locale:
            return None
        code = locale.replace("-", "_")
        installed = [lang for lang, _name in self.env["res.lang"].get_installed()]
        exact = [lang for lang in installed if lang.lower() == code.lower()]
        near = [lang for lang in installed if lang.split("_")[0] == code.split("_")[0].lower()]
        return next(iter(exact + near), None)
