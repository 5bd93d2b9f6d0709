"""The acknowledgement of an interchange, as bytes to be sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from types import MappingProxyType
from typing import Literal

from ..charset import BY_SYNTAX
from ..delimiters import Delimiters
from ..errors import WriteError
from ..grammar import versions
from ..profile import Profile
from ..reader import Codec
from ..writer import Document, GroupHeader, InterchangeHeader, Layout, Party, Writer
from ..writing.headers import ONE_LINE, Control
from . import build_contrl, build_x12
from .assessment import Assessment, GroupSeen

Form = Literal["997", "999", "CONTRL", "TA1", "receipt"]
When = Literal["asked", "always", "errors", "never"]

_ECHO = Profile(
    name="acknowledgements",
    treatment=MappingProxyType({"element.short": "note", "element.long": "note", "element.type": "note"}),
)
"""Control numbers are echoed as they came, also where they are too short or too long."""


@dataclass(frozen=True)
class Numbers:
    """Control numbers of the acknowledgement, allocated by the caller. Groups and messages count on from theirs."""

    interchange: Control
    group: int = 1
    message: int = 1


@dataclass(frozen=True)
class Answer:
    """The bytes, and how many of the control numbers were used."""

    data: bytes
    groups: int = 0
    messages: int = 0


def acknowledge(
    seen: Assessment,
    numbers: Numbers,
    at: datetime,
    *,
    form: Form | None = None,
    ta1: When = "asked",
    explicit: bool = True,
    layout: Layout = ONE_LINE,
    codec: Codec | None = None,
) -> Answer | None:
    """Answer an interchange; None where there is nothing to answer: acknowledgements are never acknowledged.

    ``form``: 997 (the usual one of X12), 999, TA1 alone; CONTRL, or ``receipt``, a CONTRL that only says that the
    interchange has arrived. ``ta1``: also write a TA1, when ISA14 asks for it, always, only for faults, or never; an
    interchange that is refused as a whole has a TA1 alone, unless never. ``explicit`` false leaves accepted messages
    out. Sender and receiver change places; delimiters, versions and test flag are those of the interchange.

    :raises WriteError: the interchange has no header to answer to.
    """
    if not seen.header.elements:
        raise WriteError("an interchange without a header cannot be acknowledged: nobody is known to have sent it")
    if not seen.to_answer and (seen.groups or seen.answers or not seen.findings):
        return None
    codec = codec or Codec(_ECHO)
    if seen.standard == "edifact":
        if form not in (None, "CONTRL", "receipt"):
            raise WriteError(f"EDIFACT is acknowledged with CONTRL, not {form}")
        return _edifact(seen, numbers, at, form == "receipt", explicit, layout, codec)
    if form in ("CONTRL", "receipt"):
        raise WriteError(f"X12 is acknowledged with 997, 999 or TA1, not {form}")
    return _x12(seen, numbers, at, form or "997", ta1, explicit, layout, codec)


def _x12(
    seen: Assessment,
    numbers: Numbers,
    at: datetime,
    form: str,
    when: When,
    explicit: bool,
    layout: Layout,
    codec: Codec,
) -> Answer | None:
    header = seen.header
    back = InterchangeHeader(
        Party(header.get(8).strip(), header.get(7).strip()),
        Party(header.get(6).strip(), header.get(5).strip()),
        numbers.interchange,
        at,
        seen.version if len(seen.version) == 5 and seen.version.isdigit() else "00401",
        test=seen.test,
    )
    faulty = seen.own != "accepted"
    with_ta1 = (
        form == "TA1"
        or {
            "asked": seen.asked or faulty,
            "always": True,
            "errors": faulty,
            "never": False,
        }[when]
    )
    groups = [] if form == "TA1" or (with_ta1 and seen.own == "rejected") else _named(seen.to_answer)
    if not groups and not with_ta1:
        return None
    stream = BytesIO()
    writer = Writer("x12", codec=codec, delimiters=_usable(seen.delimiters), layout=layout, choose=True)
    used = _Used()
    with writer.open(back, stream) as out:
        if with_ta1:
            out.acknowledgement(build_x12.ta1(seen))
        kind: build_x12.Functional = "999" if form == "999" else "997"
        address: tuple[str, ...] = ()
        for group in groups:
            version = build_x12.VERSION_999 if kind == "999" else _version(group.version)
            if (group.sender, group.receiver, version) != address:
                address = (group.sender, group.receiver, version)
                out.group(
                    GroupHeader("FA", numbers.group + used.groups, version, Party(group.receiver), Party(group.sender))
                )
                used.groups += 1
            body = build_x12.functional(kind, seen, group, explicit=explicit)
            convention = version if kind == "999" else ""
            out.message(Document(kind, numbers.message + used.messages, body, convention=convention))
            used.messages += 1
    return Answer(stream.getvalue(), used.groups, used.messages)


def _edifact(
    seen: Assessment,
    numbers: Numbers,
    at: datetime,
    receipt: bool,
    explicit: bool,
    layout: Layout,
    codec: Codec,
) -> Answer:
    header = seen.header
    identifier, _, number = seen.version.partition(":")
    syntax = seen.version if identifier in BY_SYNTAX and number in ("1", "2", "3", "4") else "UNOC:3"
    back = InterchangeHeader(
        Party(header.get(3), header.get(3, 2)),
        Party(header.get(2), header.get(2, 2)),
        numbers.interchange,
        at,
        syntax,
        test=seen.test,
    )
    body = build_contrl.receipt(seen) if receipt else build_contrl.contrl(seen, explicit=explicit)
    version = "4:1:UN" if syntax.endswith(":4") else "D:3:UN"
    writer = Writer(
        "edifact", codec=codec, delimiters=_usable(seen.delimiters), layout=layout, encoding=_encoding(seen)
    )
    return Answer(writer.interchange(back, [Document("CONTRL", numbers.message, body, version)]), 0, 1)


@dataclass
class _Used:
    groups: int = 0
    messages: int = 0


def _usable(delimiters: Delimiters) -> Delimiters | None:
    """The interchange's own delimiters, if they can be used; the usual ones if not."""
    return None if delimiters.problem() or not delimiters.all.isascii() else replace(delimiters, decimal=".")


def _encoding(seen: Assessment) -> str:
    """What the interchange really was in: names in its header are echoed."""
    return "" if seen.encoding == "ascii" else seen.encoding


def _named(groups: list[GroupSeen]) -> list[GroupSeen]:
    """Groups that can be named: AK1 needs their type and control number."""
    return [each for each in groups if each.type.strip() and each.control.strip()]


def _version(text: str) -> str:
    """GS08 of a 997: the version of the group that it answers, without the guide's name."""
    found = versions.x12(text)
    return f"{found:0>6}" if found else "004010"


__all__ = ["Answer", "Form", "Numbers", "When", "acknowledge"]
