"""How what left becomes the parcels of a shipment message."""

from __future__ import annotations

import re
from decimal import ROUND_FLOOR, Decimal


def tracking_numbers(text: str | None) -> list[str]:
    """The tracking numbers somebody typed, in order, each once.

    >>> tracking_numbers("1Z1, 1Z2;1Z1\\n 1Z3 ")
    ['1Z1', '1Z2', '1Z3']
    """
    return list(dict.fromkeys(part.strip() for part in re.split(r"[,;\n]+", text or "") if part.strip()))


def spread(quantities: dict[str, Decimal], parcels: int) -> list[dict[str, Decimal]]:
    """Share quantities among parcels when nobody packed by name: every unit in exactly one, no parcel empty.

    Nobody told what lies in which parcel, but each tracking number has to reach the buyer; the sums are what counts.
    Gives fewer parcels when there are fewer whole units.

    >>> spread({"a": Decimal(3)}, 2)
    [{'a': Decimal('2')}, {'a': Decimal('1')}]
    >>> spread({"a": Decimal(1), "b": Decimal("2.5")}, 2)
    [{'a': Decimal('1'), 'b': Decimal('1.5')}, {'b': Decimal('1')}]
    >>> len(spread({"a": Decimal(1)}, 3))
    1
    """
    rest = dict(quantities)
    others: list[dict[str, Decimal]] = []
    while len(others) < parcels - 1:
        line_id = max(rest, key=lambda key: (rest[key], key))
        whole = sum(int(q.to_integral_value(ROUND_FLOOR)) for q in rest.values())
        lonely = sum(1 for q in rest.values() if q) == 1 and rest[line_id] <= 1
        if whole < 1 or lonely or rest[line_id] < 1:
            break
        rest[line_id] -= 1
        others.append({line_id: Decimal(1)})
    first = {line_id: quantity for line_id, quantity in rest.items() if quantity}
    return [first, *others] if first else others


def allot(
    done: dict[str, Decimal], open_quantities: dict[str, Decimal]
) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """What of the goods that left the channel expects, and what goes beyond it.

    >>> allot({"a": Decimal(12)}, {"a": Decimal(10)})
    ({'a': Decimal('10')}, {'a': Decimal('2')})
    """
    taken, surplus = {}, {}
    for line_id, quantity in done.items():
        fits = min(quantity, max(open_quantities.get(line_id, Decimal(0)), Decimal(0)))
        if fits:
            taken[line_id] = fits
        if quantity > fits:
            surplus[line_id] = quantity - fits
    return taken, surplus
