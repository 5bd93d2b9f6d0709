"""Invoices and credit notes, and the advice of what was paid on them."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import Field

from ..base import Amount, Contract, Ref, Text
from ..listing import Uom
from ..money import Money
from .common import (
    Charge,
    Line,
    Measure,
    Pack,
    PaymentTerms,
    Price,
    Reference,
    TradeDocument,
    TradeTax,
    Transport,
    When,
)
from .order import MAX_LINES
from .words import OtherCode


class InvoiceKind(str, Enum):
    """What the document asks for or gives back (open)."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    DEBIT_NOTE = "debit_note"
    CORRECTED = "corrected"
    PREPAYMENT = "prepayment"
    CONSOLIDATED = "consolidated"
    PROFORMA = "proforma"
    SELF_BILLED = "self_billed"


class InvoiceLine(Line):
    """One product billed. ``amount`` is the line's net amount where the document says it."""

    order: Ref | None = None
    order_line: Ref | None = None
    quantity: Amount | None = None
    uom: Uom = "C62"
    shipped_quantity: Amount | None = None
    prices: tuple[Price, ...] = ()
    amount: Money | None = None
    packs: tuple[Pack, ...] = ()
    measures: tuple[Measure, ...] = ()
    charges: tuple[Charge, ...] = ()
    taxes: tuple[TradeTax, ...] = ()


class InvoiceTotals(Contract):
    """The sender's sums. ``total`` includes charges and tax; ``discountable`` is what payment terms apply to."""

    total: Money | None = None
    lines: Money | None = None
    charges: Money | None = None
    allowances: Money | None = None
    net_charges: Money | None = None
    taxable: Money | None = None
    tax: Money | None = None
    prepaid: Money | None = None
    payable: Money | None = None
    discountable: Money | None = None
    discount: Money | None = None
    discounted: Money | None = None


class Invoice(TradeDocument):
    """An invoice or credit note; amounts of a credit note are positive as the document writes them."""

    kind: InvoiceKind | OtherCode = InvoiceKind.INVOICE
    order: Ref | None = None
    ordered: When | None = None
    release: Ref | None = None
    terms: tuple[PaymentTerms, ...] = ()
    transport: tuple[Transport, ...] = ()
    charges: tuple[Charge, ...] = ()
    taxes: tuple[TradeTax, ...] = ()
    lines: Annotated[tuple[InvoiceLine, ...], Field(max_length=MAX_LINES)] = ()
    totals: InvoiceTotals = InvoiceTotals()


class PaymentMethod(str, Enum):
    """How the money moves (open)."""

    TRANSFER = "transfer"
    ACH = "ach"
    WIRE = "wire"
    CHEQUE = "cheque"
    DIRECT_DEBIT = "direct_debit"
    CARD = "card"
    NOT_PAID = "not_paid"


class BankAccount(Contract):
    """An account; ``bank`` is the number of the bank in ``scheme`` (an ABA routing number, a BIC)."""

    bank: Ref | None = None
    scheme: OtherCode | None = None
    account: Ref | None = None
    kind: OtherCode | None = None
    holder: Text | None = None


class AdjustmentReason(str, Enum):
    """Why less or more is paid than was billed (open)."""

    DISCOUNT = "discount"
    PRICE = "price"
    QUANTITY = "quantity"
    SHORTAGE = "shortage"
    DAMAGE = "damage"
    RETURN = "return"
    FREIGHT = "freight"
    ADVERTISING = "advertising"
    PROMOTION = "promotion"
    CREDIT = "credit"
    DUPLICATE = "duplicate"
    LATE = "late"
    TAX = "tax"
    OTHER = "other"


class PaymentAdjustment(Contract):
    """A deduction or addition with its reason; negative lowers what is paid."""

    amount: Money | None = None
    reason: AdjustmentReason | OtherCode
    reference: Reference | None = None
    description: Text | None = None


class RemittedDocument(Contract):
    """What is paid on one document: ``paid`` is ``billed`` less ``discount`` plus the adjustments."""

    document: Reference
    paid: Money | None = None
    billed: Money | None = None
    discount: Money | None = None
    action: OtherCode | None = None
    adjustments: tuple[PaymentAdjustment, ...] = ()
    references: tuple[Reference, ...] = ()
    issued: When | None = None


class Remittance(TradeDocument):
    """What was paid, and on which documents. ``credit`` is false where the payer is debited by the payee."""

    method: PaymentMethod | OtherCode | None = None
    handling: OtherCode | None = None
    format: Text | None = None
    credit: bool = True
    amount: Money | None = None
    payer_account: BankAccount | None = None
    payee_account: BankAccount | None = None
    paid_on: When | None = None
    adjustments: tuple[PaymentAdjustment, ...] = ()
    documents: Annotated[tuple[RemittedDocument, ...], Field(max_length=MAX_LINES)] = ()
