"""What the Shopify adapter announces."""

from __future__ import annotations

from datetime import date
from typing import Any

from dist_contracts import AdapterKind, Capability, Manifest, RateLimit

API_VERSION = "2026-07"
SCOPES = (
    "read_products",
    "read_inventory",
    "write_inventory",
    "read_locations",
    "read_orders",
    "write_orders",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
)
"""Access scopes the app needs."""

MAX_QUANTITIES = 250
"""Quantities one ``inventorySetQuantities`` takes."""

_LOOPBACK = r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?"

SETTINGS: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["shop_domain"],
    "additionalProperties": False,
    "x-order": ["shop_domain", "location_ids", "orders_since", "overlap_minutes", "api_version", "endpoint"],
    "properties": {
        "shop_domain": {
            "type": "string",
            "title": "Shop Domain",
            "description": "The store's own address, e.g. my-store.myshopify.com",
            "pattern": r"^[a-z0-9][a-z0-9-]*\.myshopify\.com$",
            "maxLength": 120,
        },
        "location_ids": {
            "type": "array",
            "title": "Locations",
            "description": "Ids of the locations whose stock is published; all active ones when empty",
            "items": {"type": "string", "pattern": "^[0-9]+$"},
            "uniqueItems": True,
            "default": [],
        },
        "orders_since": {
            "type": "string",
            "format": "date-time",
            "title": "Import Orders Since",
            "description": "Orders last changed before this moment are left alone; all the app may see when empty",
        },
        "overlap_minutes": {
            "type": "integer",
            "title": "Overlap (minutes)",
            "description": "How far each pull looks back behind the last order it saw",
            "minimum": 1,
            "maximum": 120,
            "default": 5,
        },
        "api_version": {
            "type": "string",
            "title": "API Version",
            "pattern": "^20[0-9]{2}-(01|04|07|10)$",
            "default": API_VERSION,
        },
        "endpoint": {
            "type": "string",
            "title": "Endpoint",
            "description": "Another address to send requests to, for tests: https, or this machine",
            "pattern": rf"^(https://[^/\s@]+|{_LOOPBACK})/?$",
        },
    },
}

CREDENTIALS: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "x-order": ["access_token", "client_id", "client_secret"],
    "properties": {
        "access_token": {
            "type": "string",
            "title": "Admin API Access Token",
            "description": "Of a custom app; leave empty when the app has a client id and secret",
            "minLength": 1,
            "writeOnly": True,
        },
        "client_id": {"type": "string", "title": "Client ID", "minLength": 1},
        "client_secret": {"type": "string", "title": "Client Secret", "minLength": 1, "writeOnly": True},
    },
    "anyOf": [{"required": ["access_token"]}, {"required": ["client_id", "client_secret"]}],
}

MANIFEST = Manifest(
    code="shopify",
    label="Shopify",
    kind=AdapterKind.CHANNEL,
    version="0.1.0",
    capabilities=(
        Capability.CHECK,
        Capability.ORDERS_PULL,
        Capability.LISTINGS_PULL,
        Capability.AVAILABILITY_PUSH,
        Capability.SHIPMENT_CONFIRM,
        Capability.ORDER_CANCEL,
    ),
    settings_schema=SETTINGS,
    credentials_schema=CREDENTIALS,
    api_version=API_VERSION,
    api_sunset=date(2027, 7, 1),
    rate_limits=(RateLimit(operation="graphql", rate=100.0, burst=2000.0, unit="points"),),
    batch={"availability.changed.v1": MAX_QUANTITIES},
    links={
        "order": "https://{shop_domain}/admin/orders/{order_id}",
        "product": "https://{shop_domain}/admin/products/{product_id}",
        "variant": "https://{shop_domain}/admin/products/{product_id}/variants/{variant_id}",
    },
    description="Orders, stock, shipments and cancellations of a Shopify store through its Admin GraphQL API.",
    documentation="https://shopify.dev/docs/api/admin-graphql",
)
