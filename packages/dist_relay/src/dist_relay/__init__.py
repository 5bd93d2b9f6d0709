"""The external Redis-backed outbox of Dist: pump, worker and the adapters of channels and warehouses.

It never imports Odoo. All durable state is in PostgreSQL behind the SQL functions of schema ``dist_relay``; Redis is
transport and may be emptied at any time.
"""

from typing import Any

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    """The version is looked up when it is asked for: the metadata of packages take a while to load."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("dist-relay")
    except PackageNotFoundError:  # pragma: no cover - a source tree that was never installed
        return "0.0.0"
