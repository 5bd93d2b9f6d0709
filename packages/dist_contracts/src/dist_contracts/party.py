"""People and places of an order."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import Contract, Ref, Text

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2 code."""


class Address(Contract):
    """A postal address as the channel gave it.

    ``state`` is the ISO 3166-2 part behind the country (``CA`` of ``US-CA``).
    """

    name: Text | None = None
    company: Text | None = None
    street: Text | None = None
    street2: Text | None = None
    city: Text | None = None
    zip: Text | None = None
    state: Text | None = None
    country: Country | None = None
    phone: Text | None = None
    email: Text | None = None


class Buyer(Contract):
    """Who bought. ``email_masked`` says that the address is a relay of the marketplace: never dedupe on it."""

    external_id: Ref | None = None
    name: Text | None = None
    email: Text | None = None
    email_masked: bool = False
    phone: Text | None = None
    tax_id: Text | None = None
    locale: Text | None = None
