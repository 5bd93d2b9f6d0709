"""Real files from public repositories, beside this checkout and not part of it; a manifest says what is known of each.

What it says was found by reading bytes by other means than ours, so each broken file must be reported for its reason.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from dist_relay.edi import reader
from dist_relay.edi.finding import Finding

CORPUS = Path(__file__).resolve().parents[6] / "shared" / "edi_corpus"
REASONS = (
    (r"(UNT01|SE01|GE01|UNZ01|IEA01) \S+ but", "envelope.count"),
    (r"(UNZ02|IEA02|UNT02|SE02|GE02) \S+ !=", "envelope.reference"),
    (r"ISA element widths", "envelope.width"),
    (r"no UNB|no UNT|no IEA|no UNZ", "envelope.missing"),
)
"""What the manifest's notes say → the rule of the finding that must be there."""
NOT_SO = {
    # The terminator is the three bytes of an ellipsis: its first byte alone leaves no IEA to be found.
    "x12/214/xlate__staedi__issue109_ts214_ellipses_segterm.edi": {"envelope.missing"},
    # ISA01 to ISA10 are short, so that ISA13 is not where its width puts it; by separators it is there and agrees.
    "x12/855/kputnam__stupidedi__fail_2.edi": {"envelope.reference"},
}
"""Reasons that do not hold when the file is read by its separators."""
NO_FAULT_OF_ITS_OWN = {
    # An acknowledgement, well made, of another interchange that is refused.
    "x12/TA1/cosyte__x12__ack_ta1-reject-control-mismatch.edi",
    # The publisher's own software could not take UNA in one line with UNB; PARTIN has no grammar here.
    "edifact/PARTIN/sapstern__edifactconverter__resources_PARTIN_01B_UNA_ERROR.edi",
    # Its fault is against the grammar of 3010; it is read by that of 4010, which allows it.
    "x12/860/kputnam__stupidedi__fail_1.edi",
}
"""Filed by their publishers as failing, for reasons that are not in the file or not in our grammars."""
OTHER_GROUP = {f"x12/{name}" for name in (
    "810/kputnam__stupidedi__pass_basic-invoice.edi", "855/kputnam__stupidedi__pass_basic-po-ack-accepted.edi",
    "855/kputnam__stupidedi__pass_basic-po-ack-rejected.edi", "855/kputnam__stupidedi__pass_po-ack-minor-changes.edi",
)}  # fmt: skip
"""Invoices and acknowledgements in a group of type SC (price catalogue): reported, and not refused for it."""


def manifest() -> list[dict[str, str]]:
    if not (CORPUS / "manifest.tsv").exists():
        return []
    with (CORPUS / "manifest.tsv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


FILES = manifest()
SOUND = [row for row in FILES if row["status"] != "known-broken"]
BROKEN = [row for row in FILES if row["status"] == "known-broken"]
pytestmark = pytest.mark.skipif(not FILES, reason=f"no corpus at {CORPUS}")


def found(row: dict[str, str]) -> tuple[list[Finding], int, int]:
    """All findings, and how many interchanges and messages there are."""
    findings: list[Finding] = []
    interchanges = messages = 0
    for interchange in reader.read(CORPUS / row["path"]):
        interchanges += 1
        for message in interchange.messages():
            messages += 1
            findings += message.findings
            assert len(list(message.segments())) == message.segment_count - 1 - (message.trailer is not None)
        findings += interchange.findings
    return findings, interchanges, messages


@pytest.mark.parametrize("row", SOUND, ids=lambda row: row["path"])
def test_a_file_with_a_sound_envelope_is_read_and_its_envelope_is_not_blamed(row: dict[str, str]) -> None:
    findings, interchanges, messages = found(row)
    envelope = {each.rule for each in findings if each.level == "envelope"}
    assert envelope == ({"envelope.group"} if row["path"] in OTHER_GROUP else set())
    declared = re.search(r"(\d+) interchanges", row["notes"])
    assert interchanges == int(declared.group(1)) if declared else interchanges >= 1
    assert messages or row["doc_type"] == "TA1"


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row["path"])
def test_a_broken_file_is_reported_for_its_reason(row: dict[str, str]) -> None:
    rules = {each.rule for each in found(row)[0]}
    wanted = {rule for pattern, rule in REASONS if re.search(pattern, row["notes"])} - NOT_SO.get(row["path"], set())
    assert wanted <= rules
    if row["path"] not in NO_FAULT_OF_ITS_OWN and row["path"] not in NOT_SO:
        assert rules, row["notes"]


def test_the_exceptions_are_of_this_corpus() -> None:
    paths = {row["path"] for row in FILES}
    assert {*NOT_SO, *NO_FAULT_OF_ITS_OWN, *OTHER_GROUP} <= paths
