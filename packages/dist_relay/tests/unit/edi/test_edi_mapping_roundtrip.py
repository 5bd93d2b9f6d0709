"""Every right document of the fixtures that has a mapping: document → object → document → object is the same object,
what is written is valid by the grammar, and nothing of the object is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from mapping_support import FIXTURES, again, messages

from dist_relay.edi import Message
from dist_relay.edi.mapping import MappingProfile, Note, from_canonical, objects_of, to_canonical

TABLE = {
    "x12": (
        *("180", "810", "820", "832", "846", "850", "852", "855", "856", "860", "865"),
        *("940", "943", "944", "945", "947"),
    ),
    "edifact": (
        *("DESADV", "IFTSTA", "INSDES", "INVOIC", "INVRPT", "ORDCHG", "ORDERS", "ORDRSP"),
        *("PRICAT", "RECADV", "REMADV", "RETANN", "SLSRPT"),
    ),
}
MAPPED = [
    path
    for path in sorted(FIXTURES.glob("*/*/*/pass/*.edi"))
    if path.parts[-3] in TABLE.get(path.relative_to(FIXTURES).parts[0], ())
]


def name(path: Path) -> str:
    return str(path.relative_to(FIXTURES).with_suffix(""))


def check(message: Message, model: str) -> None:
    profile = MappingProfile(objects={message.type: model})
    first = to_canonical(message, profile)
    assert type(first.object).__name__ == model
    notes: list[Note] = []
    kind = {"standard": message.standard, "type": message.type, "version": message.version}
    body = from_canonical(first.object, **kind, profile=profile, notes=notes)
    assert notes == []
    written = again(message.standard, message.type, message.version, body)
    assert [each.message for each in written.findings] == []
    second = to_canonical(written, profile)
    assert second.object == first.object
    assert [str(each) for each in second.notes] == []
    assert list(from_canonical(second.object, **kind, profile=profile).walk()) == list(body.walk())


@pytest.mark.parametrize("path", MAPPED, ids=name)
def test_round_trip(path: Path) -> None:
    for message in messages(path.read_bytes()):
        check(message, objects_of(message.standard, message.type)[0])


@pytest.mark.parametrize("model", ["WarehouseShipment", "InboundAdvice"])
def test_round_trip_of_despatch_advices_by_agreement(model: str) -> None:
    for path in MAPPED:
        if path.parts[-3] == "DESADV":
            for message in messages(path.read_bytes()):
                check(message, model)


def test_round_trip_of_movements_by_agreement() -> None:
    path = FIXTURES / "edifact" / "01B" / "INVRPT" / "pass" / "movements.edi"
    for message in messages(path.read_bytes()):
        check(message, "Adjustment")


def test_every_document_of_the_table_has_a_fixture_in_each_version() -> None:
    found = {path.relative_to(FIXTURES).parts[:3] for path in MAPPED}
    wanted = {("x12", version, type_) for version in ("4010", "5010") for type_ in TABLE["x12"]}
    wanted |= {("edifact", "01B", type_) for type_ in TABLE["edifact"]}
    wanted |= {("edifact", "96A", type_) for type_ in TABLE["edifact"] if type_ not in ("INSDES", "RETANN")}
    assert wanted <= found
    for standard, types in TABLE.items():
        for type_ in types:
            assert objects_of(standard, type_)
