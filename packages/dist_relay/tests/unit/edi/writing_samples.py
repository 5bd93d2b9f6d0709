"""Documents and headers that the tests of the writer share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dist_relay.edi import (
    Document,
    GroupHeader,
    InterchangeHeader,
    Loop,
    Message,
    Party,
    Segment,
    Writer,
    read,
)

AT = datetime(2026, 3, 1, 12, 30)
ISA = InterchangeHeader(Party("WAREHOUSE", "ZZ"), Party("RETAILER", "08"), 42, AT)
PO = GroupHeader("PO", 7, "004010VICS")
UNB = InterchangeHeader(Party("4000001123452", "14"), Party("4000001123469", "14"), "R1", AT)


def line(number: int, **changes: Any) -> Loop:
    values = {"quantity": Decimal("10.50"), "unit": "EA", "price": Decimal("9.90"), "gtin": "036000291452", **changes}
    return Loop("PO1").add(
        Segment.of("PO1", number, values["quantity"], values["unit"], values["price"], None, "UP", values["gtin"])
    )


def order(*lines: Loop, number: str = "4711") -> Loop:
    head = Segment.of("BEG", "00", "SA", number, None, date(2026, 3, 1))
    return Loop().add(head, *(lines or (line(1), line(2))))


def orders(*segments: Segment) -> list[Segment]:
    return [
        Segment.of("BGM", "220", "4711", "9"),
        Segment.of("DTM", ["137", "20260301", "102"]),
        Segment.of("LIN", 1, None, ["4000862141404", "SRV"]),
        Segment.of("QTY", ["21", "2.5"]),
        *segments,
        Segment.of("UNS", "S"),
    ]


def x12(body: Iterable[Segment | Loop] | Loop, writer: Writer | None = None, header: InterchangeHeader = ISA) -> str:
    made = (writer or Writer("x12")).interchange(header, [(PO, [Document("850", 1, body)])])
    return made.decode("latin-1")


def edifact(
    body: Iterable[Segment | Loop],
    writer: Writer | None = None,
    header: InterchangeHeader = UNB,
    version: str = "D:96A:UN",
) -> str:
    return (writer or Writer("edifact")).interchange(header, [Document("ORDERS", 1, body, version)]).decode("latin-1")


def faults(data: str | bytes) -> list[str]:
    found = []
    for interchange in read(data.encode("latin-1") if isinstance(data, str) else data):
        for message in interchange.messages():
            found += [each.message for each in message.findings]
        found += [each.message for each in interchange.findings]
    return found


def only_message(data: bytes) -> Message:
    (message,) = next(read(data)).messages()
    return message
