"""Finds the installed adapters. A new one is a package with an entry point in the group; nothing here changes."""

from __future__ import annotations

from importlib.metadata import entry_points

from dist_relay.ports import Adapter, Log

GROUP = "dist_relay.adapters"


def discover(log: Log | None = None) -> dict[str, Adapter]:
    """Adapters by code. One that cannot be imported is reported and left out: it must not stop the others."""
    found: dict[str, Adapter] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        try:
            adapter = entry.load()
            if not isinstance(adapter, Adapter):
                raise TypeError(f"{entry.value} is {type(adapter).__name__}, not an Adapter")
            if adapter.manifest.code != entry.name:
                raise ValueError(f"its manifest calls itself {adapter.manifest.code}")
        except Exception as error:
            if log:
                log.error("adapter left out", adapter=entry.name, error=f"{type(error).__name__}: {error}")
            continue
        found[entry.name] = adapter
    return found
