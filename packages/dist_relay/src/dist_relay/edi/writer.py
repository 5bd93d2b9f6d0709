"""Writes interchanges from segments and loops, against the same grammars that the reader checks with.

What cannot be written without loss, or is not as its grammar wants it, is a :class:`WriteError` and nothing of that
message is written. Counts, control numbers of trailers and (when asked) control totals are computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from itertools import chain
from types import TracebackType
from typing import BinaryIO, Literal, Union

from .delimiters import Delimiters
from .errors import WriteError
from .finding import Finding
from .grammar.versions import order
from .overlay.defaults import fill
from .reader import Codec, codec
from .segment import Segment
from .validate import Compiled, Report, run
from .writing import edifact, x12
from .writing.encode import Encoder, avoiding, flat, usual
from .writing.headers import (
    A_SEGMENT_A_LINE,
    ONE_LINE,
    RECORDS_OF_80,
    Control,
    Document,
    GroupHeader,
    InterchangeHeader,
    Layout,
    Party,
)
from .writing.marks import DecimalMarks
from .writing.output import Output, encoding_of
from .writing.rewrite import rewrite
from .writing.totals import Totals

Standard = Literal["x12", "edifact"]
Content = Union[Document, "tuple[GroupHeader, Iterable[Document]]"]
"""A message, or a group with its messages."""


class Writer:
    """How one partner's interchanges are written.

    ``codec`` brings the partner's profile and grammars: what the profile only notes is written, what it calls an error
    is refused. ``delimiters`` are the usual ones of standard and version if not given; ``choose`` lets X12 take others
    for an interchange in whose values they occur. ``encoding`` is ASCII in X12 and what the syntax identifier says in
    EDIFACT. ``complete`` fills in control totals. ``unknown`` writes types without a grammar, unchecked.
    """

    def __init__(
        self,
        standard: Standard,
        *,
        codec: Codec | None = None,
        delimiters: Delimiters | None = None,
        layout: Layout = ONE_LINE,
        encoding: str = "",
        complete: bool = False,
        choose: bool = False,
        unknown: bool = False,
        una: bool = False,
    ) -> None:
        if standard not in ("x12", "edifact"):
            raise WriteError(f"the standard is x12 or edifact, not {standard!r}")
        self.standard = standard
        self.codec = codec or _shared()
        self.delimiters = delimiters
        self.layout = layout
        self.encoding = encoding
        self.complete = complete
        self.choose = choose
        self.unknown = unknown
        self.una = una
        """Write the UNA also where it says nothing new."""

    def interchange(self, header: InterchangeHeader, content: Iterable[Content]) -> bytes:
        """The whole interchange as bytes.

        :raises WriteError: names the segment and element that cannot be written.
        """
        contents: list[Content] = [
            self._held(each) if isinstance(each, Document) else (each[0], [self._held(one) for one in each[1]])
            for each in content
        ]
        stream = BytesIO()
        with self.open(header, stream, delimiters=self._delimiters(header, contents)) as out:
            for each in contents:
                if isinstance(each, Document):
                    out.message(each)
                    continue
                out.group(each[0])
                for document in each[1]:
                    out.message(document)
                out.end_group()
        return stream.getvalue()

    def open(
        self, header: InterchangeHeader, stream: BinaryIO, *, delimiters: Delimiters | None = None
    ) -> InterchangeWriter:
        """Begin an interchange that is written to ``stream`` message by message; close it, or use it with ``with``."""
        return InterchangeWriter(self, header, stream, delimiters or self._delimiters(header, ()))

    def version(self, header: InterchangeHeader) -> str:
        """ISA12, or syntax identifier and version: the header's own, or the usual one."""
        return header.version or (x12.DEFAULT_VERSION if self.standard == "x12" else edifact.DEFAULT_VERSION)

    def _held(self, document: Document) -> Document:
        """The document with a body that can be gone through twice."""
        return replace(document, body=flat(document.body)) if self.choose else document

    def _delimiters(self, header: InterchangeHeader, contents: Iterable[Content]) -> Delimiters:
        chosen = self.delimiters or usual(self.standard, self.version(header))
        version = self.version(header)
        if version < "00402" if self.standard == "x12" else version.partition(":")[2] < "4":
            chosen = replace(chosen, repetition="")
        if not self.choose or self.standard != "x12":
            return chosen
        documents = chain.from_iterable([each] if isinstance(each, Document) else each[1] for each in contents)
        segments = [segment for document in documents for segment in flat(document.body)]
        parties = [each.id for each in (header.sender, header.receiver)]
        return avoiding(chosen, [*segments, Segment("ISA", [*parties])])


class InterchangeWriter:
    """One interchange on its way out. A message that is refused leaves the stream as it was: the next may follow."""

    def __init__(self, writer: Writer, header: InterchangeHeader, stream: BinaryIO, delimiters: Delimiters) -> None:
        self._writer = writer
        self._header = header
        self._stream = stream
        self._delimiters = delimiters
        self._x12 = writer.standard == "x12"
        self._version = writer.version(header)
        self._encoder = Encoder(writer.standard, delimiters)
        encoding = writer.encoding or encoding_of(writer.standard, self._version)
        strict = not writer.encoding and writer.codec.profile.treat("element", "element.charset") != "note"
        repertoire = self._version.partition(":")[0] if strict and not self._x12 else ""
        self._output = Output(delimiters, writer.layout, encoding, repertoire=repertoire)
        self._totals: dict[int, Totals] = {}
        self._group: GroupHeader | None = None
        self._group_control = ""
        self._in_group = self._groups = self._messages = 0
        self._controls: set[str] = set()
        self._group_controls: set[str] = set()
        self._closed = False
        self._control = self._begin()

    def group(self, header: GroupHeader) -> None:
        """Begin a group; the one before it ends."""
        self._open()
        self.end_group()
        if not self._x12 and self._messages and not self._groups:
            raise WriteError("groups and messages outside of groups cannot be mixed", segment="UNG")
        if self._x12:
            raw, control = x12.group(header, self._header, self._delimiters)
        else:
            raw, control = edifact.group(header, self._header, self._version, self._encoder)
        if control in self._group_controls:
            raise WriteError(f"the group control number {control} was used before", segment=raw[:3].rstrip("*"))
        self._write([raw])
        self._group_controls.add(control)
        self._group, self._group_control, self._in_group = header, control, 0
        self._groups += 1
        if self._x12:
            self._controls = set()

    def end_group(self) -> None:
        """End the group, if there is one."""
        if self._group is None:
            return
        if self._x12:
            self._write([x12.trailer("GE", self._in_group, self._group_control, self._delimiters)])
        else:
            self._write([edifact.trailer("UNE", self._in_group, self._group_control, self._encoder)])
        self._group = None

    def acknowledgement(self, segment: Segment) -> None:
        """Write a TA1, which stands between ISA and the first group."""
        self._open()
        if not self._x12 or self._groups:
            raise WriteError("a TA1 stands in X12 before the first group", segment="TA1")
        self._write([self._encoder.raw(segment)])

    def message(self, document: Document) -> None:
        """Check a message and write it.

        :raises WriteError: it is not as its grammar wants it, or holds what cannot be written.
        """
        self._open()
        if not self._x12 and self._groups and self._group is None:
            raise WriteError("groups and messages outside of groups cannot be mixed", segment="UNH")
        if self._x12:
            version, association = x12.version_of(document, self._group)
            head, control = x12.message(document, version, self._delimiters, self._encoder)
        else:
            version, association = edifact.version_of(document)
            head, control = edifact.message(document, self._encoder)
        if control in self._controls:
            raise WriteError(f"the control number {control} was used before", segment=head[:3].rstrip("*"), position=1)
        raws = self._body(document, version, association, control)
        self._write([head, *raws])
        self._controls.add(control)
        self._messages += 1
        self._in_group += 1

    def close(self) -> None:
        """Write the trailers. The stream stays open.

        :raises WriteError: an interchange without anything in it.
        """
        if self._closed:
            return
        self.end_group()
        self._closed = True
        if self._x12:
            raw = x12.trailer("IEA", self._groups, self._control, self._delimiters)
        else:
            raw = edifact.trailer("UNZ", self._groups or self._messages, self._control, self._encoder)
        self._write([raw])
        self._stream.write(self._output.finish())

    def __enter__(self) -> InterchangeWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()

    def _begin(self) -> str:
        if self._x12:
            raw, control = x12.interchange(self._header, self._version, self._delimiters)
            self._write([raw])
            return control
        raw, control = edifact.interchange(self._header, self._version, self._encoder)
        una = edifact.service_string(self._delimiters, self._version, always=self._writer.una)
        data = self._output.encoded([raw])
        if una:
            data = (una + self._writer.layout.line_end).encode(self._output.encoding) + data
        self._stream.write(self._output.records(data))
        return control

    def _body(self, document: Document, version: str, association: str, control: str) -> list[str]:
        """The raw segments behind the header, trailer included, once they are found to be right."""
        compiled = self._compiled(document, version, association)
        encode = self._encoder.raw
        segments = flat(document.body)
        if not self._x12 and self._delimiters.decimal != ".":
            marks = DecimalMarks(compiled.grammar, self._delimiters.decimal)
            segments = [marks.marked(each) for each in segments]
        raws = [encode(segment, position) for position, segment in enumerate(segments, 2)]
        if compiled.grammar.defaults:
            paths = [node.loop.path() if node else "" for node in compiled.machine.nodes(raws)]
            segments = fill(segments, paths, compiled.grammar.defaults)
            raws = [encode(segment, position) for position, segment in enumerate(segments, 2)]
        if self._writer.complete and compiled.grammar.known:
            raws = self._totals_of(compiled).complete(segments, raws, "SE" if self._x12 else "UNT")
        count = len(raws) + 2
        if self._x12:
            trailer = x12.trailer("SE", count, control, self._delimiters)
        else:
            trailer = edifact.trailer("UNT", count, control, self._encoder)
        self._check(document, compiled, raws, trailer, control)
        raws.append(trailer)
        return raws

    def _compiled(self, document: Document, version: str, association: str) -> Compiled:
        writer = self._writer
        compiled = writer.codec.compiled(writer.standard, document.type, version, self._delimiters)
        grammar = compiled.grammar
        if not grammar.known and not writer.unknown:
            raise WriteError(f"there is no grammar for {document.type}: it cannot be checked, so it is not written")
        if not order(writer.standard, version) and grammar.known and not grammar.exact:
            raise WriteError(f"{document.type}: {version!r} is no version that is known")
        if self._x12 and self._group is not None and grammar.group and grammar.group != self._group.type:
            text = f"{document.type} belongs into a group of type {grammar.group}, not {self._group.type}"
            raise WriteError(text, segment="GS", element="GS01")
        return compiled

    def _totals_of(self, compiled: Compiled) -> Totals:
        key = id(compiled.grammar)
        if key not in self._totals:
            self._totals[key] = Totals(compiled.grammar, compiled.machine, self._delimiters, self._encoder)
        return self._totals[key]

    def _check(self, document: Document, compiled: Compiled, raws: list[str], trailer: str, control: str) -> None:
        """The way of the reader through the message; what it reports as fault is refused."""
        grammar = compiled.grammar
        report = Report(compiled.profile, grammar.exact, self._control, self._group_control, document.type, control)
        position, end = run(_stream(raws, trailer), compiled, report, 1, None)
        if end is not trailer:
            raise WriteError(
                f"{document.type} {control}, segment {position}: an envelope segment stands inside the message",
                segment=(end or "")[:3],
                position=position,
            )
        if report.findings:
            raise _refusal(report.findings, report.more)

    def _write(self, raws: list[str]) -> None:
        self._stream.write(self._output.records(self._output.encoded(raws)))

    def _open(self) -> None:
        if self._closed:
            raise WriteError("the interchange is closed")


def _stream(raws: list[str], trailer: str) -> Iterator[str]:
    return chain(raws, (trailer,))


def _refusal(findings: list[Finding], more: int) -> WriteError:
    first = findings[0]
    others = len(findings) - 1 + more
    text = first.message + (f" (and {others} more)" if others else "")
    return WriteError(text, segment=first.segment, position=first.position, element=first.element, findings=findings)


def _shared() -> Codec:
    return codec()


__all__ = [
    "A_SEGMENT_A_LINE",
    "ONE_LINE",
    "RECORDS_OF_80",
    "Control",
    "Document",
    "GroupHeader",
    "InterchangeHeader",
    "InterchangeWriter",
    "Layout",
    "Party",
    "Writer",
    "rewrite",
]
