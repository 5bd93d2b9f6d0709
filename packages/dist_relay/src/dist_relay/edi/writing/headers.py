"""What the caller says about an interchange, its groups and its messages; the writer computes the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Union

from ..segment import Loop, Segment

Control = str | int
"""A control number. A whole number gets the zeros that the standard wants; text is written as it is."""

Body = Union[Loop, "Iterable[Segment | Loop]"]
"""What stands between the header and the trailer of a message."""


@dataclass(frozen=True)
class Party:
    """Who sends or receives: identification, its qualifier, and (EDIFACT) an internal address behind it."""

    id: str
    qualifier: str = ""
    internal: str = ""


@dataclass(frozen=True)
class InterchangeHeader:
    """ISA or UNB. ``version`` is ISA12 (``00401``) or syntax identifier and version (``UNOC:3``)."""

    sender: Party
    receiver: Party
    control: Control
    at: datetime
    version: str = ""
    test: bool = False
    acknowledge: bool = False
    """Ask for an interchange acknowledgement (ISA14, UNB 0031)."""
    authorization: tuple[str, str] = ("00", "")
    """ISA01 and ISA02."""
    security: tuple[str, str] = ("00", "")
    """ISA03 and ISA04."""
    password: tuple[str, str] = ("", "")
    """UNB S005: reference or password, and its qualifier."""
    application: str = ""
    """UNB 0026, often the type of the messages."""
    priority: str = ""
    agreement: str = ""


@dataclass(frozen=True)
class GroupHeader:
    """GS or UNG. Sender, receiver and moment are those of the interchange if they are not given."""

    type: str
    """GS01 (``PO``), or in EDIFACT the type of the messages."""
    control: Control
    version: str
    """GS08 (``004010VICS``), or ``D:96A`` or ``D:96A:EAN008`` in EDIFACT."""
    sender: Party | None = None
    receiver: Party | None = None
    at: datetime | None = None
    agency: str = ""
    """GS07 (``X`` if empty) or UNG 0051 (``UN`` if empty)."""


@dataclass(frozen=True)
class Document:
    """A message to be written. ``version`` of EDIFACT: ``D:96A:UN`` or ``D:96A:UN:EAN008``; X12 has it in the group."""

    type: str
    control: Control
    body: Body
    version: str = ""
    convention: str = ""
    """ST03 (X12 from 4020 on): the implementation guide."""
    reference: str = ""
    """UNH 0068: the common access reference."""


@dataclass(frozen=True)
class Layout:
    """Line breaks, which mean nothing: after each segment, or after each so many bytes."""

    line_end: str = ""
    """Written after each terminator: nothing, LF or CR LF."""
    record: int = 0
    """Cut the whole into records of so many bytes (80, as mainframes want), whatever stands there; 0: do not."""
    record_end: str = "\r\n"


ONE_LINE = Layout()
A_SEGMENT_A_LINE = Layout(line_end="\n")
RECORDS_OF_80 = Layout(record=80)
