"""Totals of invoices and payments, and hash totals: right in any reading of the document, wrong in none."""

from __future__ import annotations

import pytest

from dist_relay.edi import read

ISA = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260312*0915*U*00401*000000001*0*P*>~"
GROUPS = {"810": "IN", "820": "RA", "850": "PO"}


def balances(type_: str, *segments: str) -> list[tuple[str, str, str]]:
    body = "".join(f"{each}~" for each in segments)
    text = (
        f"{ISA}GS*{GROUPS[type_]}*A*B*20260312*0915*1*X*004010~ST*{type_}*0001~{body}"
        f"SE*{len(segments) + 2}*0001~GE*1*1~IEA*1*000000001~"
    )
    found = []
    for interchange in read(text.encode()):
        for message in interchange.messages():
            assert [each for each in message.findings if each.level != "balance"] == []
            found += [(each.rule, each.element, each.expected) for each in message.findings]
    return found


def invoice(total: str, *segments: str) -> list[tuple[str, str, str]]:
    lines = [each for each in segments if each.startswith("IT1")]
    summary = [each for each in segments if not each.startswith("IT1")]
    return balances("810", "BIG*20260316*INV-1", *lines, f"TDS*{total}", *summary)


@pytest.mark.parametrize(
    ("total", "segments"),
    [
        ("5000", ["IT1**4*EA*12.5"]),
        ("-5000", ["IT1**-4*EA*12.5"]),
        ("5000", ["IT1**-4*EA*12.5"]),  # a credit memo without its sign
        ("1125", ["IT1**250*EA*4.5*HP"]),
        ("0", ["IT1**4*EA*12.5*NC"]),
        ("4500", ["IT1**4*EA*12.5", "SAC*A*C310***500"]),
        ("5500", ["IT1**4*EA*12.5", "SAC*C*D240***500"]),
        ("5000", ["IT1**4*EA*12.5", "SAC*A*C310***500*******15"]),
        ("5300", ["IT1**4*EA*12.5", "TXI*ST*3*6"]),
        ("5000", ["IT1**4*EA*12.5", "TXI*ST*3*6***O"]),
        ("99999", ["IT1**4*EA*12.5*PN"]),  # a price for something unknown: not judged
        ("99999", ["IT1**4*EA*12.5", "SAC*A*C310"]),  # an allowance without amount: not judged
        ("99999", ["IT1**4*EA*12.5", "IT1******UP*061414100012"]),  # a line without price: not judged
    ],
)
def test_an_invoice_total_that_some_reading_gives(total: str, segments: list[str]) -> None:
    assert [each for each in invoice(total, *segments) if each[0] == "balance.total"] == []


@pytest.mark.parametrize(
    ("total", "segments", "expected"),
    [
        ("5100", ["IT1**4*EA*12.5"], "5000"),
        ("5000000", ["IT1**4*EA*12.5"], "5000"),
        ("4400", ["IT1**4*EA*12.5", "SAC*A*C310***500", "SAC*C*D240***250"], "4750"),
        ("5600", ["IT1**4*EA*12.5", "TXI*ST*3*6"], "5300"),
    ],
)
def test_an_invoice_total_that_no_reading_gives(total: str, segments: list[str], expected: str) -> None:
    assert invoice(total, *segments) == [("balance.total", "TDS01", expected)]


def payment(amount: str, *segments: str, handling: str = "C") -> list[tuple[str, str, str]]:
    return balances("820", f"BPR*{handling}*{amount}*C*CHK", "ENT*1", *segments)


def test_a_payment_is_what_it_pays_and_adjusts() -> None:
    documents = ("RMR*IV*1**100", "RMR*CM*2**-20")
    assert payment("80", *documents) == []
    assert payment("70", "ADX*-10*01", *documents) == []
    assert payment("80", *documents, "ADX*-5*01") == []
    assert payment("75", *documents, "ADX*-5*01") == []
    assert payment("0", *documents, handling="H") == []
    assert payment("79", "ADX*-10*01", *documents) == [("balance.total", "BPR02", "70")]
    assert payment("500") == []


def order(total: str, *quantities: str) -> list[tuple[str, str, str]]:
    lines = [f"PO1**{each}*EA*1" for each in quantities]
    return balances("850", "BEG*00*SA*1**20260310", *lines, f"CTT*{len(lines)}*{total}")


def test_a_hash_total_is_the_sum_or_the_sum_of_the_digits() -> None:
    assert order("5.5", "3", "2.5") == []
    assert order("28", "3", "2.5") == []
    assert order("855", "-.0018", ".18", "1.8", "18.01") == [("balance.sum", "CTT02", "19.9882")]
    assert order("1855", "-.0018", ".18", "1.8", "18.01") == []
    assert order("9999999998", "9999999999", "9999999999") == []
    assert order("6", "3", "2.5") == [("balance.sum", "CTT02", "5.5")]
