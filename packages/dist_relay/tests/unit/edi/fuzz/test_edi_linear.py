"""Work grows with the size of the input, not with its square: counted in calls, and in the long form (``make fuzz``) in
time with a wide margin, which sees what one call of C may hide."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from io import BytesIO

import pytest

from dist_relay.edi import reader
from dist_relay.edi.errors import EdiError
from dist_relay.testkit.edi import edifact, x12

timed = pytest.mark.skipif("DIST_FUZZ_INPUTS" not in os.environ, reason="measures time: make fuzz, on a quiet machine")

ISA = b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *261121*0930*U*00401*000000001*0*P*>~"
GS = b"GS*PO*A*B*20261121*0930*1*X*004010~"
UNB = b"UNA:+.? 'UNB+UNOC:3+A+B+261121:0930+1'"
BEG = b"ST*850*0001~BEG*00*SA*1**20260101~"
UNH = b"UNH+1+DESADV:D:96A:UN'BGM+351+1+9'"

SHAPES: dict[str, Callable[[int], bytes]] = {
    "sets": lambda n: b"".join(x12.purchase_orders(n)),
    "levels": lambda n: b"".join(x12.ship_notices(n, one_set=True)),
    "messages": lambda n: b"".join(edifact.despatch_advices(n)),
    "a deep hierarchy": lambda n: (
        ISA
        + GS
        + b"ST*856*0001~BSN*00*1*20260101*1200~"
        + b"".join(b"HL*%d*%d*I~" % (i + 1, i) for i in range(n // 14))
    ),
    "levels without parents": lambda n: ISA + GS + b"ST*856*0001~BSN*00*1*20260101*1200~" + b"HL*7*8*I~" * (n // 10),
    "empty sets": lambda n: ISA + GS + b"ST*850*0001~SE*2*0001~" * (n // 22),
    "sets without end": lambda n: ISA + GS + b"ST*850*0001~" * (n // 12),
    "groups without end": lambda n: ISA + GS * (n // len(GS)),
    "interchanges without end": lambda n: ISA * (n // len(ISA)),
    "UNB without end": lambda n: b"UNB+UNOC:3+A+B+261121:0930+1'" * (n // 29),
    "UNA again and again": lambda n: UNB + b"UNA:+.? '" * (n // 9),
    "an unknown segment": lambda n: ISA + GS + BEG + b"QQQ*1~" * (n // 6),
    "wrong order": lambda n: ISA + GS + BEG + b"CTT*1~BEG*1~" * (n // 12),
    "empty segments": lambda n: ISA + GS + BEG + b"~" * n,
    "blank segments": lambda n: ISA + GS + BEG + b" ~\n" * (n // 3),
    "line breaks": lambda n: ISA + GS + BEG + b"\r\n" * (n // 2),
    "released segments": lambda n: UNB + UNH + b"FTX+AAI+++?''" * (n // 13),
    "leading text": lambda n: b"X" * min(n, 60_000) + ISA,
    "leading almost-openers": lambda n: b"ISA UNB UNA ISA" * (min(n, 60_000) // 15) + ISA,
    "noise": lambda n: bytes((i * 7919 + i // 251) % 256 for i in range(n)),
    "text around trailers": lambda n: ISA + GS + BEG + b"REF*ZZ*IEA*1~" * (n // 13),
}
"""Long inputs; ``n`` is about their size."""

SEGMENT_SHAPES: dict[str, Callable[[int], bytes]] = {
    "one element": lambda n: ISA + GS + BEG + b"REF*ZZ*" + b"A" * n + b"~",
    "many elements": lambda n: ISA + GS + BEG + b"REF" + b"*A" * (n // 2) + b"~",
    "empty elements": lambda n: ISA + GS + BEG + b"REF" + b"*" * n + b"~",
    "many components": lambda n: UNB + UNH + b"DTM+" + b":1" * (n // 2) + b"'",
    "empty components": lambda n: UNB + UNH + b"DTM+" + b":" * n + b"'",
    "release characters": lambda n: UNB + UNH + b"FTX+AAI+++" + b"?" * (n // 2 * 2) + b"'",
    "released separators": lambda n: UNB + UNH + b"FTX+AAI+++" + b"?+" * (n // 2) + b"'",
    "released components": lambda n: UNB + UNH + b"FTX+AAI+++A:" + b"?:" * (n // 2) + b"'",
    "released terminators": lambda n: UNB + UNH + b"FTX+AAI+++" + b"?'" * (n // 2) + b"'",
    "released without end": lambda n: UNB + UNH + b"FTX+AAI+++" + b"?'" * (n // 2),
    "digits": lambda n: ISA + GS + BEG + b"PO1*1*" + b"9" * n + b"*EA~",
    "points": lambda n: ISA + GS + BEG + b"PO1*1*" + b"1." * (n // 2) + b"*EA~",
    "blanks": lambda n: ISA + GS + BEG + b"REF*ZZ*" + b" " * n + b"~",
    "breaks inside": lambda n: ISA + GS + BEG + b"REF*ZZ*" + b"A\n" * (n // 2) + b"~",
    "high bytes": lambda n: UNB + UNH + b"FTX+AAI+++" + b"\xe9" * n + b"'",
    "no terminator": lambda n: ISA + GS + b"ST*850*" + b"A*" * (n // 2),
    "a tag": lambda n: ISA + GS + b"A" * n + b"~",
}
"""One long segment: these are bounded by the limit of a segment, which is the largest size tried."""


class Trickle(BytesIO):
    """A stream that gives a byte at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(1)


def work(data: bytes, trickle: bool = False) -> None:
    try:
        for interchange in reader.read(Trickle(data) if trickle else data):
            for message in interchange.messages():
                message.tree()
    except EdiError:
        pass


def calls(data: bytes) -> int:
    """Calls of functions, of C ones too, while ``data`` is read."""
    count = 0

    def see(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(see)
    try:
        work(data)
    finally:
        sys.setprofile(None)
    return count


def seconds(data: bytes) -> float:
    """The quickest CPU time of three."""
    times = []
    for _time in range(3):
        began = time.process_time()
        work(data)
        times.append(time.process_time() - began)
    return min(times)


@pytest.mark.parametrize("shape", [*SHAPES, *SEGMENT_SHAPES])
def test_calls_grow_no_faster_than_the_input(shape: str) -> None:
    make = {**SHAPES, **SEGMENT_SHAPES}[shape]
    work(make(2_000))  # grammars and states are there
    small, large = calls(make(8_000)), calls(make(64_000))
    assert large <= 12 * small + 2_000, f"{small} calls, then {large} for eight times as much"


@timed
@pytest.mark.parametrize("shape", ["sets", "no terminator", "released without end"])
def test_a_stream_that_gives_a_byte_at_a_time_is_no_harder(shape: str) -> None:
    make = {**SHAPES, **SEGMENT_SHAPES}[shape]
    data = make(500_000)
    began = time.process_time()
    work(data)
    at_once = time.process_time() - began
    began = time.process_time()
    work(data, trickle=True)
    assert time.process_time() - began <= 10 * at_once + 3


@timed
@pytest.mark.parametrize("shape", [*SHAPES, *SEGMENT_SHAPES])
def test_time_grows_no_faster_than_the_input(shape: str) -> None:
    """Sixteen times as much takes 16 times as long; 256 times if something is done again for all before it."""
    make = {**SHAPES, **SEGMENT_SHAPES}[shape]
    work(make(2_000))
    few, many = (20_000, 320_000) if shape in SHAPES else (50_000, 800_000)
    small, large = seconds(make(few)), seconds(make(many))
    assert large <= 80 * max(small, 0.0005), (
        f"{small * 1000:.1f} ms, then {large * 1000:.1f} ms for sixteen times as much"
    )
