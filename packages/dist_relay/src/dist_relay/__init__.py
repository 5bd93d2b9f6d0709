"""The external Redis-backed outbox of Dist: pump, worker and the adapters of channels and warehouses.

It never imports Odoo. All durable state is in PostgreSQL behind the SQL functions of schema ``dist_relay``; Redis is
transport and may be emptied at any time.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("dist-relay")
except PackageNotFoundError:  # pragma: no cover - a source tree that was never installed
    __version__ = "0.0.0"

__all__ = ["__version__"]
