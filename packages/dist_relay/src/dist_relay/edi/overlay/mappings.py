"""The part of an overlay that mapping to canonical objects needs: currency, zone, the partner's own codes."""

from __future__ import annotations

import re
from types import MappingProxyType
from zoneinfo import ZoneInfo

from ..mapping.context import MappingProfile
from .table import Table

MAX_CODES = 1_000
_DEFAULT = MappingProfile()


def mapping(table: Table) -> MappingProfile | None:
    """``mapping``, None when it is not there."""
    if not table.keys():
        return None
    currency, zone = table.text("currency", limit=3), table.text("zone", limit=60)
    if currency and not re.fullmatch("[A-Z]{3}", currency):
        raise table.error("a currency has three letters", "currency")
    if zone and not _is_zone(zone):
        raise table.error("this zone of times is not known", "zone")
    objects = table.table("objects")
    made = MappingProfile(
        currency or _DEFAULT.currency,
        zone or _DEFAULT.zone,
        _codes(table.table("codes")),
        MappingProxyType({type_: _object(objects, type_) for type_ in objects}),
    )
    table.done()
    return made


def _codes(table: Table) -> MappingProxyType[str, MappingProxyType[str, str]]:
    from ..mapping import tables

    known = {name for standard in ("x12", "edifact") for name in tables.load(standard)}
    found = {}
    for name in table:
        if name not in known:
            raise table.error(f"there is no such table; there is {', '.join(sorted(known))}", name)
        inner = table.table(name)
        if len(inner.keys()) > MAX_CODES:
            raise table.error(f"more than {MAX_CODES} codes", name)
        found[name] = MappingProxyType({code: inner.text(code, limit=60) for code in inner})
    return MappingProxyType(found)


def _object(table: Table, type_: str) -> str:
    from ..mapping import notation

    found = table.text(type_, limit=60)
    standard = "edifact" if type_.isalpha() else "x12"
    known = [notation.load(standard, name).model for name in notation.available(standard).get(type_, [])]
    if found not in known:
        raise table.error(f"this document is none; it may be {', '.join(known) or 'nothing'}", type_)
    return found


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True
