"""Where a segment may stand: order, loops, how often, what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dist_relay.edi.errors import GrammarError
from dist_relay.edi.grammar.registry import Registry
from dist_relay.edi.interchange import Message
from dist_relay.edi.reader import Codec
from dist_relay.edi.segment import Loop, Segment

ELEMENTS = "1 AN 1/10 Text\n2 R 1/5 Number\n3@5010 AN 1/3 New\n3 AN 1/2 Old\n"
SEGMENTS = "\n".join(f"{tag} Segment {tag} : 1! 2 3" for tag in ("AAA", "BBB", "CCC", "DDD", "EEE", "N1", "TOT"))
MESSAGE = """
900 Test document
group TT
versions 4010 5010
AAA 1..1
BBB 0..3
CCC 0..* @5010
loop N1 0..2
  N1 1..1
  BBB 0..1
loop DDD 1..*
  DDD 1..1
  BBB 0..200
  loop EEE 0..5
    EEE 1..1
    BBB 1..1
loop TOT 0..1
  TOT 1..1
check count TOT.1 = DDD
check sum TOT.2 = DDD.2
"""


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A folder of grammars with one small message type."""
    folder = tmp_path / "x12"
    folder.mkdir()
    (folder / "elements.txt").write_text(ELEMENTS)
    (folder / "segments.txt").write_text(SEGMENTS)
    (folder / "900.txt").write_text(MESSAGE)
    return Registry(tmp_path)


def message(registry: Registry, body: str, version: str = "004010") -> Message:
    """Read one transaction set whose body is written with blanks between segments."""
    segments = body.split()
    isa = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *240101*1200*U*00401*000000001*0*T*>~"
    text = "~".join([*segments, f"SE*{len(segments) + 2}*0001", "GE*1*7", "IEA*1*000000001~"])
    data = f"{isa}GS*TT*A*B*20240101*1200*7*X*{version}~ST*900*0001~{text}"
    interchange = next(Codec(registry=registry).read(data.encode()))
    (found,) = interchange.messages()
    assert not interchange.findings
    return found


def rules(found: Message) -> list[str]:
    """Findings as ``rule segment position``."""
    return [f"{each.rule} {each.segment} {each.position}" for each in found.findings]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("AAA*x DDD*x", []),
        ("AAA*x BBB*x BBB*x BBB*x N1*x BBB*x N1*x DDD*x EEE*x BBB*x TOT*1", []),
        ("AAA*x DDD*x*2 DDD*x*3.5 TOT*2*5.5", []),
        ("DDD*x", ["segment.missing AAA 2"]),
        ("AAA*x", ["segment.missing DDD 3"]),
        ("AAA*x TOT*0", ["segment.missing DDD 3"]),
        ("AAA*x DDD*x EEE*x DDD*y", ["segment.missing BBB 5"]),
        ("AAA*x DDD*x EEE*x", ["segment.missing BBB 5"]),
        ("AAA*x AAA*y DDD*x", ["segment.max AAA 3"]),
        ("AAA*x N1*a N1*b N1*c DDD*x", ["loop.max N1 5"]),
        ("AAA*x DDD*x AAA*x", ["segment.order AAA 4"]),
        ("AAA*x QQQ*x DDD*x", ["segment.unexpected QQQ 3"]),
        ("AAA*x DDD*x TOT*2", ["balance.count TOT 4"]),
        ("AAA*x DDD*x*2 TOT*1*3", ["balance.sum TOT 4"]),
        ("AAA*x CCC*x DDD*x", ["segment.unexpected CCC 3"]),
        ("AAA*x" + " BBB*x" * 4 + " DDD*x", ["segment.max BBB 6"]),
        ("AAA*x DDD*x" + " BBB*x" * 200, []),
        ("AAA*x DDD*x" + " BBB*x" * 201, ["segment.max BBB 204"]),
        ("AAA*x DDD*x" + " EEE*x BBB*x" * 6, ["loop.max EEE 14"]),
        ("AAA*x**abc DDD*x", ["element.long AAA 2"]),
    ],
)
def test_findings_name_rule_and_place(registry: Registry, body: str, wanted: list[str]) -> None:
    assert rules(message(registry, body)) == wanted


def test_lines_of_later_versions_hold_from_then_on(registry: Registry) -> None:
    assert rules(message(registry, "AAA*x CCC*x CCC*x**abc DDD*x", "005010")) == []


def test_the_nearest_version_is_used_and_said(registry: Registry) -> None:
    found = message(registry, "AAA*x QQQ*x DDD*x", "008010")
    assert [each.rule for each in found.notes] == ["grammar.nearest"]
    assert (found.version, found.grammar_version, found.status) == ("8010", "5010", "accepted_with_errors")


def test_the_tree_follows_the_loops(registry: Registry) -> None:
    def shape(loop: Loop) -> list[object]:
        return [each.tag if isinstance(each, Segment) else [each.name, *shape(each)] for each in loop.items]

    found = message(registry, "AAA*x N1*a BBB*x N1*b DDD*x EEE*x BBB*x EEE*x BBB*x DDD*y TOT*2")
    assert shape(found.tree()) == [
        *("AAA", ["N1", "N1", "BBB"], ["N1", "N1"]),
        ["DDD", "DDD", ["EEE", "EEE", "BBB"], ["EEE", "EEE", "BBB"]],
        *(["DDD", "DDD"], ["TOT", "TOT"]),
    ]
    assert [each.position for each in found.segments()] == list(range(2, 13))


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("900.txt", "900 X\nversions 4010\nXYZ 1..1\n", "900.txt:3"),
        ("900.txt", "900 X\nversions 4010\nAAA one\n", "cardinality"),
        ("900.txt", "900 X\nAAA 1..1\n", "versions"),
        ("900.txt", "900 X\nversions 4010\nloop N1 0..1\n", "N1"),
        ("900.txt", "900 X\nversions 4010\nAAA 1..1 9=A\n", "narrowing"),
        ("900.txt", "900 X\nversions 4010\nAAA 1..1\ncheck nonsense A\n", "nonsense"),
        ("900.txt", "900 X\nversions 4010\nAAA 1..1\ncheck count = A\n", "check count"),
        ("900.txt", "900 X\nversions 4010\nAAA\n", "900.txt:3"),
        ("900.txt", "900 X\nversions 4010\nloop N1\n  N1 1..1\n", "900.txt:3"),
        ("900.txt", "900 X\nversions 4010\nAAA 5..1\n", "less than the least"),
        ("900.txt", "900 X\nversions 4010 004010\nAAA 1..1\n", "004010 is no release"),
        ("900.txt", "900 X\ngroup\nversions 4010\nAAA 1..1\n", "900.txt:2"),
        ("900.txt", "900 X\nversions 4010\nAAA 1..1\ncheck\n", "900.txt:4"),
        ("segments.txt", "AAA A : 1! 77\n", "77"),
        ("segments.txt", "AAA 1! 2\n", "behind a colon"),
        ("segments.txt", "AAA A : 1! 2 | P0109\n", "P0109"),
        ("elements.txt", "1 AN 1to10 Text\n", "elements.txt:1"),
        ("elements.txt", "1 AN 10/1 Text\n", "less than the least"),
        ("elements.txt", "1 XX 1/10 Text\n", "kind and lengths"),
        ("elements.txt", "1\n", "elements.txt:1"),
    ],
)
def test_a_wrong_grammar_file_names_its_line(
    tmp_path: Path, registry: Registry, file: str, text: str, named: str
) -> None:
    (tmp_path / "x12" / file).write_text(text)
    with pytest.raises(GrammarError, match=named.replace(".", "[.]")):
        message(Registry(tmp_path), "AAA*x DDD*x")
