"""Mappings under any input: every valid object is written and read stably, and no document is more than an EdiError."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from mapping_support import FIXTURES

from dist_contracts.trade import TradeDocument
from dist_relay.edi import EdiError, Loop, read
from dist_relay.edi.mapping import MappingProfile, Note, from_canonical, objects_of, to_canonical
from dist_relay.edi.mapping.notation import available
from dist_relay.testkit.edi.mutate import mutated

sys.path.insert(0, str(Path(__file__).parents[4] / "dist_contracts" / "tests"))

from documents import documents

from dist_contracts import trade

WAYS = [
    (standard, type_, model)
    for standard in ("x12", "edifact")
    for type_ in available(standard)
    for model in objects_of(standard, type_)
]


class Written:
    """A body that was written, as a message to be read."""

    def __init__(self, standard: str, type_: str, version: str, body: Loop) -> None:
        self.standard, self.type, self.version = standard, type_, version
        self._body = body

    def tree(self) -> Loop:
        return self._body


@pytest.mark.parametrize(("standard", "type_", "model"), WAYS)
def test_any_object_is_written_and_read_the_same_from_then_on(standard: str, type_: str, model: str) -> None:
    version = "5010" if standard == "x12" else "01B"
    profile = MappingProfile(objects={type_: model}, currency="USD")

    def through(document: TradeDocument) -> TradeDocument:
        notes: list[Note] = []
        body = from_canonical(document, standard=standard, type=type_, version=version, profile=profile, notes=notes)
        left.append(bool(notes))
        return to_canonical(Written(standard, type_, version, body), profile).object

    @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(documents(getattr(trade, model), depth=3))
    def run(document: TradeDocument) -> None:
        try:
            once = through(document)
            twice = through(once)
        except EdiError:
            # What the object lacks and the document needs: a quantity, a reason.
            return
        done.append(once)
        assert twice == once or left[-1]

    left: list[bool] = []
    done: list[TradeDocument] = []
    run()
    assert done


def test_no_document_is_more_than_an_error() -> None:
    random = Random(20260131)
    paths = sorted(FIXTURES.glob("*/*/*/pass/*.edi"))
    seen = 0
    for _ in range(600):
        data = mutated(random.choice(paths).read_bytes(), random)
        try:
            for interchange in read(data):
                for message in interchange.messages():
                    for model in objects_of(message.standard, message.type):
                        seen += _through(message, model)
        except EdiError:
            continue
    assert seen > 100


def _through(message: object, model: str) -> int:
    type_ = message.type  # type: ignore[attr-defined]
    profile = MappingProfile(objects={type_: model})
    try:
        found = to_canonical(message, profile).object  # type: ignore[arg-type]
    except EdiError:
        return 0
    kind = {"standard": message.standard, "type": type_, "version": message.version}  # type: ignore[attr-defined]
    from_canonical(found, **kind, profile=profile, notes=[])
    return 1
