"""``order.cancel``: the store cancels in the background; we wait a little, then read back."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from dist_contracts import CancelReason, Envelope, OrderCancel, Outcome, explain
from dist_relay.errors import Broken, OutcomeUnknown, Rejected, RetryLater, delivered
from dist_relay.ports import Context

from .client import Client
from .ids import gid, short
from .reading import Node, Unmappable

REASONS = {
    CancelReason.CUSTOMER: "CUSTOMER",
    CancelReason.STOCK: "INVENTORY",
    CancelReason.FRAUD: "FRAUD",
    CancelReason.PAYMENT: "DECLINED",
    CancelReason.OTHER: "OTHER",
}
POLLS = 5
POLL_SECONDS = 1.0
NOTE_LENGTH = 255


class CancelOrder:
    """Cancels one order at a time."""

    def __init__(self, ctx: Context) -> None:
        self._client, self._clock = Client(ctx), ctx.clock

    def cancel(self, event: Envelope) -> Outcome:
        """Delivered when the order is cancelled, by whomever."""
        try:
            wanted, _ = OrderCancel.read(event.payload)
        except ValidationError as error:
            raise Broken(f"not a cancellation: {explain(error)}", code="bad_payload") from error
        order_id = gid("Order", wanted.order_id)
        if when := self._cancelled(order_id):
            return delivered(event, {"cancelled_at": when, "read_back": True})
        job = self._ask(order_id, wanted)
        for _ in range(POLLS):
            if job is None or self._done(job):
                break
            self._clock.sleep(POLL_SECONDS)
        if when := self._cancelled(order_id):
            return delivered(event, {"cancelled_at": when})
        raise OutcomeUnknown("the store has taken the cancellation and not finished it yet", seconds=15, code="pending")

    def _ask(self, order_id: str, wanted: OrderCancel) -> str | None:
        variables: dict[str, Any] = {
            "order": order_id,
            "reason": REASONS[wanted.reason],
            "restock": wanted.restock,
            "notify": wanted.notify_buyer,
            "refund": {"originalPaymentMethodsRefund": wanted.refund},
            "note": (wanted.note or "")[:NOTE_LENGTH] or None,
        }
        answer = self._client.run("Cancel", variables, priority=1).get("orderCancel")
        try:
            node = Node.of(answer, "orderCancel")
            for error in node.children("orderCancelUserErrors"):
                _refuse(error.text("code", optional=True) or "", error.text("message"))
            job = node.child("job", optional=True)
            return job.text("id") if job else None
        except Unmappable as error:
            raise OutcomeUnknown(f"the store's answer cannot be read: {error}", code="bad_answer") from error

    def _done(self, job: str) -> bool:
        found = self._client.run("JobState", {"id": job}, priority=1).get("job")
        return bool(isinstance(found, dict) and found.get("done"))

    def _cancelled(self, order_id: str) -> str | None:
        """When the order was cancelled; ``None`` when it is not.

        :raises Rejected: when there is no such order, or something of it has been shipped.
        """
        found = self._client.run("CancelState", {"id": order_id}, priority=1).get("order")
        if found is None:
            raise Rejected("unknown_order", f"the store has no order {short(order_id)}")
        try:
            order = Node.of(found, "order")
            if when := order.moment("cancelledAt", optional=True):
                return when.isoformat()
            if any(each.text("status") == "SUCCESS" for each in order.children("fulfillments")):
                raise Rejected("already_shipped", "a part of the order is fulfilled at the store")
        except Unmappable as error:
            raise RetryLater(None, f"the order cannot be read: {error}", code="bad_answer") from error
        return None


def _refuse(code: str, message: str) -> None:
    if code == "INTERNAL_ERROR":
        raise RetryLater(None, f"the store failed to cancel: {message}", code="server_error")
    raise Rejected(code.lower() or "refused", message)
