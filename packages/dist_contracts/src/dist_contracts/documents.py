"""The catalogue of trading documents: name with version → object. Their schemas are published like those of events."""

from __future__ import annotations

from .base import Contract
from .trade.billing import Invoice, Remittance
from .trade.goods import Asn, InboundAdvice, Receipt, ShipOrder, WarehouseShipment
from .trade.order import OrderAcknowledgement, OrderChange, PurchaseOrder
from .trade.reports import (
    Adjustment,
    PriceCatalogue,
    ReturnAuthorization,
    SalesReport,
    StockSnapshot,
    TransportStatus,
)

DOCUMENTS: dict[str, type[Contract]] = {
    "purchase_order.v1": PurchaseOrder,
    "order_change.v1": OrderChange,
    "order_acknowledgement.v1": OrderAcknowledgement,
    "asn.v1": Asn,
    "invoice.v1": Invoice,
    "remittance.v1": Remittance,
    "stock_snapshot.v1": StockSnapshot,
    "price_catalogue.v1": PriceCatalogue,
    "sales_report.v1": SalesReport,
    "ship_order.v1": ShipOrder,
    "warehouse_shipment.v1": WarehouseShipment,
    "inbound_advice.v1": InboundAdvice,
    "receipt.v1": Receipt,
    "adjustment.v1": Adjustment,
    "return_authorization.v1": ReturnAuthorization,
    "transport_status.v1": TransportStatus,
}
