"""Acknowledgements that came in, as verdicts on what was sent."""

from __future__ import annotations

from collections.abc import Iterable

from ..interchange import Interchange, Message
from . import read_advice, read_contrl, read_x12
from .verdict import Verdict

READERS = {
    "997": read_x12.functional,
    "999": read_x12.functional,
    "824": read_advice.advice_824,
    "CONTRL": read_contrl.contrl,
    "APERAK": read_advice.aperak,
}


def read(message: Message) -> list[Verdict]:
    """The verdicts of one acknowledgement message: 997, 999, 824, CONTRL or APERAK; none for another type.

    The interchange or group comes first, then its messages in their order.

    :raises ValueError: the message was read without keeping its segments.
    """
    reader = READERS.get(message.type)
    return reader(message) if reader else []


def verdicts(interchange: Interchange) -> list[Verdict]:
    """All verdicts of an interchange: its TA1 segments and its acknowledgement messages. Reads it to its end."""
    found: list[Verdict] = []
    for message in interchange.messages():
        found += read(message)
    return [*(read_x12.ta1(each) for each in interchange.ta1), *found]


def covering(
    found: Iterable[Verdict],
    *,
    interchange: str = "",
    group_type: str = "",
    group: str = "",
    type: str = "",
    control: str = "",
) -> Verdict | None:
    """The verdict that decides about one message that was sent: its own, or its group's, or its interchange's.

    Acknowledgements may leave out what is accepted; then what is around it speaks. Numbers are compared without
    leading zeros. What is not given is not compared.
    """
    wanted = Verdict("997", "message", "accepted", interchange, group_type, group, type, control)
    best: dict[str, Verdict] = {}
    for each in found:
        if _same(each.interchange, wanted.interchange) and _about(each, wanted):
            best[each.level] = each
    around = [best[level] for level in ("interchange", "group") if level in best]
    refused = next((each for each in around if each.outcome == "rejected"), None)
    if refused is not None and "message" not in best:
        return refused
    return best.get("message") or best.get("group") or best.get("interchange")


def _about(verdict: Verdict, wanted: Verdict) -> bool:
    if verdict.level == "interchange":
        return _same(verdict.control, wanted.interchange)
    fits = _same(verdict.group_type, wanted.group_type) and _same(verdict.group, wanted.group)
    if verdict.level == "group":
        return fits
    return fits and bool(wanted.control) and _same(verdict.control, wanted.control) and _same(verdict.type, wanted.type)


def _same(one: str, other: str) -> bool:
    """Equal control numbers, or one of them is not known."""
    return not one or not other or one == other or (one.isdigit() and other.isdigit() and int(one) == int(other))
