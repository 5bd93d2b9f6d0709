"""What the reader gives: an interchange, its groups, and its messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .charset import Charset
from .delimiters import Delimiters
from .finding import Finding
from .segment import Loop, Segment, split
from .validate import Compiled, Record, Report


@dataclass
class Group:
    """A functional group (GS…GE, UNG…UNE)."""

    header: Segment
    type: str
    control: str
    sender: str
    receiver: str
    version: str
    report: Report
    trailer: Segment | None = None
    messages: int = 0
    declared: str = ""
    """The number of messages that its trailer names."""

    @property
    def findings(self) -> list[Finding]:
        """What is wrong with its envelope (complete when the next group begins)."""
        return self.report.findings


@dataclass
class Message:
    """A transaction set or message, read whole and checked."""

    standard: str
    type: str
    version: str
    """As grammars name it: ``4010``, ``96A``."""
    control: str
    header: Segment
    delimiters: Delimiters
    report: Report
    group: Group | None = None
    grammar_version: str = ""
    """The version of the grammar that was used; differs from ``version`` where only a near one exists."""
    association: str = ""
    """What narrows the version: the rest of GS08 (``VICS``, ``X231A1``) or UNH's association code (``EAN008``)."""
    trailer: Segment | None = None
    segment_count: int = 0
    """Segments from header to trailer."""
    record: Record | None = None
    compiled: Compiled | None = field(default=None, repr=False, compare=False)
    """The automaton that it was checked with."""

    @property
    def findings(self) -> list[Finding]:
        """What is wrong, in the order in which it was found."""
        return self.report.findings

    @property
    def notes(self) -> list[Finding]:
        """What is worth knowing and no fault."""
        return self.report.notes

    @property
    def status(self) -> str:
        """``valid``, ``accepted_with_errors`` or ``rejected``."""
        return self.report.status

    def raw_segments(self) -> list[str]:
        """The body's segments (without header and trailer) as they came, without terminators.

        :raises ValueError: the reader was told not to keep them.
        """
        if self.record is None:
            raise ValueError("the message was read without keeping its segments")
        return [raw for raw, _ in self.record]

    def segments(self) -> Iterator[Segment]:
        """The body's segments; positions count from 1 for the header, so the first is 2."""
        for position, raw in enumerate(self.raw_segments(), 2):
            yield split(raw, self.delimiters, position=position)

    def tree(self) -> Loop:
        """The body as a tree of loops; segments that belong nowhere are in the loop where they stood.

        What the partner leaves out is filled in where his overlay has a default for it.
        """
        if self.record is None:
            raise ValueError("the message was read without keeping its segments")
        stack = [Loop("")]
        for position, (raw, move) in enumerate(self.record, 2):
            if move.close:
                del stack[-move.close :]
            for name in move.open:
                loop = Loop(name)
                stack[-1].items.append(loop)
                stack.append(loop)
            stack[-1].items.append(split(raw, self.delimiters, position=position))
        if self.compiled is not None and self.compiled.grammar.defaults:
            from .overlay.defaults import fill_tree

            return fill_tree(stack[0], self.compiled.grammar.defaults)
        return stack[0]


@dataclass
class Interchange:
    """ISA…IEA or UNB…UNZ. ``messages`` can be gone through once; findings of the envelope are complete after it."""

    standard: str
    header: Segment
    raw_header: str
    """The ISA or UNA and UNB as they came, without the last terminator; one character a byte."""
    delimiters: Delimiters
    report: Report
    charset: Charset
    sender: str = ""
    sender_qualifier: str = ""
    receiver: str = ""
    receiver_qualifier: str = ""
    control: str = ""
    version: str = ""
    """ISA12 (``00401``) or the syntax identifier and version (``UNOC:3``)."""
    date: str = ""
    time: str = ""
    test: bool = False
    acknowledgement: bool = False
    """Whether the sender asks for an interchange acknowledgement (ISA14, UNB 0031)."""
    una: bool = False
    raw_terminator: str = ""
    """The terminator, one character a byte, where that may differ from ``delimiters.terminator`` (X12)."""
    trailer: Segment | None = None
    groups: list[Group] = field(default_factory=list)
    ta1: list[Segment] = field(default_factory=list)
    """TA1 segments, which stand between ISA and the first group."""
    message_count: int = 0
    run: Callable[[Interchange], Iterator[Message]] | None = None
    stream: Iterator[Message] | None = None
    passed: bool = False

    def messages(self) -> Iterator[Message]:
        """The messages, each read whole before it is given.

        :raises ValueError: the next interchange was asked for before; this one's messages are gone.
        """
        if self.passed:
            raise ValueError("go through the messages of an interchange before asking for the next one")
        if self.stream is None:
            self.stream = self.run(self) if self.run else iter(())
        return self.stream

    def drain(self) -> Interchange:
        """Read what is left, so that the envelope's findings are complete."""
        for _ in self.messages() if not self.passed else ():
            pass
        self.passed = True
        return self

    @property
    def encoding(self) -> str:
        """The encoding that its text was in."""
        return self.charset.encoding or "ascii"

    @property
    def findings(self) -> list[Finding]:
        """What is wrong with the envelope, groups included."""
        return [*self.report.findings, *(each for group in self.groups for each in group.findings)]

    @property
    def notes(self) -> list[Finding]:
        """What is worth knowing about the envelope and no fault."""
        return [*self.report.notes, *(each for group in self.groups for each in group.report.notes)]

    @property
    def status(self) -> str:
        """Of the envelope alone."""
        found = {self.report.worst, *(group.report.worst for group in self.groups)}
        return "rejected" if "reject" in found else "accepted_with_errors" if "error" in found else "valid"
