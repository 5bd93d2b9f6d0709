"""Whatever is written is read back as it was: generated segments, with all the characters that could go wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from dist_relay.edi import (
    Codec,
    Document,
    GroupHeader,
    InterchangeHeader,
    Layout,
    Party,
    Repeats,
    Segment,
    WriteError,
    Writer,
    read,
    rewrite,
)
from dist_relay.edi.delimiters import EDIFACT, X12

AT = datetime(2026, 3, 1, 12, 30)
EDI_CODEC, X12_CODEC = Codec(), Codec()
ODD = "AB1 .,+:'?*~>^|!\\\"ÄŁ€é"
values = st.text(st.sampled_from(ODD), max_size=6).map(str.strip)
composites = st.lists(values, min_size=2, max_size=4)
repeats = st.lists(st.one_of(values, composites), min_size=2, max_size=3).map(Repeats)
tags = st.sampled_from(["AAA", "ZZ", "Q1", "UNS", "B2A"])
layouts = st.sampled_from([Layout(), Layout("\n"), Layout("\r\n"), Layout(record=80), Layout(record=33)])


def segments(*kinds):
    elements = st.lists(st.one_of(*kinds), min_size=1, max_size=5)
    return st.lists(st.builds(lambda tag, found: Segment(tag, found), tags, elements), min_size=1, max_size=5)


def normal(value):
    """Without what is empty at the end; a composite of one value is that value."""
    if isinstance(value, Repeats):
        return [normal(each) for each in value]
    if isinstance(value, list):
        parts = list(value)
        while parts and not parts[-1]:
            parts.pop()
        return parts[0] if len(parts) == 1 else parts or ""
    return value


def content(found):
    out = []
    for each in found:
        elements = [normal(value) for value in each.elements]
        while elements and not elements[-1]:
            elements.pop()
        out.append((each.tag, elements))
    return out


def body(data: bytes) -> list[Segment]:
    interchange = next(read(data))
    (message,) = interchange.messages()
    assert [each.rule for each in message.findings + interchange.drain().findings] == []
    return list(message.segments())


@settings(max_examples=150, deadline=None)
@given(
    segments(values, composites),
    layouts,
    st.sampled_from([EDIFACT, replace(EDIFACT, element="|", terminator="~"), replace(EDIFACT, release="\\")]),
)
def test_edifact(found, layout, delimiters):
    writer = Writer("edifact", codec=EDI_CODEC, delimiters=delimiters, layout=layout, unknown=True)
    header = InterchangeHeader(Party("A+B"), Party("C"), "1", AT, "UNOY:3")
    data = writer.interchange(header, [Document("QQQQQQ", 1, found, "D:96A:UN")])
    assert content(body(data)) == content(found)
    assert b"".join(rewrite(next(read(data)), layout=layout)) == data


@settings(max_examples=100, deadline=None)
@given(segments(values, composites, repeats), layouts)
def test_edifact_4_with_repeats(found, layout):
    writer = Writer("edifact", codec=EDI_CODEC, layout=layout, unknown=True)
    header = InterchangeHeader(Party("A"), Party("C"), "1", AT, "UNOY:4")
    data = writer.interchange(header, [Document("QQQQQQ", 1, found, "D:96A:UN")])
    assert content(body(data)) == content(found)


@settings(max_examples=150, deadline=None)
@given(segments(values, composites, repeats), layouts, st.booleans())
def test_x12_is_written_right_or_not_at_all(found, layout, choose):
    writer = Writer("x12", codec=X12_CODEC, layout=layout, unknown=True, choose=choose, encoding="utf-8")
    header = InterchangeHeader(Party("A"), Party("C"), 1, AT, "00501")
    group = GroupHeader("QQ", 1, "005010")
    document = Document("321", 1, found)
    used = {each for _, elements in content(found) for each in str(elements)}
    try:
        data = writer.interchange(header, [(group, [document])])
    except WriteError as error:
        if "delimiter" not in str(error) or not used & set(X12.all):
            raise
        return
    assert content(body(data)) == content(found)
    assert b"".join(rewrite(next(read(data)), layout=layout)) == data
