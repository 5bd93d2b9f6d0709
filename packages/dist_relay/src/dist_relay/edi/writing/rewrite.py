"""Writes again what was read: the same bytes but for line breaks and what the reader reported as wrong."""

from __future__ import annotations

from collections.abc import Iterator

from ..delimiters import Delimiters
from ..envelope.common import whole
from ..errors import WriteError
from ..interchange import Group, Interchange, Message
from ..segment import Segment, Value
from . import edifact
from .encode import Encoder
from .headers import ONE_LINE, Layout
from .output import Output


def rewrite(
    interchange: Interchange, *, layout: Layout = ONE_LINE, delimiters: Delimiters | None = None
) -> Iterator[bytes]:
    """The interchange in pieces, while its messages are read. Wrong counts and control numbers of trailers are put
    right, missing trailers added; headers stay as they came unless other ``delimiters`` are wanted.

    :raises WriteError: a value holds one of the new delimiters and the standard has no release character.
    :raises ValueError: the interchange was read without keeping its segments.
    """
    return _Rewrite(interchange, layout, delimiters).pieces()


class _Rewrite:
    def __init__(self, interchange: Interchange, layout: Layout, delimiters: Delimiters | None) -> None:
        self._interchange = interchange
        self._same = delimiters is None or delimiters == interchange.delimiters
        self._delimiters = interchange.delimiters if delimiters is None else delimiters
        self._x12 = interchange.standard == "x12"
        self._encoder = Encoder(interchange.standard, self._delimiters, exact=True)
        self._output = Output(self._delimiters, layout, "ascii", errors="surrogateescape")
        self._layout = layout
        self._groups_written = 0
        self._open: Group | None = None
        self._in_group = 0

    def pieces(self) -> Iterator[bytes]:
        """Header, groups and messages, trailers."""
        interchange = self._interchange
        messages = interchange.messages()
        first = next(messages, None)
        yield self._header()
        yield self._bytes([self._encoder.raw(each) for each in interchange.ta1])
        message = first
        while message is not None:
            yield self._bytes([*self._groups_up_to(message.group), *self._message(message)])
            self._in_group += 1
            message = next(messages, None)
        yield self._bytes([*self._groups_up_to(None), *self._trailer()])
        yield self._output.finish()

    def _bytes(self, raws: list[str]) -> bytes:
        output, interchange = self._output, self._interchange
        output.encoding = interchange.encoding
        terminator = self._delimiters.terminator
        if terminator.isascii() or not self._same:
            return output.records(output.encoded(raws))
        # A terminator beyond ASCII is written as the bytes that it came as, whatever the text is encoded in.
        end = (interchange.raw_terminator or terminator).encode("latin-1") + self._layout.line_end.encode()
        # Before the first text beyond ASCII, what is beyond it stands as one character a byte.
        encoding = "latin-1" if output.encoding == "ascii" else output.encoding
        try:
            return output.records(b"".join(raw.encode(encoding, "surrogateescape") + end for raw in raws))
        except UnicodeEncodeError as error:
            raise WriteError(f"{error.object[error.start]!r} cannot be written in {encoding}") from error

    def _header(self) -> bytes:
        """The header as it came, without the line breaks in it, or with the new delimiters."""
        interchange = self._interchange
        if not interchange.raw_header:
            return b""
        if not self._same:
            return self._changed_header()
        raw = interchange.raw_header
        for each in "\r\n":
            raw = raw if each in self._delimiters.all else raw.replace(each, "")
        if interchange.header.elements:  # if not, it is a UNA without UNB
            raw += (interchange.raw_terminator or self._delimiters.terminator) + self._layout.line_end
            if raw.startswith("UNA") and not self._x12:
                raw = raw[:9] + self._layout.line_end + raw[9:]
        return self._output.records(raw.encode("latin-1"))

    def _changed_header(self) -> bytes:
        interchange, header = self._interchange, self._interchange.header
        if self._x12:
            values = list(header.elements)
            values[15] = self._delimiters.component
            if interchange.version >= "00402" and self._delimiters.repetition:
                values[10] = self._delimiters.repetition
            return self._bytes([self._delimiters.element.join(["ISA", *(str(each) for each in values)])])
        una = edifact.service_string(self._delimiters, interchange.version)
        text = (una + self._layout.line_end) if una else ""
        raws = [self._encoder.raw(header)] if header.elements else []
        return self._output.records(text.encode()) + self._bytes(raws)

    def _groups_up_to(self, group: Group | None) -> list[str]:
        """Trailers and headers of groups between the message before and one of ``group``; empty groups on the way."""
        if self._open is group and group is not None:
            return []
        raws = self._end_group()
        groups = self._interchange.groups
        while self._groups_written < len(groups):
            following = groups[self._groups_written]
            self._groups_written += 1
            raws.append(self._encoder.raw(following.header))
            self._open, self._in_group = following, 0
            if following is group:
                break
            raws += self._end_group()
        return raws

    def _end_group(self) -> list[str]:
        group, self._open = self._open, None
        if group is None:
            return []
        tag = "GE" if self._x12 else "UNE"
        return [self._encoder.raw(_trailer(tag, group.trailer, self._in_group, group.control))]

    def _message(self, message: Message) -> list[str]:
        encode = self._encoder.raw
        raws = [encode(message.header)]
        raws += [encode(each) for each in message.segments()]
        tag = "SE" if self._x12 else "UNT"
        raws.append(encode(_trailer(tag, message.trailer, len(raws) + 1, message.control)))
        return raws

    def _trailer(self) -> list[str]:
        interchange = self._interchange
        if not interchange.header.elements and interchange.trailer is None:
            return []
        if self._x12:
            count, tag, control = len(interchange.groups), "IEA", str(interchange.header.get(13))
        else:
            count = len(interchange.groups) or interchange.message_count
            tag, control = "UNZ", interchange.control
        return [self._encoder.raw(_trailer(tag, interchange.trailer, count, control))]


def _trailer(tag: str, found: Segment | None, count: int, control: str) -> Segment:
    """The trailer that was read, with a wrong count or reference put right."""
    if found is None:
        return Segment(tag, [str(count), control])
    elements: list[Value] = [*found.elements, *["", ""][: max(0, 2 - len(found.elements))]]
    if whole(found.get(1)) != count:
        elements[0] = str(count)
    if found.get(2) != control:
        elements[1] = control
    return Segment(tag, elements)
