"""The X12 grammars as data: all are there, refer to nothing that is missing, and know what differs between versions."""

from __future__ import annotations

import pytest

from dist_relay.edi.checks import watchers
from dist_relay.edi.delimiters import Delimiters
from dist_relay.edi.grammar.model import Composite, Element, LoopNode, SegmentNode, SegmentType
from dist_relay.edi.grammar.registry import default

DOCUMENTS = (
    *("180", "810", "820", "824", "832", "846", "850", "852", "855", "856", "860", "865"),
    *("940", "943", "944", "945", "947", "997", "999"),
)
ENVELOPE = ("ISA", "IEA", "GS", "GE", "ST", "SE", "TA1", "AK1", "AK2", "AK3", "AK4", "AK5", "AK9")


def segment(tag: str, version: str = "4010") -> SegmentType:
    found = default().dictionary("x12").segment(tag, version)
    assert found is not None
    return found


def element(name: str, version: str = "4010") -> Element:
    found = default().dictionary("x12").element(name, version)
    assert found is not None
    return found


def uses(tag: str, version: str) -> list[str]:
    return [each.of.id for each in segment(tag, version).uses if each.of]


def conditions(tag: str, version: str = "4010") -> set[str]:
    found = segment(tag, version).conditions
    return {each.kind + "".join(f"{position:02d}" for position in each.positions) for each in found}


def every_place(loop: LoopNode) -> list[str]:
    names = []
    for item in loop.items:
        names += [item.name, *every_place(item)] if isinstance(item, LoopNode) else [item.tag]
    return names


def test_all_documents_are_there() -> None:
    assert set(DOCUMENTS) <= set(default().types("x12"))


@pytest.mark.parametrize("version", ["4010", "5010"])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_loads_and_its_checks_find_their_segments(document: str, version: str) -> None:
    grammar = default().find("x12", document, version)
    assert grammar.exact is not (document == "999" and version == "4010")
    assert grammar.group
    places = set(every_place(grammar.root))
    for watcher in watchers(grammar, Delimiters("*", ":", "~")):
        assert set(watcher.tags) <= places, watcher.tags


@pytest.mark.parametrize("version", ["4010", "5010"])
def test_every_segment_refers_to_known_elements(version: str) -> None:
    dictionary = default().dictionary("x12")
    for tag in dictionary.names("segments"):
        for use in segment(tag, version).uses:
            assert use.of is not None, tag
            parts = use.of.uses if isinstance(use.of, Composite) else [use]
            for part in parts:
                assert isinstance(part.of, Element)
                assert 0 < part.of.min <= part.of.max, part.of.id


def test_every_element_is_used() -> None:
    dictionary = default().dictionary("x12")
    used = set()
    for version in ("4010", "5010"):
        for tag in dictionary.names("segments"):
            used |= set(uses(tag, version))
        for name in dictionary.names("composites"):
            composite = dictionary.composite(name, version)
            assert composite is not None
            used |= {each.of.id for each in composite.uses if each.of}
    assert set(dictionary.names("elements")) | set(dictionary.names("composites")) == used


@pytest.mark.parametrize("tag", ENVELOPE)
def test_the_envelope_has_its_segments(tag: str) -> None:
    assert segment(tag).uses


def test_lengths_that_grew_with_5010() -> None:
    assert [element("127", version).max for version in ("4010", "5010")] == [30, 50]
    assert [element("364", version).max for version in ("4010", "5010")] == [80, 256]
    assert [element("358", version).max for version in ("4010", "5010")] == [10, 15]
    assert [element("207", version).max for version in ("4010", "5010")] == [10, 15]
    assert [element("447", version).max for version in ("4010", "5010")] == [6, 4]
    assert [element("1035", version).max for version in ("4010", "5010")] == [35, 60]


def test_elements_that_came_with_5010() -> None:
    assert uses("ISA", "4010")[10] == "I10"
    assert uses("ISA", "5010")[10] == "I65"
    assert (uses("ST", "4010"), uses("ST", "5010")) == (["143", "329"], ["143", "329", "1705"])
    assert uses("N4", "5010")[-1] == "1715"
    assert uses("W05", "5010")[-1] == "92"
    assert len(uses("MEA", "4010")) == 10
    assert len(uses("MEA", "5010")) == 12


def test_conditions_of_the_segments_that_matter_most() -> None:
    assert conditions("N1") == {"R0203", "P0304"}
    assert {"C0302", "C0504", "P0607", "P2425"} <= conditions("PO1")
    assert "P020304" in conditions("IT1")
    assert conditions("SAC") >= {"R0203", "P0304", "L130204", "C1413"}
    assert conditions("TD5") >= {"R0204050612", "C0203"}
    assert conditions("CTT") == {"P0304", "P0506"}
    assert conditions("W12") >= {"R0607", "P0708", "P101112"}
    assert (conditions("N4"), conditions("N4", "5010")) == ({"C0605"}, {"E0207", "C0605", "C0704"})


def test_code_lists_are_closed_only_where_they_are_whole() -> None:
    assert element("353").closed
    assert element("1073").codes.keys() == {"N", "U", "W", "Y"}
    for name in ("355", "128", "98", "374", "235", "1300"):
        assert not element(name).closed
        assert len(element(name).codes) >= 20, name


@pytest.mark.parametrize(
    ("release", "near", "reference", "texts"),
    [
        ("3040", "4010", 30, "MSG"),
        ("4010", "4010", 30, "MSG"),
        ("4020", "4010", 30, "MTX"),
        ("4030", "4010", 50, "MTX"),
        ("5010", "5010", 50, "MTX"),
        ("8010", "5010", 50, "MTX"),
        ("9999", "5010", 50, "MTX"),
    ],
)
def test_other_releases_are_read_with_what_they_had(release: str, near: str, reference: int, texts: str) -> None:
    grammar = default().find("x12", "850", release)
    assert (grammar.version, grammar.exact) == (near, release == near)
    (header,) = [each for each in grammar.root.items if isinstance(each, SegmentNode) and each.tag == "REF"]
    assert isinstance(header.type.uses[1].of, Element)
    assert header.type.uses[1].of.max == reference
    (notes,) = [each for each in grammar.root.items if isinstance(each, LoopNode) and each.name == "N9"]
    assert texts in every_place(notes)


def test_dates_before_4010_may_have_six_digits() -> None:
    beginning = default().find("x12", "850", "3040").root.items[0]
    assert isinstance(beginning, SegmentNode)
    date = beginning.type.uses[4].of
    assert isinstance(date, Element)
    assert (date.kind, date.min, date.max) == ("DT", 6, 8)
