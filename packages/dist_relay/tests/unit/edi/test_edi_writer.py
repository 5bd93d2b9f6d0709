"""The writer: what comes out, what is computed, and all that is refused."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from writing_samples import ISA, PO, UNB, edifact, faults, line, only_message, order, orders, x12

from dist_relay.edi import (
    Codec,
    Document,
    GroupHeader,
    Layout,
    Loop,
    Party,
    Repeats,
    Segment,
    WriteError,
    Writer,
    read,
)
from dist_relay.edi.delimiters import EDIFACT, X12
from dist_relay.edi.grammar.registry import Registry
from dist_relay.edi.writer import A_SEGMENT_A_LINE, RECORDS_OF_80


class TestX12:
    def test_an_order_with_fixed_widths_counts_and_control_numbers(self):
        assert x12(order(), Writer("x12", layout=A_SEGMENT_A_LINE)) == (
            "ISA*00*          *00*          *ZZ*WAREHOUSE      *08*RETAILER       "
            "*260301*1230*U*00401*000000042*0*P*>~\n"
            "GS*PO*WAREHOUSE*RETAILER*20260301*1230*7*X*004010VICS~\n"
            "ST*850*0001~\n"
            "BEG*00*SA*4711**20260301~\n"
            "PO1*1*10.5*EA*9.9**UP*036000291452~\n"
            "PO1*2*10.5*EA*9.9**UP*036000291452~\n"
            "SE*5*0001~\n"
            "GE*1*7~\n"
            "IEA*1*000000042~\n"
        )

    def test_what_is_written_is_read_without_a_finding(self):
        assert faults(x12(order())) == []

    def test_several_groups_and_messages(self):
        later = replace(PO, control=8)
        content = [
            (PO, [Document("850", 1, order()), Document("850", 2, order())]),
            (later, [Document("850", 1, order())]),
        ]
        text = Writer("x12").interchange(ISA, content).decode()
        assert "~GE*2*7~" in text
        assert "~GE*1*8~" in text
        assert text.endswith("~IEA*2*000000042~")
        assert faults(text) == []

    def test_version_5010_has_a_repetition_separator_and_a_convention(self):
        header = replace(ISA, version="00501", test=True, acknowledge=True)
        group = replace(PO, version="005010")
        text = Writer("x12").interchange(header, [(group, [Document("850", 1, order(), convention="GUIDE1")])]).decode()
        assert "*^*00501*000000042*1*T*>~" in text
        assert "~ST*850*0001*GUIDE1~" in text

    def test_empty_elements_and_components_at_the_end_are_left_out(self):
        body = order()
        body.items[0] = Segment("BEG", ["00", "SA", "4711", "", "20260301", "", ["", ""]])
        assert "~BEG*00*SA*4711**20260301~" in x12(body)

    def test_the_totals_are_filled_in_where_the_grammar_names_them(self):
        assert "PO1*2*10.5*EA*9.9**UP*036000291452~CTT*2~SE*6*0001~" in x12(order(), Writer("x12", complete=True))

    def test_a_total_that_is_given_stays(self):
        body = order().add(Loop("CTT").add(Segment.of("CTT", 3)))
        with pytest.raises(WriteError, match="CTT01"):
            x12(body, Writer("x12", complete=True))
        assert body.items[-1].items[0].elements == ["3"]

    def test_a_control_number_may_be_text_and_keeps_its_zeros(self):
        text = Writer("x12").interchange(replace(ISA, control="000000007"), [(PO, [Document("850", "00077", order())])])
        assert b"ST*850*00077~" in text
        assert text.endswith(b"IEA*1*000000007~")


class TestEdifact:
    def test_an_order_with_release_characters(self):
        text = edifact(
            orders(Segment.of("FTX", "AAI", None, None, ["O'Brien + Co: why?"])),
            Writer("edifact", layout=Layout("\r\n")),
        )
        assert text == (
            "UNB+UNOC:3+4000001123452:14+4000001123469:14+260301:1230+R1'\r\n"
            "UNH+1+ORDERS:D:96A:UN'\r\n"
            "BGM+220+4711+9'\r\n"
            "DTM+137:20260301:102'\r\n"
            "LIN+1++4000862141404:SRV'\r\n"
            "QTY+21:2.5'\r\n"
            "FTX+AAI+++O?'Brien ?+ Co?: why??'\r\n"
            "UNS+S'\r\n"
            "UNT+8+1'\r\n"
            "UNZ+1+R1'\r\n"
        )
        assert faults(text) == []

    def test_other_delimiters_are_said_in_una(self):
        delimiters = replace(EDIFACT, element="|", terminator="~", decimal=",")
        text = edifact(orders(), Writer("edifact", delimiters=delimiters))
        assert text.startswith("UNA:|,? ~UNB|UNOC:3|")
        assert "~QTY|21:2,5~" in text
        assert "~BGM|220|4711|9~" in text
        assert faults(text) == []

    def test_una_is_written_when_asked_for(self):
        assert edifact(orders(), Writer("edifact", una=True)).startswith("UNA:+.? 'UNB+")

    def test_syntax_version_4_has_long_dates_and_a_repetition_separator(self):
        text = edifact(orders(Segment.of("FTX", "AAI", None, None, ["4 * 5"])), header=replace(UNB, version="UNOY:4"))
        assert text.startswith("UNB+UNOY:4+4000001123452:14+4000001123469:14+20260301:1230+R1'")
        assert "FTX+AAI+++4 ?* 5'" in text
        assert faults(text) == []

    def test_all_of_the_header(self):
        header = replace(
            UNB,
            sender=Party("S", "ZZ", "DEPT"),
            password=("SECRET", "BB"),
            application="ORDERS",
            priority="A",
            acknowledge=True,
            agreement="EANCOM",
            test=True,
        )
        assert "UNB+UNOC:3+S:ZZ:DEPT+4000001123469:14+260301:1230+R1+SECRET:BB+ORDERS+A+1+EANCOM+1'" in edifact(
            orders(), header=header
        )

    def test_groups(self):
        group = GroupHeader("ORDERS", "G1", "D:96A", sender=Party("APP1"), receiver=Party("APP2", "ZZ"))
        text = Writer("edifact").interchange(
            UNB, [(group, [Document("ORDERS", n, orders(), "D:96A:UN:EAN008") for n in (1, 2)])]
        )
        assert b"'UNG+ORDERS+APP1+APP2:ZZ+260301:1230+G1+UN+D:96A'" in text
        assert b"'UNE+2+G1'UNZ+1+R1'" in text
        assert faults(text) == []

    def test_the_number_of_lines_is_filled_in(self):
        body = orders(Segment.of("LIN", 2), Segment.of("QTY", ["21", "1"]))
        assert "'UNS+S'CNT+2:2'UNT+10+1'" in edifact(body, Writer("edifact", complete=True))

    def test_a_total_without_its_number_is_filled_in(self):
        body = [*orders(), Segment.of("CNT", ["1"])]
        assert "'UNS+S'CNT+2:1'CNT+1:2.5'" in edifact(body, Writer("edifact", complete=True)).replace(
            "CNT+1:2.5'CNT+2:1'", "CNT+2:1'CNT+1:2.5'"
        )

    def test_repeats_need_syntax_version_4(self):
        with pytest.raises(WriteError, match="no repetition separator"):
            edifact([*orders()[:1], Segment("DTM", [Repeats([["137", "20260301", "102"], ["2", "20260302", "102"]])])])


class TestCharacters:
    def test_x12_is_ascii_unless_said_otherwise(self):
        body = order(number="Tür")
        with pytest.raises(WriteError, match=r"segment 2 BEG: element BEG03 holds \"ü\".*ascii") as caught:
            x12(body)
        assert (caught.value.segment, caught.value.position, caught.value.element) == ("BEG", 2, "BEG03")
        assert "Tür" in Writer("x12", encoding="utf-8").interchange(ISA, [(PO, [Document("850", 1, body)])]).decode()
        assert "Tür" in x12(body, Writer("x12", encoding="iso8859-1"))

    def test_edifact_by_its_syntax_identifier(self):
        body = orders(Segment.of("FTX", "AAI", None, None, ["Łódź"]))
        with pytest.raises(WriteError, match=r"element FTX04 holds \"Ł\".*iso8859-1"):
            edifact(body)
        for version, encoding in (("UNOD:3", "iso8859-2"), ("UNOY:4", "utf-8")):
            data = Writer("edifact").interchange(
                replace(UNB, version=version), [Document("ORDERS", 1, body, "D:96A:UN")]
            )
            assert "Łódź".encode(encoding) in data
            message = only_message(data)
            assert [each.get(4) for each in message.segments() if each.tag == "FTX"] == ["Łódź"]

    @pytest.mark.parametrize(("version", "text"), [("UNOA:3", "small"), ("UNOB:3", "a@b")])
    def test_levels_a_and_b_have_fewer_characters(self, version, text):
        body = orders(Segment.of("FTX", "AAI", None, None, [text]))
        with pytest.raises(WriteError, match="FTX04"):
            edifact(body, header=replace(UNB, version=version))
        assert text in edifact(body, Writer("edifact", encoding="ascii"), header=replace(UNB, version=version))

    def test_delimiters_are_not_of_the_character_set(self):
        delimiters = replace(EDIFACT, element="^", terminator="~")
        header = replace(UNB, version="UNOA:3")
        assert "~BGM^220^" in edifact(orders(), Writer("edifact", delimiters=delimiters), header=header)

    def test_a_delimiter_that_occurs_is_replaced_when_allowed(self):
        body = order(number="A*B~C")
        text = x12(iter(body.items), Writer("x12", choose=True))
        assert text.startswith("ISA|00|")
        assert "|SA|A*B~C||20260301\x1c" in text
        assert faults(text) == []

    def test_when_all_candidates_occur_it_is_an_error(self):
        with pytest.raises(WriteError, match="element delimiter occur"):
            x12(order(number="*|!\x1d"), Writer("x12", choose=True))


class TestLayout:
    def test_records_of_80(self):
        text = x12(order(), Writer("x12", layout=RECORDS_OF_80))
        records = text.split("\r\n")
        assert records.pop() == ""
        assert {len(each) for each in records[:-1]} == {80}
        assert 0 < len(records[-1]) <= 80
        assert "".join(records) == x12(order())
        assert faults(text) == []

    def test_records_go_on_across_messages(self):
        out = io.BytesIO()
        with Writer("edifact", layout=RECORDS_OF_80).open(UNB, out) as interchange:
            for number in range(1, 20):
                interchange.message(Document("ORDERS", number, orders(), "D:96A:UN"))
        records = out.getvalue().split(b"\r\n")
        assert {len(each) for each in records[:-2]} == {80}
        assert faults(out.getvalue()) == []

    def test_what_cannot_be(self):
        with pytest.raises(WriteError, match="CR and LF"):
            x12(order(), Writer("x12", layout=Layout(line_end=" ")))
        with pytest.raises(WriteError, match="no line break"):
            x12(order(), Writer("x12", delimiters=replace(X12, terminator="\n"), layout=RECORDS_OF_80))
        with pytest.raises(WriteError, match="20 bytes or more"):
            x12(order(), Writer("x12", layout=Layout(record=7)))

    def test_a_line_break_as_terminator(self):
        text = x12(order(), Writer("x12", delimiters=replace(X12, terminator="\n")))
        assert "\nST*850*0001\n" in text
        assert faults(text) == []


class TestStream:
    def test_a_refused_message_leaves_the_interchange_as_it_was(self):
        out = io.BytesIO()
        with Writer("x12").open(ISA, out) as interchange:
            interchange.group(PO)
            interchange.message(Document("850", 1, order()))
            with pytest.raises(WriteError):
                interchange.message(Document("850", 2, order(line(1, unit="*"))))
            with pytest.raises(WriteError):
                interchange.message(Document("850", 2, order(number="ü")))
            interchange.message(Document("850", 2, order()))
        assert faults(out.getvalue()) == []
        assert out.getvalue().count(b"~ST*") == 2

    def test_an_error_of_the_caller_leaves_no_trailer(self):
        out = io.BytesIO()
        with pytest.raises(WriteError), Writer("x12").open(ISA, out) as interchange:
            interchange.message(Document("850", 1, order()))
        assert b"IEA" not in out.getvalue()

    def test_closed_is_closed(self):
        out = io.BytesIO()
        interchange = Writer("edifact").open(UNB, out)
        interchange.message(Document("ORDERS", 1, orders(), "D:96A:UN"))
        interchange.close()
        interchange.close()
        assert out.getvalue().count(b"UNZ") == 1
        with pytest.raises(WriteError, match="is closed"):
            interchange.message(Document("ORDERS", 2, orders(), "D:96A:UN"))

    def test_messages_in_and_out_of_groups_do_not_mix(self):
        interchange = Writer("edifact").open(UNB, io.BytesIO())
        interchange.message(Document("ORDERS", 1, orders(), "D:96A:UN"))
        with pytest.raises(WriteError, match="cannot be mixed"):
            interchange.group(GroupHeader("ORDERS", 1, "D:96A"))

    def test_ta1_stands_before_the_groups(self):
        out = io.BytesIO()
        with Writer("x12").open(ISA, out) as interchange:
            interchange.acknowledgement(Segment.of("TA1", "000000001", "260301", "1200", "A", "000"))
            interchange.group(PO)
            with pytest.raises(WriteError, match="before the first group"):
                interchange.acknowledgement(Segment.of("TA1", "000000001", "260301", "1200", "A", "000"))
            interchange.message(Document("850", 1, order()))
        (found,) = read(out.getvalue())
        found.drain()
        assert [each.get(1) for each in found.ta1] == ["000000001"]


def test_binary_data_is_written_as_it_is():
    data = "\xff*~>\r\n'?"
    body = [Segment.of("EFI", "1"), Segment("BIN", [str(len(data)), data])]
    written = Writer("x12", unknown=True).interchange(ISA, [(replace(PO, type="QQ"), [Document("841", 1, body)])])
    assert b"~BIN*8*\xff*~>\r\n'?~SE*4*0001~" in written
    message = only_message(written)
    assert message.raw_segments()[1] == f"BIN*8*{data}"
    body[1] = Segment("BIN", ["3", data])
    with pytest.raises(WriteError, match="how long"):
        Writer("x12", unknown=True).interchange(ISA, [(replace(PO, type="QQ"), [Document("841", 1, body)])])


def test_a_grammar_of_ones_own(tmp_path):
    """The writer obeys the grammars that it is given, like the reader."""
    folder = tmp_path / "x12"
    folder.mkdir()
    (folder / "700.txt").write_text("700 Own\ngroup OW\nversions 4010\nREF 1..1 1=DP 2!\n")
    codec = Codec(registry=Registry(tmp_path))
    group = GroupHeader("OW", 1, "004010")
    writer = Writer("x12", codec=codec)
    assert b"REF*DP*1~" in writer.interchange(ISA, [(group, [Document("700", 1, [Segment.of("REF", "DP", "1")])])])
    with pytest.raises(WriteError, match=r"code .*VN.* is not used here"):
        writer.interchange(ISA, [(group, [Document("700", 1, [Segment.of("REF", "VN", "1")])])])
