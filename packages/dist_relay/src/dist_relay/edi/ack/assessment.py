"""Goes once through an interchange and keeps what an acknowledgement needs: no segments, only findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..delimiters import Delimiters
from ..finding import Finding
from ..interchange import Group, Interchange, Message
from ..segment import Segment, Value
from .verdict import Outcome

NEVER = {"x12": frozenset({"997", "999"}), "edifact": frozenset({"CONTRL"})}
"""Acknowledgements, which are never acknowledged themselves."""

MAX_FINDINGS = 100_000
"""Findings of messages kept per interchange; beyond, the outcome alone is reported."""


@dataclass(frozen=True)
class MessageSeen:
    """A message as acknowledgements name it."""

    type: str
    control: str
    identifier: Value
    """UNH S009."""
    convention: str
    """ST03."""
    own: Outcome
    """What its own findings make of it."""
    findings: tuple[Finding, ...]


@dataclass
class GroupSeen:
    """A functional group, or (EDIFACT) the messages that are in none: then ``header`` is None."""

    header: Segment | None
    type: str = ""
    control: str = ""
    sender: str = ""
    receiver: str = ""
    version: str = ""
    declared: str = ""
    """The number of messages that its trailer names."""
    own: Outcome = "accepted"
    findings: tuple[Finding, ...] = ()
    messages: list[MessageSeen] = field(default_factory=list)


@dataclass
class Assessment:
    """An interchange, judged."""

    standard: str
    header: Segment
    delimiters: Delimiters
    version: str
    encoding: str
    control: str
    asked: bool
    """Whether the sender wants an interchange acknowledgement."""
    test: bool
    own: Outcome
    findings: tuple[Finding, ...]
    """Of the interchange's own header and trailer."""
    groups: list[GroupSeen]
    answers: bool = False
    """Whether it only answers another interchange: there is a TA1 in it and no group."""

    @property
    def to_answer(self) -> list[GroupSeen]:
        """Groups with at least one message that is no acknowledgement itself, or that are broken."""
        never = NEVER[self.standard]
        return [
            group
            for group in self.groups
            if any(each.type not in never for each in group.messages)
            or (not group.messages and group.findings and group.type != "FA")
        ]

    def refuse(self, rule: str, text: str, segment: str = "", element: str = "", index: int = 0) -> None:
        """Refuse the whole interchange for what its text does not show: ``envelope.duplicate`` for one that came
        before, for example. ``element`` (``ISA13``) and ``index`` say the place."""
        finding = Finding("envelope", rule, text, "reject", self.control, segment=segment, element=element, index=index)
        self.findings = (finding, *self.findings)
        self.own = "rejected"

    def outcome_of(self, message: MessageSeen, group: GroupSeen) -> Outcome:
        """What becomes of a message: nothing that is in something refused is accepted."""
        return "rejected" if "rejected" in (self.own, group.own, message.own) else message.own

    def outcome_of_group(self, group: GroupSeen) -> Outcome:
        """Refused, in part, with errors, or accepted."""
        if "rejected" in (self.own, group.own):
            return "rejected"
        return summed([*(each.own for each in self.answered(group)), group.own])

    def outcome(self) -> Outcome:
        """Of the whole interchange."""
        if self.own == "rejected":
            return "rejected"
        return summed([*(self.outcome_of_group(each) for each in self.to_answer), self.own])

    def answered(self, group: GroupSeen) -> list[MessageSeen]:
        """Its messages without acknowledgements."""
        return [each for each in group.messages if each.type not in NEVER[self.standard]]


def summed(outcomes: Iterable[Outcome]) -> Outcome:
    """What parts make of a whole, the whole's own outcome (never a refusal) last."""
    found = list(outcomes)
    parts = found[:-1]
    if parts and all(each == "rejected" for each in parts):
        return "rejected"
    if any(each in ("rejected", "partially_accepted") for each in parts):
        return "partially_accepted"
    return "accepted_with_errors" if "accepted_with_errors" in found else "accepted"


def assess(interchange: Interchange) -> Assessment:
    """Read the interchange's messages (it can be done once) and keep what is wrong with them.

    What the profile only notes is in no list here, so it is not reported to the sender.
    """
    groups: list[GroupSeen] = []
    room = MAX_FINDINGS
    current: Group | None = None
    known: dict[int, GroupSeen] = {}
    for message in interchange.messages():
        if not groups or message.group is not current or not known:
            current = message.group
            groups.append(GroupSeen(current.header if current else None))
            known[id(current)] = groups[-1]
        groups[-1].messages.append(_seen(message, room))
        room = max(0, room - len(message.findings))
    for group in interchange.groups:
        if id(group) not in known:
            groups.append(GroupSeen(group.header))
            known[id(group)] = groups[-1]
        _close(known[id(group)], group)
    findings = list(interchange.report.findings)
    own = _outcome(interchange.report.worst)
    if interchange.standard == "x12":
        # Messages in no group have no acknowledgement of their own: the interchange is at fault.
        loose = [each for each in groups if each.header is None]
        findings += [finding for group in loose for each in group.messages for finding in each.findings[:1]]
        groups = [each for each in groups if each.header is not None]
        if loose:
            own = "rejected" if not groups else "accepted_with_errors" if own == "accepted" else own
    return Assessment(
        interchange.standard,
        interchange.header,
        interchange.delimiters,
        interchange.version,
        interchange.encoding,
        interchange.control,
        interchange.acknowledgement,
        interchange.test,
        own,
        tuple(findings),
        groups,
        bool(interchange.ta1) and not interchange.groups and not groups,
    )


def _seen(message: Message, room: int) -> MessageSeen:
    elements = message.header.elements
    x12 = message.standard == "x12"
    return MessageSeen(
        message.type,
        message.control,
        elements[1] if len(elements) > 1 and not x12 else "",
        message.header.get(3) if x12 else "",
        _outcome(message.report.worst),
        tuple(message.findings[:room]),
    )


def _close(seen: GroupSeen, group: Group) -> None:
    """What is known of a group once it has ended."""
    seen.type, seen.control, seen.version = group.type, group.control, group.version
    seen.sender, seen.receiver, seen.declared = group.sender, group.receiver, group.declared
    seen.own, seen.findings = _outcome(group.report.worst), tuple(group.findings)


def _outcome(worst: str) -> Outcome:
    if worst == "reject":
        return "rejected"
    return "accepted_with_errors" if worst == "error" else "accepted"
