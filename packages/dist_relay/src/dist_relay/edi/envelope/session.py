"""The way through one interchange, which both standards share: groups, messages, trailers, control numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..errors import LimitError
from ..explain import Flaw
from ..grammar.model import Grammar
from ..interchange import Group, Interchange, Message
from ..segment import Segment, split
from ..tokens import Buffer, Cutter
from ..validate import Report, run
from .common import MAX_CONTROLS, Noter, Segments, check_count, check_reference, wrong

if TYPE_CHECKING:
    from ..reader import Codec


class Tags(NamedTuple):
    """The envelope segments of a standard."""

    openers: tuple[str, ...]
    header: str
    closer: str
    group: str
    group_end: str
    message: str
    message_end: str
    message_name: str
    binary: tuple[str, ...] = ()


class Session(ABC):
    """Gives the messages of one interchange and checks the envelope on the way."""

    tags: Tags

    def __init__(
        self, codec: Codec, buffer: Buffer, interchange: Interchange, *, terminator: str, keep: bool, bare: bool
    ) -> None:
        """``terminator`` is given as it stands in the buffer; ``bare``: there is no interchange header."""
        self._codec = codec
        self._interchange = interchange
        self._delimiters = interchange.delimiters
        self._keep = keep
        self._bare = bare
        self._report = interchange.report
        self._group: Group | None = None
        self._controls: set[str] = set()
        self._groups: set[str] = set()
        self._buffer = buffer
        self._limits = buffer.limits
        self._room = buffer.limits.findings
        """Findings that may still be kept of the groups, which stay until the interchange ends."""
        self._segments = Segments(
            Cutter(
                buffer,
                element=self._delimiters.element,
                terminator=terminator,
                release=self._delimiters.release,
                openers=self.tags.openers,
                closer=self.tags.closer,
                binary=self.tags.binary,
                charset=interchange.charset,
                note=Noter(self._report),
            )
        )

    @abstractmethod
    def name(self, message: Message) -> None:
        """Set type, version, association and control number of a message from its header."""

    @abstractmethod
    def check_message(self, message: Message, grammar: Grammar) -> None:
        """What else must hold for a message's header."""

    @abstractmethod
    def group(self, header: Segment, report: Report) -> Group:
        """A group of its header, which is checked."""

    def messages(self, interchange: Interchange) -> Iterator[Message]:
        """The messages, each read whole."""
        tags, element = self.tags, self._delimiters.element
        while (raw := self._segments.next()) is not None:
            tag = raw.partition(element)[0]
            if len(raw) > self._limits.envelope:
                self._check_length(tag, raw)
            if tag == tags.message:
                message = self._message(raw)
                interchange.message_count += 1
                if self._group is not None:
                    self._group.messages += 1
                yield message
            elif tag == tags.group:
                self._end_group(None)
                self._begin_group(raw)
            elif tag == tags.group_end:
                self._end_group(raw)
            elif tag == tags.closer:
                self._end_group(None)
                self._end(raw)
                return
            elif not self.take(tag, raw):
                text = f"the segment {tag[:10]} stands outside of a {tags.message_name}"
                wrong(self._report, "envelope.stray", text, tag[:10], 0, raw[:60])
        self._end_group(None)
        if not self._bare:
            text = f"the interchange trailer {tags.closer} is missing"
            wrong(self._report, "envelope.missing", text, tags.closer, 0)

    def take(self, tag: str, raw: str) -> bool:
        """Whether a segment between the messages is known; X12 has TA1."""
        return False

    def _check_length(self, tag: str, raw: str) -> None:
        """Segments of the envelope are kept for long, so they must not be long themselves."""
        tags = self.tags
        if tag in (tags.message, tags.message_end, tags.group, tags.group_end, tags.closer, "TA1"):
            raise LimitError(f"the segment {tag} has {len(raw)} characters; at most {self._limits.envelope} are taken")

    def _count_message(self, message: Message) -> None:
        buffer, limits = self._buffer, self._limits
        buffer.messages += 1
        if buffer.messages > limits.messages:
            raise LimitError(f"more than {limits.messages} messages")
        kind = (message.type, message.version, self._delimiters)
        if kind not in buffer.kinds:
            buffer.kinds.add(kind)
            if len(buffer.kinds) > limits.kinds:
                raise LimitError(f"more than {limits.kinds} types, versions and delimiters of messages in one input")

    def _message(self, raw: str) -> Message:
        header = split(raw, self._delimiters, position=1)
        group = self._group
        report = Report(self._codec.profile, interchange=self._interchange.control)
        report.group = group.control if group else ""
        message = Message(self._interchange.standard, "", "", "", header, self._delimiters, report, group)
        self.name(message)
        self._count_message(message)
        compiled = self._codec.compiled(message.standard, message.type, message.version, self._delimiters)
        grammar = compiled.grammar
        report.exact, report.document, report.control = grammar.exact, message.type, message.control
        message.grammar_version = grammar.version if grammar.known else ""
        _say_grammar(message, grammar)
        if self._keep:
            message.record = []
        message.compiled = compiled
        position, end = run(self._segments.stream, compiled, report, 1, message.record)
        message.segment_count = position
        self._end_message(message, end, position)
        self._check_control(message)
        self.check_message(message, grammar)
        return message

    def _check_control(self, message: Message) -> None:
        tag, control = self.tags.message, message.control
        index = 2 if tag == "ST" else 1
        if not control:
            text = f"the {self.tags.message_name} has no control number"
            wrong(message.report, "envelope.element", text, tag, index, expected="a value", position=1)
        elif control in self._controls:
            text = f"the control number {control} was used before"
            wrong(message.report, "envelope.duplicate", text, tag, index, control, position=1)
        if len(self._controls) < MAX_CONTROLS:
            self._controls.add(control)

    def _end_message(self, message: Message, end: str | None, position: int) -> None:
        report, tag = message.report, self.tags.message_end
        if end is None or end.partition(self._delimiters.element)[0] != tag:
            if end is not None:
                self._segments.back(end)
                message.segment_count = position - 1
            wrong(report, "envelope.missing", f"the trailer {tag} is missing", tag, 0, position=position)
            return
        if len(end) > self._limits.envelope:
            self._check_length(tag, end)
        trailer = message.trailer = split(end, self._delimiters, position=position)
        check_count(report, trailer, position, "segments", position)
        check_reference(report, trailer, message.control, self.tags.message, position)

    def _begin_group(self, raw: str) -> None:
        if len(self._interchange.groups) >= self._limits.groups:
            raise LimitError(f"more than {self._limits.groups} groups in one interchange")
        header = split(raw, self._delimiters)
        report = Report(self._codec.profile, interchange=self._interchange.control, room=self._room)
        group = self._group = self.group(header, report)
        group.report.group = group.control
        self._interchange.groups.append(group)
        if group.control and group.control in self._groups:
            text = f"the group control number {group.control} was used before"
            index = 6 if header.tag == "GS" else 5
            wrong(group.report, "envelope.duplicate", text, header.tag, index, group.control)
        if len(self._groups) < MAX_CONTROLS:
            self._groups.add(group.control)

    def _end_group(self, raw: str | None) -> None:
        group, self._group = self._group, None
        if group is not None:
            self._close_group(group, raw)
            self._room = max(0, self._room - len(group.report.findings) - len(group.report.notes))
        elif raw is not None:
            text = f"a group trailer {self.tags.group_end} without its header {self.tags.group}"
            wrong(self._report, "envelope.missing", text, self.tags.group, 0)

    def _close_group(self, group: Group, raw: str | None) -> None:
        tags = self.tags
        if raw is None:
            text = f"the group trailer {tags.group_end} is missing"
            wrong(group.report, "envelope.missing", text, tags.group_end, 0)
            return
        trailer = group.trailer = split(raw, self._delimiters)
        group.declared = trailer.get(1)
        check_count(group.report, trailer, group.messages, f"{tags.message_name}s")
        check_reference(group.report, trailer, group.control, tags.group)

    def _end(self, raw: str) -> None:
        interchange, tags = self._interchange, self.tags
        trailer = interchange.trailer = split(raw, self._delimiters)
        if interchange.groups or interchange.standard == "x12":
            check_count(self._report, trailer, len(interchange.groups), "groups")
        else:
            check_count(self._report, trailer, interchange.message_count, f"{tags.message_name}s")
        control = interchange.header.get(13) if interchange.standard == "x12" else interchange.control
        check_reference(self._report, trailer, control, tags.header)


def _say_grammar(message: Message, grammar: Grammar) -> None:
    if not grammar.known:
        text = f"there is no grammar for {message.type[:20] or 'this type'}: only the envelope is checked"
        message.report.add(Flaw("grammar", "grammar.unknown", text))
    elif not grammar.exact:
        text = f"there is no grammar of version {message.version[:10] or 'unknown'}: read by that of {grammar.version}"
        message.report.add(Flaw("grammar", "grammar.nearest", text))
