"""``validate``: what is wrong with files."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..errors import EdiError
from ..finding import Finding
from ..interchange import Interchange
from ..reader import Codec
from ..render.views import clean
from .console import Console
from .inputs import Input, collect

STATUSES = ("valid", "accepted_with_errors", "rejected", "unreadable")
EXIT = {"valid": 0, "accepted_with_errors": 1, "rejected": 1, "unreadable": 2}
MAX_FINDINGS = 10_000
"""Findings kept of one file; more are counted."""
MAX_MESSAGES = 100_000


@dataclass
class Verdict:
    """What is said of one file."""

    file: str
    standards: set[str] = field(default_factory=set)
    interchanges: int = 0
    messages: list[dict[str, str]] = field(default_factory=list)
    more_messages: int = 0
    findings: list[Finding] = field(default_factory=list)
    more_findings: int = 0
    notes: list[Finding] = field(default_factory=list)
    status: str = "valid"
    problem: str = ""

    def worse(self, status: str) -> None:
        """The worst of all is that of the file."""
        self.status = max(self.status, status, key=STATUSES.index)

    def add(self, findings: list[Finding], notes: list[Finding], more: int = 0) -> None:
        """Findings of a message or an envelope, as many as there is room for."""
        room = max(0, MAX_FINDINGS - len(self.findings))
        self.findings += findings[:room]
        self.more_findings += len(findings[room:]) + more
        self.notes += notes[: max(0, MAX_FINDINGS - len(self.notes))]

    def unreadable(self, why: str) -> None:
        """The file cannot be read (to its end)."""
        self.problem = why
        self.worse("unreadable")

    @property
    def standard(self) -> str:
        """``x12``, ``edifact``, ``mixed``; "" when there is none."""
        return "mixed" if len(self.standards) > 1 else "".join(self.standards)

    def as_json(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        found: dict[str, Any] = {
            "file": self.file,
            "standard": self.standard,
            "interchanges": self.interchanges,
            "messages": self.messages,
            "findings": [each.as_json() for each in self.findings],
            "notes": [each.as_json() for each in self.notes],
            "status": self.status,
        }
        if self.problem:
            found["error"] = self.problem
            found["findings"].append(
                {
                    "level": "envelope",
                    "rule": "unreadable",
                    "severity": "reject",
                    "segment": "",
                    "position": 0,
                    "element": "",
                    "value": "",
                    "message": self.problem,
                }
            )
        for key in ("more_messages", "more_findings"):
            if getattr(self, key):
                found[key] = getattr(self, key)
        return found


def run(options: argparse.Namespace, codec: Codec, console: Console) -> int:
    """Validate all files; the worst of them gives the exit status."""
    files = collect(options.files, recursive=options.recursive)
    counted: Counter[str] = Counter()
    for number, each in enumerate(files, 1):
        if len(files) > 1:
            console.progress(f"{number} of {len(files)}: {clean(each.name, 60)}")
        verdict = judge(each, codec, console)
        counted[verdict.status] += 1
        if options.json:
            console.line(json.dumps(verdict.as_json(), ensure_ascii=False))
        else:
            _print(verdict, console, notes=options.notes)
    if len(files) > 1:
        summary = ", ".join(f"{counted[each]} {each.replace('_', ' ')}" for each in STATUSES if counted[each])
        (console.say if options.json else console.line)(f"{len(files)} files: {summary}")
    return max((EXIT[each] for each in counted), default=0)


def judge(each: Input, codec: Codec, console: Console) -> Verdict:
    """Read one file in constant memory and say what is wrong with it."""
    verdict = Verdict(each.name)
    if each.problem:
        verdict.unreadable(each.problem)
        return verdict
    try:
        with each.open(console) as stream:
            for interchange in codec.read(stream, keep=False):
                _interchange(interchange, verdict)
    except (EdiError, OSError) as error:
        verdict.unreadable(getattr(error, "strerror", None) or str(error))
    return verdict


def _interchange(interchange: Interchange, verdict: Verdict) -> None:
    verdict.standards.add(interchange.standard)
    verdict.interchanges += 1
    for message in interchange.messages():
        verdict.worse(message.status)
        verdict.add(message.findings, message.notes, message.report.more)
        if len(verdict.messages) >= MAX_MESSAGES:
            verdict.more_messages += 1
            continue
        verdict.messages.append(
            {
                "type": message.type,
                "version": message.version,
                "control": message.control,
                "status": message.status,
            }
        )
    verdict.worse(interchange.status)
    more = interchange.report.more + sum(group.report.more for group in interchange.groups)
    verdict.add(interchange.findings, interchange.notes, more)


def _print(verdict: Verdict, console: Console, *, notes: bool) -> None:
    status = console.paint(verdict.status.replace("_", " "), verdict.status)
    if verdict.problem:
        console.line(f"{clean(verdict.file, 300)}: {status}: {clean(verdict.problem, 300)}")
    else:
        messages = len(verdict.messages) + verdict.more_messages
        what = f"{verdict.standard}, {_many(verdict.interchanges, 'interchange')}, {_many(messages, 'message')}"
        console.line(f"{clean(verdict.file, 300)}: {status} ({what})")
    for each in (*verdict.findings, *(verdict.notes if notes else ())):
        severity = console.paint(each.severity, each.severity)
        console.line(f"  {severity} {each.rule}: {clean(each.message, 1_000)}")
    if verdict.more_findings:
        console.line(f"  … {verdict.more_findings} more findings")


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
