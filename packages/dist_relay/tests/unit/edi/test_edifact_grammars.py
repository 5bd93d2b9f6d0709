"""The EDIFACT grammars as data: all are there, in all directories, and agree with known facts of the directories."""

from __future__ import annotations

from pathlib import Path

import pytest

from dist_relay.edi.checks import watchers
from dist_relay.edi.delimiters import EDIFACT
from dist_relay.edi.errors import GrammarError
from dist_relay.edi.grammar.model import Composite, Element, LoopNode, SegmentNode, SegmentType, nodes
from dist_relay.edi.grammar.registry import BUILT_IN, Registry, default
from dist_relay.edi.grammar.versions import order

MESSAGES = (
    *("APERAK", "CONTRL", "DESADV", "IFTMIN", "IFTSTA", "INSDES", "INVOIC", "INVRPT"),
    *("ORDCHG", "ORDERS", "ORDRSP", "PRICAT", "RECADV", "REMADV", "RETANN", "SLSRPT"),
)
SERVICE = ("UNB", "UNG", "UNH", "UNT", "UNE", "UNZ", "UNS", "UCI", "UCM", "UCS", "UCD", "UCF", "UGH", "UGT")


def versions(message: str) -> list[str]:
    """The directories that the message's file is written for."""
    text = (BUILT_IN / "edifact" / f"{message}.txt").read_text("utf-8")
    return next(line.split()[1:] for line in text.splitlines() if line.startswith("versions "))


def segment(tag: str, version: str) -> SegmentType:
    found = default().dictionary("edifact").segment(tag, version)
    assert found is not None
    return found


def element(name: str, version: str) -> Element:
    found = default().dictionary("edifact").element(name, version)
    assert found is not None
    return found


def uses(tag: str, version: str) -> str:
    return " ".join(each.of.id + "!" * each.required for each in segment(tag, version).uses if each.of)


def place(message: str, version: str, path: str) -> SegmentNode | LoopNode:
    """``CPS/PAC/PCI``: loops by name, then a loop or a segment."""
    at: SegmentNode | LoopNode = default().find("edifact", message, version).root
    for name in path.split("/"):
        assert isinstance(at, LoopNode)
        at = next(each for each in at.items if (each.name if isinstance(each, LoopNode) else each.tag) == name)
    return at


def test_all_messages_are_there() -> None:
    assert set(MESSAGES) <= set(default().types("edifact"))


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_loads_in_each_of_its_directories_and_its_checks_find_their_segments(message: str) -> None:
    seen: set[str] = set()
    watched: set[str] = set()
    for version in versions(message):
        grammar = default().find("edifact", message, version)
        assert grammar.exact
        assert grammar.version == version
        assert all(each.max >= max(each.min, 1) for each in nodes(grammar.root))
        seen |= {each.tag for each in nodes(grammar.root)}
        watched |= {tag for watcher in watchers(grammar, EDIFACT) for tag in watcher.tags}
    assert watched <= seen
    assert len(seen) >= 5


def test_the_two_directories_of_the_house_are_exact_for_every_message_that_they_have() -> None:
    for message in set(MESSAGES) - {"CONTRL"}:
        have = versions(message)
        assert "01B" in have
        assert ("96A" in have) == (message not in ("INSDES", "RETANN"))
        assert have == sorted(have, key=lambda each: order("edifact", each))


def test_every_element_and_composite_is_used_and_every_segment_refers_to_known_ones() -> None:
    dictionary = default().dictionary("edifact")
    used = set()
    for version in versions("ORDERS"):
        for tag in dictionary.names("segments"):
            for use in segment(tag, version).uses:
                assert use.of is not None
                used.add(use.of.id)
                for part in use.of.uses if isinstance(use.of, Composite) else (use,):
                    assert isinstance(part.of, Element)
                    assert 0 < part.of.min <= part.of.max
                    assert part.of.name
                    used.add(part.of.id)
    assert set(dictionary.names("elements")) | set(dictionary.names("composites")) == used


@pytest.mark.parametrize("tag", SERVICE)
def test_the_service_segments_are_there(tag: str) -> None:
    assert segment(tag, "01B").uses


def test_segments_that_changed() -> None:
    assert uses("NAD", "96A") == "3035! C082 C058 C080 C059 3164 3229 3251 3207"
    assert uses("NAD", "01B") == "3035! C082 C058 C080 C059 3164 C819 3251 3207"
    assert (uses("BGM", "96A"), uses("BGM", "01B")) == ("C002 1004 1225 4343", "C002 C106 1225 4343")
    assert (uses("IMD", "96A"), uses("IMD", "01B")) == ("7077 7081 C273 7383", "7077 C272 C273 7383")
    assert uses("LIN", "93A") == "1082 1229 C212 5495 1222 7083"
    assert uses("LIN", "96A") == "1082 1229 C212 C829 1222 7083"
    assert uses("SEL", "96A").startswith("9308! ")
    assert uses("SEL", "01B").startswith("9308 ")
    assert [use.repeat for use in segment("COM", "01B").uses] == [3, 1, 1]
    assert len(segment("COM", "96A").uses) == 1
    assert uses("QTY", "96A") == uses("QTY", "01B") == "C186!"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("1154", ("an", 35), ("an", 70)),
        ("7140", ("an", 35), ("an", 35)),
        ("2380", ("an", 35), ("an", 35)),
        ("1131", ("an", 3), ("an", 17)),
        ("4440", ("an", 70), ("an", 512)),
        ("6060", ("n", 15), ("an", 35)),
        ("1082", ("n", 6), ("an", 6)),
        ("3251", ("an", 9), ("an", 17)),
        ("5004", ("n", 18), ("n", 35)),
    ],
)
def test_formats_between_the_two_directories(name: str, old: tuple[str, int], new: tuple[str, int]) -> None:
    found = [(element(name, version).kind, element(name, version).max) for version in ("96A", "01B")]
    assert found == [old, new]


@pytest.mark.parametrize(
    ("message", "path", "old", "new"),
    [
        ("DESADV", "NAD", (0, 10), (0, 99)),
        ("DESADV", "CPS/PAC/PCI/GIN", (0, 99), (0, 99)),
        ("DESADV", "CPS/LIN/QVR", (0, 10), (0, 10)),
        ("ORDERS", "RFF", (0, 10), (0, 9999)),
        ("ORDERS", "LIN", (0, 200000), (0, 200000)),
        ("ORDERS", "UNS", (1, 1), (1, 1)),
        ("INVOIC", "FTX", (0, 10), (0, 99)),
        ("INVOIC", "LIN", (0, 9999999), (0, 9999999)),
        ("INVOIC", "MOA", (1, 100), (1, 100)),
        ("RECADV", "NAD", (1, 10), (1, 99)),
        ("REMADV", "DOC/MOA", (1, 5), (1, 5)),
        ("APERAK", "ERC", (0, 999), (0, 99999)),
    ],
)
def test_how_often_segments_may_stand(message: str, path: str, old: tuple[int, int], new: tuple[int, int]) -> None:
    found = [place(message, version, path) for version in ("96A", "01B")]
    assert [(each.min, each.max) for each in found] == [old, new]


def test_inventory_reports_turned_round() -> None:
    assert isinstance(place("INVRPT", "96A", "LIN/QTY/INV"), SegmentNode)
    assert isinstance(place("INVRPT", "01B", "LIN/INV/QTY"), SegmentNode)


def test_other_versions_take_the_nearest_directory() -> None:
    found = {each: default().find("edifact", "ORDERS", each).version for each in ("20B", "02A", "92A", "D")}
    assert found["20B"] == "17B"
    assert found["02A"] == "02A"
    assert found["92A"] == "93A"
    assert not default().find("edifact", "ORDERS", "20B").exact
    assert default().find("edifact", "RETANN", "96A").version == "97B"
    assert default().find("edifact", "CONTRL", "3").exact


def test_only_whole_code_lists_are_closed() -> None:
    dictionary = default().dictionary("edifact")
    closed = [name for name in dictionary.names("elements") if element(name, "01B").closed]
    assert closed == ["0081"]
    for name in ("1001", "1225", "2005", "2379", "3035", "5025", "6063", "6411", "7065", "7143", "8053"):
        assert len(element(name, "96A").codes) >= 20, name
    assert element("7065", "93A").codes == element("7065", "01B").codes


def test_how_often_a_segment_may_stand_can_change_in_a_version(tmp_path: Path) -> None:
    folder = tmp_path / "edifact"
    folder.mkdir()
    (folder / "TEST.txt").write_text("TEST Test\nversions 93A 96A 01B\nBGM 1..1\nDTM 0..1 0..5@96A 1..*@01B\n")
    found = [Registry(tmp_path).find("edifact", "TEST", each).root.items[1] for each in ("93A", "96A", "01B")]
    assert [(each.min, min(each.max, 99)) for each in found] == [(0, 1), (0, 5), (1, 99)]
    (folder / "TEST.txt").write_text("TEST Test\nversions 93A\nBGM 1..1 0..x@96A\n")
    with pytest.raises(GrammarError, match=r"TEST\.txt:3"):
        Registry(tmp_path).find("edifact", "TEST", "93A")
