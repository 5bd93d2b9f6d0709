"""Money: an exact decimal with its ISO 4217 currency, and the pair a two-currency channel shows."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import Amount, Contract

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""ISO 4217 alphabetic code."""


class Money(Contract):
    """An amount in one currency. Never mix two: compare :attr:`currency` first."""

    amount: Amount
    currency: Currency

    def __str__(self) -> str:
        """For people: ``12.50 USD``."""
        return f"{self.amount} {self.currency}"


class MoneyPair(Contract):
    """The same value in the shop's own currency and, where the buyer saw another one, in that (``presentment``)."""

    shop: Money
    presentment: Money | None = None
