"""``convert``: documents to canonical JSON, and canonical JSON or documents to X12 and EDIFACT."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from pydantic import ValidationError

from dist_contracts import explain
from dist_contracts.documents import DOCUMENTS
from dist_contracts.trade import TradeDocument

from ..errors import EdiError, MappingError, UnreadableError
from ..interchange import Interchange, Message
from ..mapping import to_canonical
from ..reader import Codec
from ..render.views import clean
from .compose import Ready, compose
from .console import Console
from .inputs import Input, collect
from .sink import Sink

MAX_JSON = 64 << 20
"""Bytes of one file of canonical JSON."""

_NAMES = {kind.__name__: name for name, kind in DOCUMENTS.items()}


@dataclass
class _Tally:
    status: int = 0

    def worse(self, status: int) -> None:
        self.status = max(self.status, status)


def run(options: argparse.Namespace, codec: Codec, console: Console) -> int:
    """Convert all documents of all files. Status 1 if one is refused by its checks, 2 if one is not converted."""
    tally = _Tally()
    documents = _documents(options, codec, console, tally)
    if options.to == "json":
        with Sink(options.output, console) as sink:
            for each in documents:
                text = json.dumps(_as_json(each), ensure_ascii=False, indent=None if options.json else 2)
                sink.line(text)
        return tally.status
    ready = list(documents)
    if tally.status == 2 or not ready:
        console.error("nothing is written, because not all documents could be converted" if ready else "no document")
        return 2
    data, notes = compose(ready, options, codec, options.at or datetime.now())
    for note in notes:
        console.error(f"left out: {clean(str(note), 300)}")
    with Sink(options.output, console) as sink:
        sink.bytes(data)
        sink.line("", only_terminal=True)
    return max(tally.status, int(bool(notes)))


def _documents(options: argparse.Namespace, codec: Codec, console: Console, tally: _Tally) -> Iterator[Ready]:
    for each in collect(options.files, recursive=options.recursive):
        name = clean(each.name, 300)
        try:
            if each.problem:
                raise EdiError(each.problem)
            with each.open(console) as stream:
                if _is_json(stream):
                    yield from _from_json(stream)
                    continue
                yield from _from_edi(each, stream, codec, console, tally)
        except BrokenPipeError:
            raise
        except (EdiError, OSError) as error:
            console.error(f"{name}: {getattr(error, 'strerror', None) or error}")
            tally.worse(2)


def _is_json(stream: BinaryIO) -> bool:
    if hasattr(stream, "peek"):
        begin = stream.peek(64)[:64]
    else:
        begin = stream.read(64)
        stream.seek(-len(begin), 1)
    return begin.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def _from_edi(each: Input, stream: BinaryIO, codec: Codec, console: Console, tally: _Tally) -> Iterator[Ready]:
    overlay = codec.profile.overlay
    settings = overlay.mapping if overlay else None
    for interchange in codec.read(stream):
        for message in interchange.messages():
            place = f"{clean(each.name, 300)}: {message.type} {message.control}"
            if message.status == "rejected":
                console.error(f"{place} is refused: {clean(message.findings[0].message, 300)}")
                tally.worse(1)
            try:
                result = to_canonical(message, settings)
            except MappingError as error:
                console.error(f"{place}: {clean(str(error), 500)}")
                tally.worse(2)
                continue
            yield Ready(result.object, result.notes, _source(each.name, interchange, message))


def _source(file: str, interchange: Interchange, message: Message) -> dict[str, Any]:
    return {
        "file": file,
        "standard": message.standard,
        "type": message.type,
        "version": message.version,
        "control": message.control,
        "status": message.status,
        "interchange": interchange.control,
        "sender": {"id": interchange.sender, "qualifier": interchange.sender_qualifier},
        "receiver": {"id": interchange.receiver, "qualifier": interchange.receiver_qualifier},
    }


def _as_json(each: Ready) -> dict[str, Any]:
    return {
        "type": _NAMES[type(each.object).__name__],
        "source": each.source,
        "document": each.object.to_json(),
        "notes": [{key: value for key, value in vars(note).items() if value not in ("", 0)} for note in each.notes],
    }


def _from_json(stream: BinaryIO) -> Iterator[Ready]:
    """One object, a list of them, or one after the other, as ``convert`` prints them."""
    raw = stream.read(MAX_JSON + 1)
    if len(raw) > MAX_JSON:
        raise UnreadableError(f"more than {MAX_JSON} bytes of JSON")
    try:
        values = list(_values(raw.decode("utf-8-sig")))
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"this is no JSON: {str(error)[:200]}") from None
    for each in values:
        yield _object(each)


def _values(text: str) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        value, at = decoder.raw_decode(text, at)
        yield from value if isinstance(value, list) else (value,)


def _object(data: Any) -> Ready:
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("document"), dict)
        or str(data.get("type")) not in DOCUMENTS
    ):
        known = ", ".join(DOCUMENTS)
        raise UnreadableError(f'a document is {{"type": …, "document": {{…}}}}; the type is one of {known}')
    try:
        found = DOCUMENTS[data["type"]].from_json(data["document"])
    except ValidationError as error:
        raise UnreadableError(f"{data['type']}: {explain(error)}") from None
    assert isinstance(found, TradeDocument)
    source = data.get("source")
    return Ready(found, (), source if isinstance(source, dict) else {})
