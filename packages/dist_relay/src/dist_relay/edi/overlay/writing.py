"""A partner's overlay as the writer takes it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ..errors import WriteError
from ..profile import Profile
from ..reader import Codec
from ..reader import codec as shared
from ..writer import InterchangeHeader, Layout, Party, Writer
from ..writing.headers import Control
from .model import Address, Wire

Standard = Literal["x12", "edifact"]


def writer(
    profile: Profile, standard: Standard, *, complete: bool = True, choose: bool = False, codec: Codec | None = None
) -> Writer:
    """A writer with the partner's grammar, delimiters, character set and line breaks."""
    wire = profile.wire(standard) or Wire()
    return Writer(
        standard,
        codec=codec or shared(profile),
        delimiters=wire.delimiters,
        layout=Layout(line_end=wire.line_end, record=wire.record),
        encoding=wire.charset,
        complete=complete,
        choose=choose and wire.delimiters is None,
        una=wire.una,
    )


def header(
    profile: Profile,
    standard: Standard,
    control: Control,
    at: datetime,
    *,
    sender: Party | None = None,
    receiver: Party | None = None,
    version: str = "",
) -> InterchangeHeader:
    """The header of an interchange to the partner.

    ``version`` (ISA12, or syntax identifier and version) stands in for what the overlay does not say.

    :raises WriteError: neither the overlay nor the caller says who sends or receives.
    """
    wire = profile.wire(standard) or Wire()
    sender, receiver = sender or _party(wire.sender), receiver or _party(wire.receiver)
    if sender is None or receiver is None:
        missing = "sender" if sender is None else "receiver"
        raise WriteError(f"who is the {missing} of the interchange is said neither here nor by the overlay")
    return InterchangeHeader(
        sender, receiver, control, at, wire.interchange_version or version, test=wire.test, acknowledge=wire.acknowledge
    )


def _party(address: Address | None) -> Party | None:
    return Party(address.id, address.qualifier) if address else None
