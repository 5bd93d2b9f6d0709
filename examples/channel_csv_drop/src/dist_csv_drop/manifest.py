"""What the adapter announces."""

from dist_contracts import AdapterKind, Capability, Manifest

MANIFEST = Manifest(
    code="csv_drop",
    label="CSV Folder",
    kind=AdapterKind.CHANNEL,
    version="0.1.0",
    capabilities=(
        Capability.CHECK,
        Capability.ORDERS_PULL,
        Capability.LISTINGS_PULL,
        Capability.AVAILABILITY_PUSH,
        Capability.SHIPMENT_CONFIRM,
    ),
    settings_schema={
        "type": "object",
        "required": ["folder"],
        "additionalProperties": False,
        "properties": {
            "folder": {
                "type": "string",
                "title": "Folder",
                "description": "Name of the folder below the root the relay was given",
                "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$",
            },
            "location": {"type": "string", "title": "Location", "default": "main", "minLength": 1, "maxLength": 60},
        },
    },
    credentials_schema={"type": "object", "additionalProperties": False},
    batch={"availability.changed.v1": 500},
    description="Orders from CSV files in a folder; availability and shipments as CSV files.",
)
