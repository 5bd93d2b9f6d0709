"""What the writer refuses: an error that names the place, and no bytes of the message."""

from __future__ import annotations

from dataclasses import replace

import pytest
from writing_samples import ISA, PO, UNB, edifact, line, order, orders, x12

from dist_relay.edi import (
    Codec,
    Document,
    Loop,
    Party,
    Profile,
    Segment,
    WriteError,
    Writer,
)
from dist_relay.edi.delimiters import X12


class TestRefusals:
    """What cannot be written without loss or against the grammar: an error that names the place, and no bytes."""

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"unit": "E*A"}, 'segment 3 PO1: element PO103 holds "\\*"'),
            ({"unit": "E~"}, 'element PO103 holds "~"'),
            ({"gtin": "03600029145>"}, 'element PO107 holds ">"'),
            ({"gtin": "0360\n0029145"}, "PO107 holds the control character"),
            ({"quantity": "1234567890123456"}, "PO102.*16 characters; expected at most 15"),
            ({"quantity": "ten"}, "PO102.*a decimal number"),
            ({"unit": "E"}, "PO103.*at least 2"),
            ({"gtin": "036000291453"}, "PO107.*check digit"),
            ({"gtin": None}, "PO1.*all or none"),
        ],
    )
    def test_wrong_values(self, changes, words):
        with pytest.raises(WriteError, match=words) as caught:
            x12(order(line(1, **changes)))
        assert caught.value.position == 3
        assert caught.value.segment == "PO1"
        assert caught.value.element.startswith("PO1")

    def test_unknown_code(self):
        body = order()
        body.items[0] = Segment.of("BEG", "QQ", "SA", "4711", None, "20260301")
        with pytest.raises(
            WriteError, match=r"850 0001, segment 2 BEG, element BEG01: .*QQ.*\(and|BEG01.*QQ"
        ) as caught:
            x12(body)
        assert [each.rule for each in caught.value.findings] == ["code.unknown"]

    def test_missing_mandatory_element(self):
        body = order()
        body.items[0] = Segment.of("BEG", "00", "SA", None, None, "20260301")
        with pytest.raises(WriteError, match=r"BEG03.*is missing"):
            x12(body)

    def test_missing_mandatory_segment(self):
        with pytest.raises(WriteError, match="mandatory segment BEG"):
            x12([*line(1).walk()])

    def test_wrong_order(self):
        with pytest.raises(WriteError, match=r"BEG may not stand at this place|BEG.*too often"):
            x12(Loop().add(order(), Segment.of("BEG", "00", "SA", "1", None, "20260301")))

    def test_too_often(self):
        persons = [Segment.of("PER", "BD", str(each)) for each in range(4)]
        with pytest.raises(WriteError, match=r"PER is there too often; expected at most 3"):
            x12(Loop().add(order().items[0], *persons, line(1)))

    def test_a_segment_of_another_message(self):
        with pytest.raises(WriteError, match='"W05" is not in 850'):
            x12(order().add(Segment.of("W05", "N", "1")))

    def test_an_envelope_segment_inside(self):
        with pytest.raises(WriteError, match="envelope segment"):
            x12(order().add(Segment.of("GE", "1", "7"), Segment.of("REF", "DP", "1")))

    @pytest.mark.parametrize("tag", ["", "B", "beg", "BEGX", "B*G", 5])
    def test_tags_that_are_none(self, tag):
        with pytest.raises(WriteError, match="no segment tag"):
            x12(order().add(Segment(tag, ["1"])))

    def test_elements_that_are_no_text(self):
        with pytest.raises(WriteError, match="segment 2 BEG: element BEG02 is no text: 5"):
            x12([Segment("BEG", ["00", 5, "1"])])  # type: ignore[list-item]
        with pytest.raises(TypeError, match="cannot be an element"):
            Segment.of("PO1", 1.5)  # type: ignore[arg-type]

    def test_a_type_without_grammar_is_written_only_when_asked_for(self):
        documents = [(replace(PO, type="QQ"), [Document("999", 1, [Segment.of("ZZZ", "1")])])]
        documents[0][1][0] = replace(documents[0][1][0], type="321")
        with pytest.raises(WriteError, match="no grammar for 321"):
            Writer("x12").interchange(ISA, documents)
        assert b"~ST*321*0001~ZZZ*1~SE*3*0001~" in Writer("x12", unknown=True).interchange(ISA, documents)

    def test_a_group_of_another_type(self):
        with pytest.raises(WriteError, match="850 belongs into a group of type PO, not IN"):
            Writer("x12").interchange(ISA, [(replace(PO, type="IN"), [Document("850", 1, order())])])

    def test_x12_messages_need_a_group(self):
        with pytest.raises(WriteError, match="give a GroupHeader first"):
            Writer("x12").interchange(ISA, [Document("850", 1, order())])

    @pytest.mark.parametrize(
        ("header", "words"),
        [
            (replace(ISA, sender=Party("X" * 16)), "ISA06: .*16 characters; 1 to 15"),
            (replace(ISA, sender=Party("A*B")), "ISA06: .*delimiter"),
            (replace(ISA, sender=Party("")), "ISA06"),
            (replace(ISA, control=1_000_000_000), "ISA13"),
            (replace(ISA, control="12A456789"), "ISA13"),
            (replace(ISA, control=-1), "ISA13: -1 is negative"),
            (replace(ISA, version="401"), "ISA12"),
            (replace(ISA, receiver=Party("R", "Z")), "ISA07"),
        ],
    )
    def test_headers_that_do_not_fit(self, header, words):
        with pytest.raises(WriteError, match=words):
            Writer("x12").interchange(header, [(PO, [Document("850", 1, order())])])

    @pytest.mark.parametrize(
        ("header", "words"),
        [
            (replace(UNB, control="X" * 15), "UNB 0020"),
            (replace(UNB, sender=Party("X" * 36)), "UNB 0004"),
            (replace(UNB, version="UNOZZ:3"), "UNOZZ"),
            (replace(UNB, version="UNOC:7"), "UNB 0002"),
            (replace(UNB, application="X" * 15), "UNB 0026"),
        ],
    )
    def test_edifact_headers_that_do_not_fit(self, header, words):
        with pytest.raises(WriteError, match=words):
            edifact(orders(), header=header)

    @pytest.mark.parametrize("version", ["96A", "D:96A", "", "D:96A:UN:EAN008:X"])
    def test_versions_that_are_none(self, version):
        with pytest.raises(WriteError, match="UNH S009"):
            edifact(orders(), version=version)

    def test_group_versions_that_are_none(self):
        with pytest.raises(WriteError, match="GS08"):
            Writer("x12").interchange(ISA, [(replace(PO, version="VICS"), [Document("850", 1, order())])])

    def test_a_control_number_is_used_once(self):
        twice = [Document("850", 1, order()), Document("850", 1, order())]
        with pytest.raises(WriteError, match="0001 was used before"):
            Writer("x12").interchange(ISA, [(PO, twice)])
        with pytest.raises(WriteError, match="group control number 7 was used before"):
            Writer("x12").interchange(ISA, [(PO, twice[:1]), (PO, twice[:1])])

    def test_delimiters_that_cannot_work(self):
        with pytest.raises(WriteError, match="same character"):
            x12(order(), Writer("x12", delimiters=replace(X12, component="*")))

    def test_what_the_profile_only_notes_is_written(self):
        profile = Profile(treatment={"balance": "off"})
        body = order(line(1, gtin="036000291453"))
        assert "036000291453" in x12(body, Writer("x12", codec=Codec(profile)))
