"""The fast path never says yes to what the slow path finds wrong, and hands on nothing that is plainly right."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dist_relay.edi.delimiters import EDIFACT, EDIFACT_4, X12, Delimiters
from dist_relay.edi.explain import Explainer
from dist_relay.edi.grammar import patterns
from dist_relay.edi.grammar.model import Composite, Condition, Element, SegmentType, Use

ELEMENTS = [
    Element("1", "AN", 1, 3),
    Element("2", "AN", 2, 2),
    Element("3", "ID", 2, 2, "", {"AA": "", "AB": "", "B1": ""}, closed=True),
    Element("4", "ID", 1, 3, "", {"A": "", "AB": "", "ABC": "", "B": ""}, closed=True),
    Element("5", "ID", 2, 2, "", {"AA": ""}),
    Element("6", "N0", 1, 3),
    Element("7", "N2", 2, 4),
    Element("8", "R", 1, 3),
    Element("9", "DT", 8, 8),
    Element("10", "DT", 6, 8),
    Element("11", "TM", 4, 8),
    Element("12", "an", 1, 3),
    Element("13", "a", 2, 3),
    Element("14", "n", 1, 3),
    Element("15", "n", 3, 3),
]
TEXTS = [
    *("", "A", "AB", "ABC", "ABCD", "AA", "B1", "B", "0", "00", "1", "-1", "12", "123", "1234", "-1234", "1.2", ".5"),
    *("1.", "-.5", "12.34", "1,2", ",", ".", "-", "1.2.3", "+1", " ", "é", "٣", "a\n", "A\x00", "20240229", "20230229"),
    *(
        "20240431",
        "20240430",
        "20241301",
        "240101",
        "991231",
        "230229",
        "00000000",
        "1200",
        "2460",
        "120060",
        "1200595",
    ),
    *("12005959", "2359599", "120", "ÄÖ", "A1", "\ud83d\ude00"[:0] + "x"),
]
DELIMITERS = [X12, EDIFACT_4, Delimiters("|", "@", "\x1c"), Delimiters("]", "[", "'", "^", "\\")]

uses = st.builds(
    Use,
    st.sampled_from(ELEMENTS) | st.none(),
    st.booleans(),
    st.sampled_from([1, 1, 1, 2]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([None, None, None, frozenset({"AA", "A", "12"})]),
)
composites = st.builds(
    lambda parts, conditions: Use(
        Composite("C1", "", tuple(parts), tuple(each for each in conditions if max(each.positions) <= len(parts)))
    ),
    st.lists(uses.filter(lambda use: use.repeat == 1), min_size=2, max_size=4),
    st.lists(st.sampled_from([Condition("P", (1, 2)), Condition("R", (2, 3))]), max_size=1),
)
conditions = st.builds(
    lambda kind, positions: Condition(kind, tuple(positions)),
    st.sampled_from("PRECL"),
    st.lists(st.integers(1, 4), min_size=2, max_size=3, unique=True),
)


@st.composite
def segments(draw: st.DrawFn) -> SegmentType:
    """A made-up segment type of one to five elements."""
    places = draw(st.lists(uses | composites, min_size=1, max_size=5))
    relations = [each for each in draw(st.lists(conditions, max_size=2)) if max(each.positions) <= len(places)]
    return SegmentType("SEG", "", tuple(places), tuple(relations))


@st.composite
def raws(draw: st.DrawFn, delimiters: Delimiters) -> str:
    """A raw segment out of tricky values and delimiters."""
    component = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3).map(delimiters.component.join)
    if delimiters.repetition:
        component |= st.lists(st.sampled_from(TEXTS), min_size=2, max_size=3).map(delimiters.repetition.join)
    value = st.sampled_from(TEXTS) | component
    if delimiters.release:
        value |= st.sampled_from([delimiters.release + each for each in delimiters.all])
    return delimiters.element.join([draw(st.sampled_from(["SEG"] * 9 + ["SEX"])), *draw(st.lists(value, max_size=6))])


@pytest.mark.parametrize("delimiters", DELIMITERS)
@pytest.mark.parametrize("standard", ["x12", "edifact"])
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_what_the_expression_accepts_has_no_flaw(standard: str, delimiters: Delimiters, data: st.DataObject) -> None:
    kind = data.draw(segments())
    if standard == "x12":
        kind = SegmentType(kind.tag, "", tuple(_without(use, "n") for use in kind.uses), kind.conditions)
    raw = data.draw(raws(delimiters))
    accepted = re.compile(patterns.segment(kind, delimiters), re.DOTALL).fullmatch(raw)
    flaws = Explainer(standard, delimiters).flaws(raw, kind)
    assert not (accepted and flaws), f"{raw!r} was accepted although {flaws}"
    released = re.compile(patterns.segment(kind, delimiters, released=True), re.DOTALL).fullmatch(raw)
    assert not (released and flaws), f"{raw!r} was accepted with releases although {flaws}"


def _without(use: Use, kind: str) -> Use:
    """EDIFACT's numbers take a comma, X12's do not: keep each to its own standard."""
    if isinstance(use.of, Composite):
        parts = tuple(_without(each, kind) for each in use.of.uses)
        return Use(Composite(use.of.id, "", parts, use.of.conditions), use.required, use.repeat, use.forbidden)
    return Use(ELEMENTS[0], use.required) if use.of is not None and use.of.kind == kind else use


@settings(max_examples=300, deadline=None)
@given(
    words=st.lists(st.text("ABC1.+*", max_size=4).filter(bool), min_size=1, max_size=12),
    other=st.text("ABC1.+*", max_size=4),
)
@example(["A", "AB", "ABC"], "AC")
def test_a_trie_matches_its_words_and_no_other(words: list[str], other: str) -> None:
    expression = re.compile(patterns.trie(words))
    assert all(expression.fullmatch(word) for word in words)
    assert bool(expression.fullmatch(other)) == (other in words)


@pytest.mark.parametrize(
    ("raw", "right"),
    [
        ("SEG*20240101*1200*1.5*AA*12", True),
        ("SEG*20240131*235959*.5", True),
        ("SEG*20240101*1200*1.5*AA*12*", False),  # a trailing separator
        ("SEG*20240431*1200*1.5", False),
        ("SEG*20240101*2400*1.5", False),
        ("SEG*20240101*1200*1.5*AC", False),
        ("SEG*20240101*1200*1,5", False),
        ("SEG**1200", False),
        ("SEG*20240101", True),
    ],
)
def test_plain_segments_need_no_second_look(raw: str, right: bool) -> None:
    places = tuple(Use(ELEMENTS[at], at == 8) for at in (8, 10, 7, 2, 0))
    expression = re.compile(patterns.segment(SegmentType("SEG", "", places), X12))
    assert bool(expression.fullmatch(raw)) == right


def test_conditions_are_part_of_the_expression() -> None:
    places = tuple(Use(ELEMENTS[0]) for _ in range(4))
    for kind, positions, right, wrong in [
        ("P", (1, 2), ["SEG*A*B", "SEG***C"], ["SEG*A", "SEG**B"]),
        ("R", (2, 3), ["SEG*A*B", "SEG*A**C"], ["SEG*A", "SEG*A***D"]),
        ("E", (1, 3), ["SEG*A", "SEG***C", "SEG**B"], ["SEG*A**C"]),
        ("C", (1, 3), ["SEG*A**C", "SEG**B", "SEG***C"], ["SEG*A", "SEG*A*B"]),
        ("L", (1, 2, 4), ["SEG*A*B", "SEG*A***D", "SEG**B"], ["SEG*A", "SEG*A**C"]),
    ]:
        kind_ = SegmentType("SEG", "", places, (Condition(kind, positions),))
        expression = re.compile(patterns.segment(kind_, X12))
        assert [raw for raw in right if not expression.fullmatch(raw)] == [], kind
        assert [raw for raw in wrong if expression.fullmatch(raw)] == [], kind
        explainer = Explainer("x12", X12)
        assert all(explainer.flaws(raw, kind_) for raw in wrong)
        assert not any(explainer.flaws(raw, kind_) for raw in right)


@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize(
    ("kind", "code"), [("N0", "A"), ("R", "1-"), ("DT", "999999"), ("an", "A?B"), ("an", "A:B"), ("an", "A+B")]
)
def test_a_code_that_is_no_value_is_not_accepted(kind: str, code: str, released: bool) -> None:
    use = Use(Element("6", kind, 1, 8, ""), codes=frozenset({code, "12"}))
    segment = SegmentType("SEG", "", (use,))
    expression = re.compile(patterns.segment(segment, EDIFACT, released=released), re.DOTALL)
    assert expression.fullmatch(f"SEG+{code}") is None
