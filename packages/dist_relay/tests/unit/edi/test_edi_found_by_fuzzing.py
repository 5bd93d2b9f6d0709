"""Inputs that once broke the reader, found by ``make fuzz``."""

from __future__ import annotations

import pytest

from dist_relay.edi import reader

ISA = "ISA*00*          *00*          *ZZ*S              *ZZ*R              *260301*1230*U*00401*000000042*0*P*>~"
FOUND = {
    "an invoice total of more digits than decimals carry": (
        ISA + "GS*IN*S*R*20260301*1230*1*X*004010~ST*810*0001~BIG*20260301*1~"
        f"IT1*1*{'9' * 30}*EA*{'9' * 30}~TDS*1~SE*5*0001~GE*1*1~IEA*1*000000042~"
    ),
}


@pytest.mark.parametrize("what", FOUND)
def test_it_gives_findings_now(what: str) -> None:
    rules = set()
    for interchange in reader.read(FOUND[what].encode("latin-1")):
        for message in interchange.messages():
            rules |= {finding.rule for finding in message.findings}
            assert all(finding.message for finding in message.findings)
    assert rules
