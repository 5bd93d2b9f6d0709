# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from __future__ import annotations

from decimal import Decimal

from odoo import models

from dist_contracts import Order

from ..logic import amounts, problems


class DistChannelOrder(models.Model):
    """What keeps an order from being imported, in words: a name, a cause and a fix."""

    _inherit = "dist.channel.order"

    def _problems(self, snapshot: Order) -> list[problems.Problem]:
        """Everything that is wrong with the order, found before anything is written."""
        channel = self.channel_id
        tolerance = Decimal("Infinity") if self.difference_accepted else channel._tolerance()
        countries = self.env["dist.partner.identity"]._countries()
        found = problems.find(snapshot, channel._side, channel._currency().name, channel._step(), tolerance, countries)
        lines = self.line_ids.filtered("quantity")
        unmatched = lines.filtered(lambda line: line.mapping_id.state == "unmatched")
        if unmatched:
            names = [f"{line.sku or '-'} ({line.name})" for line in unmatched]
            found.append(problems.Problem("unknown_sku", {"names": ", ".join(dict.fromkeys(names))}))
        archived = lines.product_id.filtered(lambda product: not product.active)
        if archived:
            found.append(problems.Problem("archived_product", {"names": ", ".join(archived.mapped("display_name"))}))
        if not self._has_party(snapshot) and not channel.guest_partner_id:
            found.append(problems.Problem("missing_buyer"))
        return found

    def _plan_problems(self, plan: list[amounts.PlannedLine]) -> list[problems.Problem]:
        """What is wrong with the lines to be: taxes without a counterpart where the channel does not allow that."""
        names = [line.title for line in plan if line.kind == "tax"]
        if names and self.channel_id.tax_policy == "strict":
            return [problems.Problem("unknown_tax", {"names": ", ".join(names)})]
        return []

    def _fail(self, found: list[problems.Problem]) -> None:
        """Keep the order and say what has to be done. Problems of before that are gone are closed."""
        self.ensure_one()
        texts = []
        kinds = {problem.kind for problem in found}
        open_kinds = self._open_kinds()
        self._settle_exceptions(open_kinds - kinds)
        for problem in found:
            name, cause, fix = self._words(problem)
            texts.append(cause)
            self._report(problem.kind, f"{self.display_name}: {name}", cause, fix)
        self._transition("exception", problem="\n".join(texts))

    def _open_kinds(self) -> set[str]:
        found = self.env["dist.exception"].search(
            [("res_model", "=", self._name), ("res_id", "=", self.id), ("state", "=", "open")]
        )
        return set(found.mapped("kind"))

    def _words(self, problem: problems.Problem) -> tuple[str, str, str]:
        """(name, cause, fix) of a problem, in the language of whoever is responsible for the channel."""
        return getattr(self, f"_words_{problem.kind}")(**problem.params)

    def _words_wrong_currency(self, currency: str, expected: str):
        _ = self.env._
        return (
            _("wrong currency"),
            _("The order is in %(currency)s, the channel sells in %(expected)s.", currency=currency, expected=expected),
            _("Choose the other currency basis or a pricelist in that currency on the channel, then resume the order."),
        )

    def _words_mixed_currency(self, currency: str, others: str):
        _ = self.env._
        return (
            _("mixed currencies"),
            _("Amounts of the order are in %(others)s instead of %(currency)s.", others=others, currency=currency),
            _("Check the order on the channel; it goes on with its next change there."),
        )

    def _words_negative_amount(self, names: str):
        _ = self.env._
        return (
            _("negative amount"),
            _("A price, discount or tax is below zero: %s", names),
            _("Correct the order on the channel, or cancel it here."),
        )

    def _words_missing_address(self, parts: list[str]):
        _ = self.env._
        words = {
            "address": _("the whole address"),
            "country": _("country"),
            "street": _("street"),
            "city": _("city"),
            "name": _("name"),
        }
        return (
            _("no delivery address"),
            _("The delivery address lacks: %s", ", ".join(words[part] for part in parts)),
            _("Complete the address on the channel; the order goes on by itself."),
        )

    def _words_unknown_country(self, countries: str):
        _ = self.env._
        return (
            _("unknown country"),
            _("These countries do not exist here: %s", countries),
            _("Correct the address on the channel, or add the country in the settings, then resume the order."),
        )

    def _words_empty_order(self):
        _ = self.env._
        return (
            _("nothing to deliver"),
            _("No line of the order has a quantity."),
            _("Close the order on the channel, or cancel it here."),
        )

    def _words_unknown_uom(self, uoms: str):
        _ = self.env._
        return (
            _("unknown unit"),
            _("Lines are in units this channel is not set up for: %s", uoms),
            _("Sell by piece on the channel, or enter the sales order by hand and mark this one as done."),
        )

    def _words_total_mismatch(self, stated: Decimal, summed: Decimal, difference: Decimal):
        _ = self.env._
        return (
            _("total does not match"),
            _(
                "The channel states %(stated)s, the parts come to %(summed)s (difference %(difference)s).",
                stated=stated,
                summed=summed,
                difference=difference,
            ),
            _("Check taxes and discounts, or accept the difference as an adjustment line."),
        )

    def _words_unknown_sku(self, names: str):
        _ = self.env._
        return (
            _("unknown product"),
            _("No product is mapped to: %s", names),
            _("Choose the product in the channel's mappings, or ignore the listing; the order goes on by itself."),
        )

    def _words_archived_product(self, names: str):
        _ = self.env._
        return (
            _("archived product"),
            _("The order has archived products: %s", names),
            _("Restore the product or map the listing to another one, then resume the order."),
        )

    def _words_missing_buyer(self):
        _ = self.env._
        return (
            _("no customer"),
            _("The order names neither a buyer nor an address."),
            _("Choose a guest customer on the channel, then resume the order."),
        )

    def _words_unknown_tax(self, names: str):
        _ = self.env._
        return (
            _("no matching tax"),
            _("No sales tax of the company matches: %s", names),
            _("Create the tax, or let the channel use a separate line for it, then resume the order."),
        )

    def _words_shipped_elsewhere(self):
        _ = self.env._
        return (
            _("partly shipped elsewhere"),
            _("A part of the order was fulfilled on the channel before it came here."),
            _("Enter what is left as a sales order by hand, or cancel the order here."),
        )

    def _words_refused(self, message: str):
        _ = self.env._
        return (
            _("sales order refused"),
            message,
            _("Put right what Odoo complains about, then resume the order."),
        )

    def _words_cancelled_after_shipment(self):
        _ = self.env._
        return (
            _("cancelled after shipment"),
            _("The channel cancelled the order, but goods have left."),
            _("Stop the parcel or receive it back, refund what is due, then mark the order as done."),
        )

    def _words_changed_after_shipment(self):
        _ = self.env._
        return (
            _("changed after shipment"),
            _("The channel changed lines, prices or the address, but goods have left."),
            _("Change the sales order by hand where needed, then mark this order as done."),
        )

    def _words_cancel_requested(self):
        _ = self.env._
        return (
            _("buyer wants to cancel"),
            _("The buyer asked the channel to cancel the order."),
            _("Cancel the order here, which tells the channel, or decline."),
        )

    def _words_held_after_confirmation(self, reason: str):
        _ = self.env._
        return (
            _("on hold"),
            _("The channel put the order on hold after it was confirmed here: %s", reason),
            _("Do not ship until the channel releases it; the order goes on by itself then."),
        )

    def _words_cancelled_in_part(self):
        _ = self.env._
        return (
            _("cancelled here after a part was shipped"),
            _("The sales order was cancelled, but a part of it has left and the channel was told so."),
            _("Cancel and refund the rest on the channel, then mark the order as done."),
        )
