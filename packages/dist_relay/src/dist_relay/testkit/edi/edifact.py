# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Valid EDIFACT interchanges of directory D.96A: despatch advices (DESADV)."""

from __future__ import annotations

from collections.abc import Iterator

from .numbers import Values, gtin

PALLETS, ITEMS = 8, 24
"""Of a despatch advice: about so many pallets, at most so many lines on each."""
RELEASED = 7
"""Every so many-th description holds characters that must be released."""


def despatch_advices(size: int, seed: int = 1) -> Iterator[bytes]:
    """An interchange of about ``size`` bytes of DESADV with a packing hierarchy, SSCC and EAN."""
    values = Values(seed)
    head = "UNA:+.? '\nUNB+UNOC:3+4006381000000:14+5412345000013:14+261121:0930+1'\n"
    yield head.encode("latin-1")
    written, number = len(head), 0
    while not number or written + 400 < size:
        number += 1
        segments = [f"UNH+{number}+DESADV:D:96A:UN:EAN005", *_despatch_advice(values, number)]
        segments.append(f"UNT+{len(segments) + 1}+{number}'\n")
        piece = "'\n".join(segments)
        written += len(piece)
        yield piece.encode("latin-1")
    yield f"UNZ+{number}+1'\n".encode("latin-1")


def _despatch_advice(values: Values, number: int) -> Iterator[str]:
    """Segments between UNH and UNT."""
    yield f"BGM+351+DES{number:08d}+9"
    yield f"DTM+137:{values.date()}:102"
    yield f"DTM+11:{values.date()}{values.time()}:203"
    yield f"RFF+ON:PO{number:08d}"
    yield f"DTM+171:{values.date()}:102"
    yield "NAD+SU+4006381000000::9"
    yield "NAD+BY+5412345000013::9"
    yield f"NAD+DP+5412345000020::9++Dist Retailer {number % 900:03d}+Rue de l?'Entrepôt {number % 99}+Lyon++69001+FR"
    yield "TDT+20++30+31"
    pallets = PALLETS - 2 + values.below(5)
    yield "CPS+1"
    yield f"PAC+{pallets}++201"
    line = 0
    for pallet in range(pallets):
        yield f"CPS+{pallet + 2}+1+3"
        yield "PAC+1++201"
        yield "PCI+33E"
        yield f"GIN+BJ+{values.unit()}"
        for _item in range(1 + values.below(ITEMS)):
            line += 1
            product = values.below(90_000)
            yield f"LIN+{line}++{gtin(product, 13)}:EN"
            yield f"PIA+1+SKU-{product:05d}:SA"
            yield f"IMD+F++:::{_description(values, line)}"
            yield f"QTY+12:{1 + values.below(48)}:PCE"
    yield f"CNT+2:{line}"


def _description(values: Values, line: int) -> str:
    text = values.text(3).title()
    return f"{text} 3?+1 1/2?' Ø" if line % RELEASED == 0 else text
