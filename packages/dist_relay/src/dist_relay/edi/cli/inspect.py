"""``inspect``: documents as trees with labels and findings."""

from __future__ import annotations

import argparse
import json

from ..errors import EdiError
from ..interchange import Interchange
from ..reader import Codec
from ..render import Bounds, as_json, envelope, html, text, view
from ..render.lines import finding
from ..render.views import clean
from .console import Console
from .inputs import collect


def run(options: argparse.Namespace, codec: Codec, console: Console) -> int:
    """Show all documents of all files. Status 2 if a file cannot be read, 0 otherwise."""
    if options.html and options.json:
        raise EdiError("--html and --json exclude each other")
    files = collect(options.files, recursive=options.recursive)
    status = 0
    for number, each in enumerate(files):
        if len(files) > 1 and not options.json and not options.html:
            console.line(("\n" if number else "") + console.paint(f"== {clean(each.name, 300)}", "title"))
        try:
            if each.problem:
                raise EdiError(each.problem)
            with each.open(console) as stream:
                for interchange in codec.read(stream):
                    _interchange(interchange, each.name, options, console)
        except BrokenPipeError:
            raise
        except (EdiError, OSError) as error:
            console.error(f"{clean(each.name, 300)}: {getattr(error, 'strerror', None) or error}")
            status = 2
    return status


def _interchange(interchange: Interchange, name: str, options: argparse.Namespace, console: Console) -> None:
    head = envelope(interchange)
    if not options.json and not options.html:
        console.line(console.paint(_headline(head), "title"))
    for message in interchange.messages():
        seen = view(message, Bounds(segments=options.segments))
        if options.html:
            console.line(html(seen))
        elif options.json:
            document = {"file": name, "interchange": head, "document": as_json(seen)}
            console.line(json.dumps(document, ensure_ascii=False))
        else:
            for line in text(seen, console.paint):
                console.line("  " + line)
    found = [*interchange.notes, *interchange.findings]
    if options.json and found:
        about = {"file": name, "interchange": head, "findings": [each.as_json() for each in found]}
        console.line(json.dumps(about, ensure_ascii=False))
    elif not options.html:
        for each in found:
            console.line(finding(each, console.paint, ""))


def _headline(head: dict[str, str]) -> str:
    way = f"{head.get('sender', '?')} → {head.get('receiver', '?')}"
    parts = [
        head["standard"],
        "interchange",
        head.get("control", ""),
        way,
        head.get("date", ""),
        head.get("version", ""),
    ]
    return ", ".join(each for each in (" ".join(parts[:3]).strip(), *parts[3:], head.get("test", "")) if each)
