"""Released characters: they are the value's own, wherever segments, elements and components are cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dist_relay.edi import reader
from dist_relay.edi.delimiters import EDIFACT
from dist_relay.edi.explain import Explainer
from dist_relay.edi.grammar import patterns, registry
from dist_relay.edi.segment import cut

MESSAGE = "UNB+UNOC:3+A+B+261121:0930+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1+9'DTM+137:20261121:102'{}UNT+{}+1'UNZ+1+1'"


def slow_cut(text: str, separator: str, release: str) -> list[str]:
    """The same, character by character."""
    parts, at = [""], 0
    while at < len(text):
        if text[at] == release and at + 1 < len(text):
            parts[-1] += text[at : at + 2]
            at += 2
        elif text[at] == separator:
            parts.append("")
            at += 1
        else:
            parts[-1] += text[at]
            at += 1
    return parts


@given(st.text(alphabet="a?+:'", max_size=30))
def test_a_released_separator_separates_nothing(text: str) -> None:
    assert cut(text, "+", "?") == slow_cut(text, "+", "?")


@pytest.mark.parametrize("text", ["it?' s", "?' ", "??'", " a", "??? b", "3?+1 1/2?' wide", "?'\u00e9 ?'"])
def test_a_blank_behind_a_released_terminator_stays(text: str) -> None:
    tail = f"FTX+AAI+++{text}X'"
    if text == "??'":
        tail = "FTX+AAI+++??'"
    data = MESSAGE.format(tail, 5).encode("latin-1")
    (interchange,) = list(reader.read(data))
    (message,) = next(reader.read(data)).messages()
    assert message.raw_segments()[2] + "'" == tail
    assert interchange.notes == []


@given(st.text(alphabet="a1 +:'?é", min_size=1, max_size=12).filter(lambda each: each == each.strip()))
def test_the_fast_path_takes_released_text_and_agrees_with_the_slow_one(value: str) -> None:
    kind = registry.default().dictionary("edifact").segment("NAD", "96A")
    assert kind is not None
    raw = "NAD+BY+5412345000013::9++" + "".join("?" + each if each in "+:'?" else each for each in value)
    fast = re.compile(patterns.segment(kind, EDIFACT, released=True), re.DOTALL).fullmatch
    plain = re.compile(patterns.segment(kind, EDIFACT), re.DOTALL).fullmatch
    assert Explainer("edifact", EDIFACT).flaws(raw, kind) == []
    assert bool(fast(raw)) or value[-1] in "+:", "only a released separator at the very end is left to the slow path"
    assert bool(plain(raw)) == (not set(value) & set("+:'?"))


@pytest.mark.parametrize(
    "raw",
    [
        "NAD+BY+5412345000013::9++" + "?+" * 36,  # 36 characters where 35 are allowed
        "NAD+BYZZ?+",
        "NAD+BY++++?",
        "NAD+B?\x01",
    ],
)
def test_what_is_wrong_stays_wrong_with_released_characters(raw: str) -> None:
    kind = registry.default().dictionary("edifact").segment("NAD", "96A")
    assert kind is not None
    assert not re.compile(patterns.segment(kind, EDIFACT, released=True), re.DOTALL).fullmatch(raw)
    assert Explainer("edifact", EDIFACT).flaws(raw, kind) or raw.endswith("?")
