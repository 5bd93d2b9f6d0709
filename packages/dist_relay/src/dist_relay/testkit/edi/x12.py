# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Valid X12 interchanges of version 4010: ship notices (856) and purchase orders (850)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .numbers import Values, gtin

ISA = "ISA*00*          *00*          *ZZ*DISTSUPPLIER   *ZZ*DISTRETAILER   *261121*0930*U*00401*{:09d}*0*P*>~\n"
TYPES = {"SH": "856", "PO": "850"}
PALLETS, CARTONS, ITEMS = 4, 10, 3
"""Of a ship notice: about so many pallets, about so many cartons on each, at most so many items in one."""


def ship_notices(size: int, seed: int = 1, *, one_set: bool = False) -> Iterator[bytes]:
    """An interchange of about ``size`` bytes of 856 with shipment, order, tare, pack and item levels.

    :param one_set: a single transaction set holds everything, instead of some hundred segments each
    """
    values = Values(seed)
    if one_set:
        return _interchange("SH", size, 0, lambda number: _ship_notice(values, number, size - 400))
    return _interchange("SH", size, 400, lambda number: _ship_notice(values, number, 0))


def purchase_orders(size: int, seed: int = 1, *, lines: int = 120) -> Iterator[bytes]:
    """An interchange of about ``size`` bytes of 850, each with ``lines`` lines on the average."""
    values = Values(seed)
    return _interchange("PO", size, 400, lambda number: _order(values, number, lines // 2 + values.below(lines + 1)))


def small_order() -> bytes:
    """One 850 of 43 segments, ST and SE included."""
    return b"".join(_interchange("PO", 1, 0, lambda number: _order(Values(7), number, 13)))


def _interchange(group: str, size: int, spare: int, body: Callable[[int], Iterator[str]]) -> Iterator[bytes]:
    """Envelope round as many sets as fit in; one at least.

    :param spare: bytes that may be missing at the end for lack of a small enough set
    """
    head = ISA.format(1) + f"GS*{group}*DISTSUPPLIER*DISTRETAILER*20261121*0930*1*X*004010~\n"
    yield head.encode("ascii")
    written, number = len(head), 0
    while not number or written + spare < size:
        number += 1
        segments = [f"ST*{TYPES[group]}*{number:09d}", *body(number)]
        segments.append(f"SE*{len(segments) + 1}*{number:09d}~\n")
        piece = "~\n".join(segments)
        written += len(piece)
        yield piece.encode("ascii")
    yield f"GE*{number}*1~\nIEA*1*{1:09d}~\n".encode("ascii")


def _ship_notice(values: Values, number: int, size: int) -> Iterator[str]:
    """Segments between ST and SE; pallets are added until ``size`` bytes are reached, three at least."""
    packed: list[str] = []
    level, cartons, pallets = 2, 0, 0
    wanted, written = PALLETS - 1 + values.below(3), 0
    while pallets < wanted or written < size:
        pallets += 1
        tare = level = level + 1
        part = [f"HL*{tare}*2*T*1", f"MAN*GM*00{values.unit()}"]
        for _carton in range(CARTONS - 2 + values.below(5)):
            pack = level = level + 1
            cartons += 1
            part += [f"HL*{pack}*{tare}*P*1", f"MAN*GM*00{values.unit()}"]
            for _item in range(1 + values.below(ITEMS)):
                level += 1
                product = values.below(90_000)
                part += [
                    f"HL*{level}*{pack}*I*0",
                    f"LIN*{level}*UP*{gtin(product)}*VP*SKU-{product:05d}",
                    f"SN1*{level}*{1 + values.below(48)}*EA",
                    f"PID*F****{values.text(3)}",
                ]
        written += sum(map(len, part)) + 2 * len(part)
        packed += part
    yield f"BSN*00*SHP{number:07d}*{values.date()}*{values.time()}*0001"
    yield from _shipment(values, number, cartons)
    yield "HL*2*1*O*1"
    yield f"PRF*PO{number:08d}***{values.date()}"
    yield from packed
    yield f"CTT*{level}"


def _shipment(values: Values, number: int, cartons: int) -> Iterator[str]:
    """The shipment level of a ship notice: carrier, references, parties."""
    yield "HL*1**S*1"
    yield f"TD1*CTN25*{cartons}****G*{cartons * 12}.5*LB"
    yield "TD5**2*UPSN*M*UPS GROUND"
    yield f"TD3*TL*DIST*{number:07d}"
    yield f"REF*BM*BOL{number:09d}"
    yield f"REF*CN*PRO{number:09d}"
    yield f"DTM*011*{values.date()}*{values.time()}"
    yield from _party(values, "SF", "DIST SUPPLIER WAREHOUSE", "91", "WH01")
    yield from _party(values, "ST", f"DIST RETAILER STORE {number % 900:03d}", "92", f"{number % 900:04d}")


def _party(values: Values, role: str, name: str, qualifier: str, code: str) -> Iterator[str]:
    city, state, post = values.city()
    yield f"N1*{role}*{name}*{qualifier}*{code}"
    yield f"N3*{1 + values.below(9999)} MARKET STREET"
    yield f"N4*{city}*{state}*{post}*US"


def _order(values: Values, number: int, lines: int) -> Iterator[str]:
    """Segments between ST and SE: 15 round the lines, two or three a line (a date on every thirteenth)."""
    yield f"BEG*00*SA*PO{number:08d}**{values.date()}"
    yield "CUR*BY*USD"
    yield f"REF*DP*{values.below(1000):03d}"
    yield f"REF*IA*{values.below(100_000):05d}"
    yield "PER*OC*PURCHASING DESK*TE*3125550100"
    yield "FOB*PP"
    yield "ITD*01*3*2**10**30"
    yield f"DTM*002*{values.date()}"
    yield f"DTM*038*{values.date()}"
    yield "N1*BY*DIST RETAILER*92*0001"
    yield from _party(values, "ST", f"DIST RETAILER STORE {number % 900:03d}", "92", f"{number % 900:04d}")
    total = 0
    for line in range(1, lines + 1):
        units = 1 + values.below(240)
        total += units
        product = values.below(90_000)
        yield f"PO1*{line}*{units}*EA*{values.price()}**UP*{gtin(product)}*VP*SKU-{product:05d}*SK*{product:06d}"
        yield f"PID*F****{values.text(4)}"
        if line % 13 == 1:
            yield f"DTM*010*{values.date()}"
    yield f"CTT*{lines}*{total}"
