"""The words of trading documents: what X12 and EDIFACT say by codes, said by one name each.

Two kinds of vocabulary: *closed* ones (plain enumerations) where a reader must handle every case, and *open* ones, of
which the standards know hundreds of codes. A field of an open vocabulary takes one of our words, or the standard's own
code kept as it was (``x12:ZZ``, ``edifact:AAK``), so that nothing is lost and nothing is guessed.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import Field

OtherCode = Annotated[str, Field(pattern=r"^(x12|edifact):[!-~]{1,17}$")]
"""A code of the standard itself, for which we have no word: ``x12:ZZ``, ``edifact:AAK``."""


class Purpose(str, Enum):
    """What the document does with what was said before under the same number."""

    ORIGINAL = "original"
    CANCEL = "cancel"
    CHANGE = "change"
    REPLACE = "replace"
    CONFIRM = "confirm"
    DUPLICATE = "duplicate"
    RESEND = "resend"
    TEST = "test"
    INFORM = "inform"


class LineAction(str, Enum):
    """What becomes of a line in a change or a catalogue."""

    ADD = "add"
    DELETE = "delete"
    CHANGE = "change"
    KEEP = "keep"
    REPLACE = "replace"


class PartyRole(str, Enum):
    """The part somebody plays in a document (open)."""

    BUYER = "buyer"
    SUPPLIER = "supplier"
    SHIP_TO = "ship_to"
    SHIP_FROM = "ship_from"
    BILL_TO = "bill_to"
    INVOICE_ISSUER = "invoice_issuer"
    REMIT_TO = "remit_to"
    PAYER = "payer"
    PAYEE = "payee"
    SOLD_TO = "sold_to"
    ULTIMATE_CONSIGNEE = "ultimate_consignee"
    MARK_FOR = "mark_for"
    STORE = "store"
    WAREHOUSE = "warehouse"
    DEPOSITOR = "depositor"
    CARRIER = "carrier"
    FORWARDER = "forwarder"
    MANUFACTURER = "manufacturer"
    MESSAGE_SENDER = "message_sender"
    MESSAGE_RECIPIENT = "message_recipient"
    RETURN_TO = "return_to"
    REPORTED_LOCATION = "reported_location"
    BANK_OF_PAYER = "bank_of_payer"
    BANK_OF_PAYEE = "bank_of_payee"


class PartyScheme(str, Enum):
    """Who numbered a party or place (open)."""

    GLN = "gln"
    DUNS = "duns"
    DUNS4 = "duns4"
    BUYER = "buyer"
    SUPPLIER = "supplier"
    SCAC = "scac"
    TAX = "tax"
    EIN = "ein"
    BIC = "bic"
    ROUTING_NUMBER = "routing_number"
    MUTUAL = "mutual"


class ReferenceKind(str, Enum):
    """What a reference number names (open)."""

    PURCHASE_ORDER = "purchase_order"
    PURCHASE_ORDER_LINE = "purchase_order_line"
    RELEASE = "release"
    CHANGE = "change"
    SUPPLIER_ORDER = "supplier_order"
    CUSTOMER_ORDER = "customer_order"
    DEPOSITOR_ORDER = "depositor_order"
    DELIVERY_NOTE = "delivery_note"
    DESPATCH_ADVICE = "despatch_advice"
    RECEIPT = "receipt"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    DEBIT_NOTE = "debit_note"
    PAYMENT = "payment"
    CONTRACT = "contract"
    PRICE_LIST = "price_list"
    PROMOTION = "promotion"
    QUOTE = "quote"
    DEPARTMENT = "department"
    MERCHANDISE_TYPE = "merchandise_type"
    VENDOR_NUMBER = "vendor_number"
    ACCOUNT = "account"
    CUSTOMER_REFERENCE = "customer_reference"
    BILL_OF_LADING = "bill_of_lading"
    MASTER_BILL_OF_LADING = "master_bill_of_lading"
    CARRIER_REFERENCE = "carrier_reference"
    TRACKING_NUMBER = "tracking_number"
    LOAD = "load"
    APPOINTMENT = "appointment"
    SEAL = "seal"
    PACKING_LIST = "packing_list"
    SHIPMENT = "shipment"
    CONSIGNMENT = "consignment"
    RETURN_AUTHORIZATION = "return_authorization"
    CLAIM = "claim"
    TAX_NUMBER = "tax_number"
    LOT = "lot"
    SERIAL = "serial"
    STORE = "store"
    MUTUAL = "mutual"


class DateKind(str, Enum):
    """What a date is about (open)."""

    DOCUMENT = "document"
    ORDERED = "ordered"
    SHIP_ON = "ship_on"
    SHIP_NOT_BEFORE = "ship_not_before"
    SHIP_BY = "ship_by"
    DELIVER_ON = "deliver_on"
    DELIVER_NOT_BEFORE = "deliver_not_before"
    DELIVER_BY = "deliver_by"
    CANCEL_AFTER = "cancel_after"
    PICK_UP = "pick_up"
    PROMISED_SHIP = "promised_ship"
    PROMISED_DELIVERY = "promised_delivery"
    SHIPPED = "shipped"
    ESTIMATED_DELIVERY = "estimated_delivery"
    DELIVERED = "delivered"
    RECEIVED = "received"
    INVOICED = "invoiced"
    TAX_POINT = "tax_point"
    DUE = "due"
    DISCOUNT_DUE = "discount_due"
    PAID = "paid"
    STARTS = "starts"
    ENDS = "ends"
    PERIOD = "period"
    PROMOTION_STARTS = "promotion_starts"
    PROMOTION_ENDS = "promotion_ends"
    AVAILABLE = "available"
    EXPIRES = "expires"
    BEST_BEFORE = "best_before"
    PRODUCED = "produced"
    COUNTED = "counted"
    EVENT = "event"


class ItemScheme(str, Enum):
    """Who numbered a product, or which of its features the value names (open). ``gtin`` has 8, 12, 13 or 14 digits."""

    GTIN = "gtin"
    BUYER = "buyer"
    SUPPLIER = "supplier"
    MANUFACTURER = "manufacturer"
    SKU = "sku"
    CASE_CODE = "case_code"
    ISBN = "isbn"
    NDC = "ndc"
    HS_CODE = "hs_code"
    CATALOGUE = "catalogue"
    MODEL = "model"
    STYLE = "style"
    COLOUR = "colour"
    SIZE = "size"
    PROMOTIONAL_VARIANT = "promotional_variant"
    GROUP = "group"
    LOT = "lot"
    SERIAL = "serial"
    MUTUAL = "mutual"


class PriceKind(str, Enum):
    """What a price is (open). ``net`` is after, ``gross`` before the allowances that are listed with it."""

    NET = "net"
    GROSS = "gross"
    RETAIL = "retail"
    SUGGESTED_RETAIL = "suggested_retail"
    LIST = "list"
    CATALOGUE = "catalogue"
    CONTRACT = "contract"
    PROMOTIONAL = "promotional"
    COST = "cost"
    INFORMATIONAL = "informational"


class ChargeKind(str, Enum):
    """What is added to or taken off a price (open)."""

    FREIGHT = "freight"
    HANDLING = "handling"
    PACKING = "packing"
    INSURANCE = "insurance"
    FUEL = "fuel"
    PALLET = "pallet"
    SMALL_ORDER = "small_order"
    RESTOCKING = "restocking"
    DISCOUNT = "discount"
    TRADE_DISCOUNT = "trade_discount"
    VOLUME_DISCOUNT = "volume_discount"
    EARLY_PAYMENT = "early_payment"
    PROMOTION = "promotion"
    ADVERTISING = "advertising"
    DEFECTIVE = "defective"
    NEW_STORE = "new_store"
    WAREHOUSING = "warehousing"
    FREE_GOODS = "free_goods"
    RETURNS = "returns"
    TAX = "tax"
    ENVIRONMENT = "environment"
    DEPOSIT = "deposit"
    ROUNDING = "rounding"
    SERVICE = "service"


class QuantityKind(str, Enum):
    """What a reported quantity counts (open)."""

    ON_HAND = "on_hand"
    AVAILABLE = "available"
    RESERVED = "reserved"
    ON_ORDER = "on_order"
    IN_TRANSIT = "in_transit"
    BACKORDERED = "backordered"
    DAMAGED = "damaged"
    BLOCKED = "blocked"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    REORDER_POINT = "reorder_point"
    SOLD = "sold"
    RETURNED = "returned"
    RECEIVED = "received"
    ORDERED = "ordered"
    SHIPPED = "shipped"
    ADJUSTED = "adjusted"
    OUT_OF_STOCK = "out_of_stock"


class MeasureKind(str, Enum):
    """What a measure measures (open)."""

    GROSS_WEIGHT = "gross_weight"
    NET_WEIGHT = "net_weight"
    VOLUME = "volume"
    LENGTH = "length"
    WIDTH = "width"
    HEIGHT = "height"
    TEMPERATURE = "temperature"


class NoteKind(str, Enum):
    """Whom a text is for (open)."""

    GENERAL = "general"
    DELIVERY = "delivery"
    SHIPPING = "shipping"
    WAREHOUSE = "warehouse"
    INVOICE = "invoice"
    GIFT = "gift"
    LABEL = "label"
    ORDER = "order"
    PACKING = "packing"
    TERMS = "terms"
    PRODUCT = "product"
    CHANGE = "change"
    PAYMENT = "payment"
    REASON = "reason"
