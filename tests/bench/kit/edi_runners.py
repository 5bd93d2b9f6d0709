# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""One measured piece of work on one file, in this process: ``edi_runners.py RUNNER FILE WARM TIMES``.

Prints JSON: ``seconds`` (CPU time of the quickest time), ``megabytes`` (peak of resident memory since the process
began, imports included) and what the runner counted. CPU time, not time on the clock: all of this is work of one
thread in memory, and a neighbour on the machine shall not count. WARM, if not empty, is a small file that is read
before: imports and the loading of grammars are then not measured.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Work = Callable[[Path], "dict[str, Any]"]
RUNNERS: dict[str, Callable[[], Work]] = {}


def runner(name: str) -> Callable[[Callable[[], Work]], Callable[[], Work]]:
    """Register what imports a library and gives its work."""

    def register(function: Callable[[], Work]) -> Callable[[], Work]:
        RUNNERS[name] = function
        return function

    return register


@runner("bare")
def bare() -> Work:
    """Nothing at all: what an interpreter takes."""
    return lambda path: {}


@runner("floor")
def floor() -> Work:
    """Split into segments and elements, keep nothing, check nothing: no reader in Python can be faster."""

    def work(path: Path) -> dict[str, Any]:
        count = 0
        with path.open("rb") as stream:
            terminator, element = ("~", "*") if stream.read(3) == b"ISA" else ("'", "+")
            stream.seek(0)
            rest = ""
            while chunk := stream.read(1 << 16):
                *segments, rest = (rest + chunk.decode("latin-1")).split(terminator)
                for segment in segments:
                    segment.split(element)
                count += len(segments)
        return {"segments": count}

    return work


def _ours(source: Callable[[Path], Any], keep: bool) -> Work:
    from dist_relay.edi import reader

    def work(path: Path) -> dict[str, Any]:
        messages = findings = 0
        for interchange in reader.read(source(path), keep=keep):
            for message in interchange.messages():
                messages += 1
                findings += len(message.findings)
            findings += len(interchange.findings)
        return {"messages": messages, "findings": findings}

    return work


@runner("ours")
def ours() -> Work:
    """Everything on: envelope, grammar, types, codes, conditions, balances. The file is a stream."""
    return _ours(lambda path: path.open("rb"), keep=False)


@runner("ours keeping")
def ours_keeping() -> Work:
    """The same, and the segments of each message stay until the next one."""
    return _ours(lambda path: path.open("rb"), keep=True)


@runner("ours bytes")
def ours_bytes() -> Work:
    """The same from bytes in memory."""
    return _ours(Path.read_bytes, keep=True)


@runner("ours writing")
def ours_writing() -> Work:
    """Write what was read from the file; only the writing is timed, so this runner tells its seconds itself."""
    from datetime import datetime

    from dist_relay.edi import reader
    from dist_relay.edi.writer import Document, GroupHeader, InterchangeHeader, Party, Writer

    def header(x12: bool) -> InterchangeHeader:
        parties = Party("SENDER", "ZZ"), Party("RECEIVER", "ZZ")
        return InterchangeHeader(*parties, 1, datetime(2026, 11, 21), "00401" if x12 else "UNOC:3")

    def join(documents: list[Document], element: str, component: str, end: str) -> str:
        return end.join(
            element.join([segment.tag, *(v if isinstance(v, str) else component.join(v) for v in segment.elements)])
            for document in documents
            for segment in document.body
        )

    def work(path: Path) -> dict[str, Any]:
        interchange = next(reader.read(path))
        x12 = interchange.standard == "x12"
        documents = [
            Document(message.type, number, list(message.segments()), "" if x12 else "D:96A:UN")
            for number, message in enumerate(interchange.messages(), 1)
        ]
        group = interchange.groups[0] if x12 else None
        content = [(GroupHeader(group.type, 1, "004010"), documents)] if group else documents
        writer = Writer(interchange.standard)
        writer.interchange(header(x12), [(content[0][0], documents[:1])] if group else documents[:1])
        began = time.process_time()
        written = writer.interchange(header(x12), content)
        seconds = time.process_time() - began
        began = time.process_time()
        join(documents, *("*>~" if x12 else "+:'"))
        floor = time.process_time() - began
        segments = sum(len(document.body) + 2 for document in documents)
        return {"segments": segments, "bytes": len(written), "seconds": seconds, "floor": floor}

    return work


def _mock(check: bool) -> Work:
    from mockedi import edifact, validate, x12

    def work(path: Path) -> dict[str, Any]:
        text = path.read_bytes().decode("latin-1")
        dialect = x12 if text.startswith("ISA") else edifact
        accepted = 0
        for part in dialect.split(text):
            interchange = dialect.parse(part)
            if check:
                report = validate.validate(interchange, strict=True)
                accepted += sum(message.accepted for message in report.messages)
        return {"accepted": accepted}

    return work


@runner("peer mock-edi")
def mock() -> Work:
    """Parse and validate, strict."""
    return _mock(True)


@runner("peer bots")
def bots() -> Work:
    """Parse and check against the grammar; a wrong field is an error."""
    import logging

    import edi_parser

    logging.disable(logging.CRITICAL)

    def work(path: Path) -> dict[str, Any]:
        content = path.read_bytes()
        found = edi_parser.parse_edi(content, "x12", "x12", field_validation_mode="strict")
        return {"success": found["success"], "messages": found["message_count"]}

    return work


@runner("peer pyx12")
def pyx12() -> Work:
    """X12Reader: control numbers, counts and HL numbers, no grammar."""
    import pyx12.x12file

    def work(path: Path) -> dict[str, Any]:
        with path.open(encoding="latin-1") as stream:
            reader = pyx12.x12file.X12Reader(stream)
            count = sum(1 for _segment in reader)
        return {"segments": count, "errors": len(reader.pop_errors())}

    return work


@runner("peer pydifact")
def pydifact() -> Work:
    """The plain parser, which gives segments and checks nothing."""
    from pydifact.parser import Parser

    def work(path: Path) -> dict[str, Any]:
        return {"segments": sum(1 for _segment in Parser().parse(path.read_bytes().decode("latin-1")))}

    return work


def peak() -> float:
    """Most resident memory of this process so far, MB. Not ``getrusage``: that counts the parent before exec."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main(name: str, file: str, warm: str, times: str) -> None:
    work = RUNNERS[name]()
    if warm:
        work(Path(warm))
    all_found = []
    for _time in range(int(times)):
        began = time.process_time()
        found = work(Path(file))
        all_found.append({"seconds": time.process_time() - began, "megabytes": peak(), **found})
    best = min(all_found, key=lambda found: found["seconds"])
    print(json.dumps({**best, "median": statistics.median(found["seconds"] for found in all_found)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
