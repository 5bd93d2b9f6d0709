"""Findings to acknowledgement to verdicts, for all documents; and the table of codes."""

from __future__ import annotations

import ast
import re
from datetime import datetime
from pathlib import Path

import pytest
from ack_samples import clean

from dist_relay.edi import Finding, WriteError, read
from dist_relay.edi.ack import (
    Assessment,
    Numbers,
    Verdict,
    acknowledge,
    assess,
    faults,
    rules,
    verdicts,
)
from dist_relay.edi.checks import CHECKS
from dist_relay.edi.profile import STANDARD

AT = datetime(2026, 3, 1, 12, 31)
NUMBERS = Numbers(5, 6, 7)
FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "edi").glob("*/*/*/*/*.edi"))
CORPUS = sorted((Path(__file__).parents[6] / "shared" / "edi_corpus").glob("*/*/*"))


def expected(judged: Assessment, form: str) -> list[tuple]:
    """What the verdicts must be, straight from the assessment."""
    out: list[tuple] = []
    if form == "CONTRL":
        whole = [
            judged.own,
            *(each.own for each in judged.to_answer),
            *(m.own for g in judged.to_answer for m in judged.answered(g)),
        ]
        outcome = "accepted"
        if "rejected" in whole:
            outcome = "partially_accepted"
        elif "accepted_with_errors" in whole:
            outcome = "accepted_with_errors"
        out.append(("interchange", judged.control, "rejected" if judged.own == "rejected" else outcome, None))
        if judged.own == "rejected":
            return out
    for group in judged.to_answer:
        if form == "CONTRL" and group.header is not None:
            out.append(("group", group.control, None, None))
            if group.own == "rejected":
                continue
        elif form != "CONTRL":
            out.append(("group", group.control, judged.outcome_of_group(group), None))
        for message in judged.answered(group):
            if form != "CONTRL" and not message.control:
                continue
            places = [
                (
                    each.code or None,
                    each.position - (each.missing and form == "CONTRL"),
                    at.index if at else 0,
                    at.component if at else 0,
                    at.code if at else each.code,
                )
                for each in faults.message(form, message.findings).segments
                for at in (each.elements or [None])
            ]
            reasons = [each[1:] for each in places if each[1] > 0]
            out.append(("message", message.control, judged.outcome_of(message, group), reasons))
    return out


def told(found: list[Verdict]) -> list[tuple]:
    return [
        (
            each.level,
            each.control,
            each.outcome,
            [(one.position, one.index, one.component, one.code) for one in each.reasons if one.position],
        )
        for each in found
    ]


def agree(found: list[Verdict], wanted: list[tuple]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(told(found), wanted, strict=True):
        assert one[:2] == other[:2]
        assert other[2] is None or one[2] == other[2]
        assert other[3] is None or one[3] == other[3]


def forms(path: Path) -> list[str]:
    return ["CONTRL"] if "edifact" in path.parts else ["997", "999"]


OURS = [pytest.param(path, form, id=f"{form}-{'/'.join(path.parts[-5:])}") for path in FIXTURES for form in forms(path)]
REAL = [pytest.param(path, form, id=f"{form}-{'/'.join(path.parts[-3:])}") for path in CORPUS for form in forms(path)]


@pytest.mark.parametrize(("path", "form"), OURS)
def test_round_trip_of_our_documents(path, form):
    round_trip(path, form)


@pytest.mark.skipif(not CORPUS, reason="the corpus of real files is not here")
@pytest.mark.parametrize(("path", "form"), REAL)
def test_round_trip_of_real_files(path, form):
    round_trip(path, form)


def round_trip(path: Path, form: str) -> None:
    """Findings to bytes to verdicts: nothing is lost, and our own reader finds nothing wrong with it."""
    for interchange in read(path.read_bytes()):
        if (interchange.standard == "edifact") != (form == "CONTRL") or not interchange.header.elements:
            continue
        judged = assess(interchange)
        try:
            made = acknowledge(judged, NUMBERS, AT, form=form, ta1="never")
        except WriteError as error:
            if path.parent.name == "pass" or not re.match("ISA|GS|UNB", str(error)):
                raise  # only what cannot be addressed has no answer
            continue
        if made is None:
            assert not judged.to_answer
            continue
        short = [each for each in judged.groups for one in each.messages if not 4 <= len(one.control) <= 9]
        found = verdicts(next(read(made.data))) if short and form != "CONTRL" else clean(made.data)
        agree(found, expected(judged, form))


def test_every_rule_has_a_code_in_every_acknowledgement():
    """Every rule id in the source, and every check, stands in the table at each place where it can occur."""
    source = Path(faults.__file__).parents[1]
    ids = {f"balance.{name}" for name in ("sscc", "gtin")}
    for file in source.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                ids.update(
                    re.findall(
                        r"^(?:envelope|grammar|segment|loop|element|code|condition|balance)\.[a-z]+$", node.value
                    )
                )
    assert len(ids) > 45
    assert ids >= {rule for rule in STANDARD if "." in rule} | {"balance.hl", "balance.total", "condition.paired"}
    assert {"sscc", "gtin", "hl", "cps", "count", "sum"} <= set(CHECKS)
    missing = {rule for rule in ids if not rules.places(rule)}
    assert missing == set()
    for (rule, place), codes in rules.table().items():
        wanted = (
            {"TA1", "CONTRL"}
            if place == "interchange"
            else {"997", "999", "CONTRL"}
            if place in ("group", "message", "segment", "element")
            else set()
        )
        assert wanted <= set(codes), f"{rule} {place}"


def test_every_code_of_the_table_is_in_the_grammars():
    from dist_relay.edi.grammar.registry import default

    places = {
        "TA1": {"interchange": "I18"},
        "997": {"group": "716", "message": "718", "segment": "720", "element": "723"},
        "999": {"group": "716", "message": "618", "segment": "620", "element": "621"},
        "CONTRL": dict.fromkeys(("interchange", "group", "message", "segment", "element"), "0085"),
    }
    for (rule, place), codes in rules.table().items():
        for kind, code in codes.items():
            number = places[kind].get(place)
            if number:
                element = (
                    default()
                    .dictionary("edifact" if kind == "CONTRL" else "x12")
                    .element(number, "01B" if kind == "CONTRL" else "5010")
                )
                assert element is not None
                assert code in element.codes, f"{rule} {place}: {code} is not in {number}"


def test_an_unknown_rule_still_has_a_code():
    assert rules.code("997", "partner.special", "element") == "7"
    assert rules.code("CONTRL", "partner.special", "segment") == "18"


def test_many_findings_stay_within_what_an_acknowledgement_holds():
    found = [
        Finding(
            "element", "element.long", "long", segment="PO1", position=position, index=index, element=f"PO1{index:02d}"
        )
        for position in range(2, 1200)
        for index in range(1, 3)
    ]
    assert len(faults.message("997", found).segments) == faults.MAX_SEGMENTS
    many = [Finding("element", "element.long", "", segment="PO1", position=2, index=each) for each in range(1, 200)]
    assert len(faults.message("997", many).segments[0].elements) == faults.MAX_ELEMENTS
