"""Documents made from the grammars: written, read back, nothing wrong with them and nothing lost.

Ten of each grammar here; ``make fuzz`` makes many more (``DIST_FUZZ_DOCUMENTS``).
"""

from __future__ import annotations

import os
from io import BytesIO
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dist_relay.edi import delimiters, reader
from dist_relay.edi.grammar import registry
from dist_relay.edi.grammar.model import Grammar
from dist_relay.edi.profile import Profile
from dist_relay.edi.segment import Segment
from dist_relay.testkit.edi.documents import DocumentMaker, interchange

DOCUMENTS = int(os.environ.get("DIST_FUZZ_DOCUMENTS", "10"))
VERSIONS = {"x12": ("4010", "5010"), "edifact": ("96A", "01B")}
UNBALANCED = Profile(treatment={"balance": "off"})
"""Totals, hierarchies and check digits are the checks' own tests: random documents do not add up."""
CASES = [
    (standard, type_, version)
    for standard, versions in VERSIONS.items()
    for type_ in registry.default().types(standard)
    for version in versions
    if registry.default().find(standard, type_, version).known
]


class Trickle(BytesIO):
    """A stream that gives a few bytes at a time, whatever is asked for."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._size if size is None or size < 0 else min(size, self._size))


def characters(standard: str, version: str) -> delimiters.Delimiters:
    if standard == "edifact":
        return delimiters.EDIFACT
    return delimiters.X12 if version >= "5010" else delimiters.Delimiters("*", ">", "~")


CHOICES = {"seed": st.integers(0, 2**32), "often": st.sampled_from((0.1, 0.3, 0.6)), "most": st.integers(1, 60)}
"""What a document depends on; less is simpler."""


def made(grammar: Grammar, version: str, seed: int, often: float, most: int) -> tuple[bytes, list[Segment]]:
    maker = DocumentMaker(grammar, characters(grammar.standard, version), Random(seed), often=often, most=most)
    segments = maker.segments()
    return interchange(grammar, version, segments), segments


@pytest.mark.parametrize(("standard", "type_", "version"), CASES, ids=lambda part: part)
@settings(max_examples=DOCUMENTS, deadline=None, suppress_health_check=list(HealthCheck))
@given(**CHOICES)
def test_a_document_of_the_grammar_survives_writing_and_reading(
    standard: str, type_: str, version: str, seed: int, often: float, most: int
) -> None:
    grammar = registry.default().find(standard, type_, version)
    data, segments = made(grammar, version, seed, often, most)
    (message,) = next(reader.read(data, UNBALANCED)).messages()
    assert [each.message for each in message.findings] == []
    assert list(message.segments()) == segments


def summary(source: object, piece: int | None = None) -> list[object]:
    """Everything that reading gives."""
    codec = reader.codec()
    found: list[object] = []
    for each in codec.read(source, **({"piece": piece} if piece else {})):  # type: ignore[arg-type]
        for message in each.messages():
            found += [message.type, message.control, message.status, message.raw_segments(), repr(message.tree())]
            found += [message.findings, message.notes]
        found += [each.findings, each.notes, each.control, each.encoding]
    return found


@pytest.mark.parametrize(("standard", "type_", "version"), [("x12", "856", "4010"), ("edifact", "DESADV", "96A")])
@settings(max_examples=max(20, DOCUMENTS), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=CHOICES["seed"], size=st.integers(1, 300), line=st.sampled_from((b"", b"\n", b"\r\n")), times=st.integers(1, 3)
)
def test_it_is_the_same_in_pieces_of_any_size(
    standard: str, type_: str, version: str, seed: int, size: int, line: bytes, times: int
) -> None:
    grammar = registry.default().find(standard, type_, version)
    data = b"".join(made(grammar, version, seed + time, 0.3, 30)[0] for time in range(times))
    end = b"~" if standard == "x12" else b"'"
    data = data.replace(end, end + line)
    whole = summary(data)
    assert summary(data, piece=size) == whole
    assert summary(Trickle(data, size)) == whole
