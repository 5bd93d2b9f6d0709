"""Every document under ``tests/fixtures/edi/<standard>/<version>/<type>``: those in ``pass`` have no finding, those in
``fail`` exactly the ones that their ``.expect`` names, a line each: level, rule, segment, element.

A new document is a file (and its ``.expect``); nothing here knows the names.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dist_relay.edi import Finding, read
from dist_relay.edi.finding import LEVELS

FOLDER = Path(__file__).parents[2] / "fixtures" / "edi"
PASS = sorted(FOLDER.glob("*/*/*/pass/*.edi"))
FAIL = sorted(FOLDER.glob("*/*/*/fail/*.edi"))


def name(path: Path) -> str:
    return str(path.relative_to(FOLDER).with_suffix(""))


def checked(path: Path) -> list[Finding]:
    """All findings of a file, after making sure that it is what its folders say."""
    standard, version, type_ = path.relative_to(FOLDER).parts[:3]
    found = []
    for interchange in read(path.read_bytes()):
        assert interchange.standard == standard
        for message in interchange.messages():
            assert message.type == type_
            assert type_ == "CONTRL" or message.version == message.grammar_version == version
            found += message.findings
        found += interchange.findings
    return found


def short(finding: Finding) -> str:
    return " ".join(each for each in (finding.level, finding.rule, finding.segment, finding.element) if each)


@pytest.mark.parametrize("path", PASS, ids=name)
def test_right_documents_have_no_finding(path):
    assert [each.message for each in checked(path)] == []


@pytest.mark.parametrize("path", FAIL, ids=name)
def test_wrong_documents_have_the_findings_they_are_made_for(path):
    expected = set(path.with_suffix(".expect").read_text("utf-8").splitlines())
    assert expected
    assert all(each.split()[0] in LEVELS for each in expected)
    findings = checked(path)
    assert {short(each) for each in findings} == expected
    assert all(each.message and (each.position or each.level == "envelope") for each in findings)


def test_every_type_has_documents_of_both_kinds():
    kinds: dict[Path, set[str]] = {}
    for path in (*PASS, *FAIL):
        kinds.setdefault(path.parent.parent, set()).add(path.parent.name)
    assert len(kinds) >= 30
    assert [str(each) for each, found in kinds.items() if found != {"pass", "fail"}] == []


def test_no_expectation_without_a_document():
    lonely = [path.name for path in FOLDER.rglob("*.expect") if not path.with_suffix(".edi").exists()]
    assert lonely == []
