"""Documents and overlays that several tests use."""

from __future__ import annotations

ORDER = (
    b"ISA*00*          *00*          *ZZ*SHOP           *ZZ*DIST           *260301*1200*U*00401*000000007*0*P*>~"
    b"GS*PO*SHOP*DIST*20260301*1200*7*X*004010~"
    b"ST*850*0001~BEG*00*SA*4711**20260301~REF*DP*12~N1*ST*Store 5*92*05~PO1*1*10*EA*2.5**UP*036000291452~CTT*1~"
    b"SE*7*0001~GE*1*7~IEA*1*000000007~"
)
"""A valid 850 of seven segments."""

ORDERS = (
    b"UNB+UNOC:3+SHOP:14+DIST:14+260301:1200+9'UNH+1+ORDERS:D:96A:UN'BGM+220+4711+9'DTM+137:20260301:102'"
    b"NAD+BY+4012345000009::9'LIN+1++4000862141404:EN'QTY+21:10'UNS+S'CNT+2:1'UNT+9+1'UNZ+1+9'"
)
"""A valid ORDERS of nine segments."""


def changed(data: bytes, *pairs: tuple[bytes, bytes]) -> bytes:
    """The document with some bytes exchanged; each must be there."""
    for old, new in pairs:
        assert old in data, old
        data = data.replace(old, new, 1)
    return data
