"""Documents as text, JSON and HTML: labels, meanings, findings at their place; escaped and bounded."""

from __future__ import annotations

import doctest
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from overlay_samples import ORDER, ORDERS, changed

from dist_relay.edi import Message, read, render
from dist_relay.edi.overlay import profile
from dist_relay.edi.render import Bounds, as_json, envelope, html, text, view

FOLDER = Path(__file__).parents[2] / "fixtures" / "edi"
FILES = sorted(FOLDER.rglob("*.edi"))


def first(data: bytes) -> Message:
    return next(next(read(data)).messages())


class Table(HTMLParser):
    """The tags that an HTML text has, and its text; closing tags must fit."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.rows: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._open.append(tag)
        if tag == "tr":
            self.rows.append((dict(attrs).get("class", ""), ""))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.rows:
            self.rows[-1] = (self.rows[-1][0], f"{self.rows[-1][1]} {data}".strip())


def test_the_example_holds():
    assert doctest.testmod(render).failed == 0


def test_labels_and_meanings_in_x12():
    lines = list(text(view(first(changed(ORDER, (b"REF*DP", b"SAC*A*C310***1500~REF*DP"))))))
    assert lines[0] == "850 Purchase order, 0001, version 4010, rejected"
    assert "  2 BEG Beginning of an order" in lines
    assert "      BEG02 Purchase order type  SA = stand-alone order" in lines
    assert any(line.endswith("1500 = 15.00") for line in lines)
    at = lines.index("  loop N1")
    assert lines[at + 1].startswith("    5 N1")
    assert lines[at + 2].endswith("ST = ship to")


def test_composites_are_named_by_component_in_both_standards():
    names = [cell.name for row in view(first(ORDERS)).rows for cell in row.cells]
    assert names[:5] == ["C002.1001", "1004", "1225", "C507.2005", "C507.2380"]
    slp = changed(ORDER, (b"~CTT", b"~MEA**N*5*EA>1>2~CTT"))
    row = next(each for each in view(first(slp)).rows if each.tag == "MEA")
    assert [(cell.name, cell.value) for cell in row.cells][2:] == [
        ("MEA04-01", "EA"),
        ("MEA04-02", "1"),
        ("MEA04-03", "2"),
    ]


def test_findings_stand_at_their_place():
    data = changed(ORDER, (b"BEG*00*SA", b"BEG*00*"), (b"PO1*1*10", b"PO1*1*ten"), (b"N1*ST", b"QQQ*1~N1*ST"))
    seen = view(first(data))
    rows = {row.tag: row for row in seen.rows}
    missing = next(cell for cell in rows["BEG"].cells if cell.findings)
    assert (missing.name, missing.value, missing.findings[0].rule) == ("BEG02", "", "element.missing")
    assert [each.rule for each in rows["QQQ"].findings] == ["segment.unexpected"]
    assert [cell.findings[0].value for cell in rows["PO1"].cells if cell.findings] == ["ten"]
    assert [each.rule for each in seen.findings] == ["envelope.count"]
    lines = list(text(seen))
    assert [line for line in lines if "!" in line] == [
        next(line for line in lines if line.startswith("      ! reject element.missing: 850 0001, segment 2 BEG, ")),
        next(line for line in lines if "segment.unexpected" in line),
        next(line for line in lines if "element.type" in line),
        next(line for line in lines if "envelope.count" in line),
    ]
    assert next(line for line in lines if "segment.unexpected" in line).startswith("      ! reject")


@pytest.mark.parametrize("data", [ORDER, ORDERS], ids=["x12", "edifact"])
def test_html_is_a_table_of_known_tags_and_classes_only(data):
    table = Table(html(view(first(data))))
    assert table.tags == {"section", "h3", "table", "thead", "tr", "th", "tbody", "td"}
    assert table.attributes == {"class", "colspan"}


def test_whatever_stands_in_a_document_html_shows_it_as_text():
    evil = b"<script>alert('1')</script><img src=x onerror=a()>\"&amp;"
    data = changed(
        ORDER, (b"*P*>~", b"*P*:~"), (b"Store 5", evil), (b"BEG*00*SA*4711", b"BEG*<b*<i>x</i>*4711\x1b[31m")
    )
    data = changed(data, (b"~CTT", b"~<u>*1~CTT"), (b"*0001~BEG", b"*<a>~BEG"))
    message = first(data)
    page = html(view(message))
    table = Table(page)
    assert table.tags <= {"section", "h3", "table", "thead", "tr", "th", "tbody", "td", "ul", "li", "p"}
    assert table.attributes == {"class", "colspan"}
    assert evil.decode() in table.text
    assert "\x1b" not in page
    assert "\\x1b[31m" in table.text
    assert not any("\x1b" in line for line in text(view(message)))
    assert message.control in table.text


def test_html_rows_have_their_findings_below_them():
    table = Table(html(view(first(changed(ORDER, (b"PO1*1*10", b"PO1*1*ten"))))))
    at = next(number for number, (name, _) in enumerate(table.rows) if "edi-element" in name and "edi-wrong" in name)
    assert "ten" in table.rows[at][1]
    assert table.rows[at + 1][0].startswith("edi-finding edi-error edi-depth-1")
    assert "expected a decimal number" in table.rows[at + 1][1]


def test_json_is_json_and_says_the_same():
    data = changed(ORDER, (b"PO1*1*10", b"PO1*1*ten"))
    seen = json.loads(json.dumps(as_json(view(first(data)))))
    assert (seen["type"], seen["status"], seen["segment_count"]) == ("850", "accepted_with_errors", 7)
    line = next(each for each in seen["segments"] if each["tag"] == "PO1")
    assert line["loops"] == ["PO1"]
    assert line["elements"][1]["findings"][0]["rule"] == "element.type"
    assert line["elements"][2] == {
        "name": "PO103",
        "label": line["elements"][2]["label"],
        "value": "EA",
        "meaning": "each",
    }


def test_what_is_shown_is_bounded():
    many = b"".join(b"REF*DP*%d~" % number for number in range(500))
    data = changed(ORDER, (b"REF*DP*12~", many), (b"Store 5", b"S" * 5_000), (b"SE*7", b"SE*506"))
    seen = view(first(data), Bounds(segments=10))
    assert (len(seen.rows), seen.more, seen.segments) == (10, 494, 506)
    assert list(text(seen))[-2].strip() == "… 494 more segments"
    assert "494 more segments" in html(seen)
    assert as_json(seen)["more_segments"] == 494
    assert [each.position for each in seen.findings] == [503]
    whole = view(first(data), Bounds(value=20, elements=2, findings=0))
    party = next(each for each in whole.rows if each.tag == "N1")
    assert [len(each.value) for each in party.cells] == [2, 20]
    assert party.more == 2
    assert whole.more_findings == 1
    assert "1 more findings" in html(whole)
    assert list(text(whole))[-1].strip() == "… 1 more findings"
    assert "… 2 more values" in html(whole)


def test_codes_and_segments_of_an_overlay_have_their_labels():
    own = profile(
        {
            "define": {"x12": {"segments": "ZZ1 Shelf label : 9001!", "elements": "9001 ID 2/2 Colour : RD red"}},
            "documents": {"850": {"extra": [{"in": "PO1", "segments": "ZZ1 0..1"}]}},
        }
    )
    message = next(next(read(changed(ORDER, (b"~CTT", b"~ZZ1*RD~CTT"), (b"SE*7", b"SE*8")), own)).messages())
    row = next(each for each in view(message).rows if each.tag == "ZZ1")
    assert (row.label, row.cells[0].label, row.cells[0].meaning, row.opens) == ("Shelf label", "Colour", "red", ())


def test_a_document_without_grammar_and_one_read_by_the_nearest():
    unknown = changed(ORDER, (b"ST*850", b"ST*990"))
    seen = view(first(unknown))
    assert [row.label for row in seen.rows[:2]] == ["Beginning of an order", "Reference"]
    assert [each.rule for each in seen.notes] == ["grammar.unknown"]
    assert next(text(seen)) == "990, 0001, version 4010, valid"
    later = view(first(changed(ORDER, (b"*X*004010~", b"*X*006020~"))))
    assert next(text(later)) == "850 Purchase order, 0001, version 6020 read as 5010, valid"


def test_the_envelope():
    interchange = next(read(ORDER)).drain()
    assert envelope(interchange) == {
        "standard": "X12",
        "control": "000000007",
        "sender": "ZZ SHOP",
        "receiver": "ZZ DIST",
        "date": "260301 1200",
        "version": "00401",
        "encoding": "ascii",
    }


def test_segments_must_have_been_kept():
    message = next(next(read(ORDER, keep=False)).messages())
    with pytest.raises(ValueError, match="without keeping"):
        view(message)


@pytest.mark.parametrize("folder", ["x12", "edifact"])
def test_every_fixture_is_shown_with_all_its_findings(folder):
    count = 0
    for path in FILES:
        if path.relative_to(FOLDER).parts[0] != folder:
            continue
        for interchange in read(path.read_bytes()):
            for message in interchange.messages():
                seen = view(message)
                lines = list(text(seen))
                assert sum(" ! " in f" {line.strip()}" for line in lines) == len(message.findings) + len(message.notes)
                assert [row.position for row in seen.rows] == list(range(2, message.segment_count))
                table = Table(html(seen))
                assert sum(name.startswith("edi-segment") for name, _ in table.rows) == len(seen.rows)
                json.dumps(as_json(seen))
                values = [cell.value for row in seen.rows for cell in row.cells if cell.value]
                assert values == [
                    part for each in message.segments() for value in each.elements for part in _flat(value) if part
                ]
                count += 1
    assert count > 100


def _flat(value: object) -> list[str]:
    return [value] if isinstance(value, str) else [part for each in value for part in _flat(each)]  # type: ignore[attr-defined]
