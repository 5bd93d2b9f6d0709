# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Breaks documents in the ways that transfers, people and programs break them, and in ways that nobody does."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

MOST = 60_000
"""Bytes that a mutation adds at most."""
TOKENS = (
    b"UNA:+.? '", b"UNA+++++++", b"UNA", b"UNB+UNOC:3+A+B+261121:0930+9'", b"UNB+", b"UNZ+1+9'",
    b"UNH+1+ORDERS:D:96A:UN'", b"UNG+", b"UNT+2+1'", b"ISA*",
    b"ISA*00*          *00*          *ZZ*A*ZZ*B*261121*0930*U*00401*1*0*P*>~", b"IEA*1*1~",
    b"GS*PO*A*B*20261121*0930*1*X*004010~", b"GE*1*1~", b"ST*850*0001~", b"SE*1*0001~", b"HL*1**S~", b"HL*1*1*S~",
    b"LS*A~", b"BIN*999999999999*", b"BIN*5*a~b*c~", b"BDS*ASC*3*", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3",
    b"\x1a", b"\r\n", b"????????", b"?", b"~~~~", b"''''", b"*" * 40, b"+" * 40, b":" * 40, b"^^^", b"\xe2\x80\xa6",
    b"-", b"1e9", b"99999999999",
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp037", "cp500", "utf-7", "cp1252")

Mutation = Callable[[bytes, Random], bytes]


def mutated(data: bytes, random: Random) -> bytes:
    """``data`` with one to four mutations."""
    for _time in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        data = random.choice(MUTATIONS)(data, random)
    return data


def _at(data: bytes, random: Random) -> int:
    return random.randint(0, len(data))


def flip(data: bytes, random: Random) -> bytes:
    """Change some bytes."""
    changed = bytearray(data)
    for _time in range(random.randint(1, 8)):
        if changed:
            changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def swap_case(data: bytes, random: Random) -> bytes:
    """Letters of one part in the other case."""
    start = _at(data, random)
    stop = start + random.randint(1, 200)
    return data[:start] + data[start:stop].swapcase() + data[stop:]


def cut(data: bytes, random: Random) -> bytes:
    """End anywhere."""
    return data[: _at(data, random)]


def behead(data: bytes, random: Random) -> bytes:
    """Begin anywhere near the start."""
    return data[random.randint(0, min(len(data), 300)) :]


def remove(data: bytes, random: Random) -> bytes:
    """Take a part out."""
    start = _at(data, random)
    return data[:start] + data[start + random.randint(1, 80) :]


def double(data: bytes, random: Random) -> bytes:
    """Say a part twice or more often."""
    start = _at(data, random)
    part = data[start : start + random.randint(1, 200)]
    return data[:start] + part * min(random.choice((2, 3, 50)), MOST // max(1, len(part))) + data[start:]


def insert_token(data: bytes, random: Random) -> bytes:
    """Put something with a meaning where it has none."""
    at = _at(data, random)
    return data[:at] + random.choice(TOKENS) + data[at:]


def insert_noise(data: bytes, random: Random) -> bytes:
    """Put bytes without meaning anywhere."""
    at = _at(data, random)
    return data[:at] + random.randbytes(random.randint(1, 40)) + data[at:]


def huge(data: bytes, random: Random) -> bytes:
    """A very long element, or very many of them."""
    at = _at(data, random)
    what = random.choice(
        (b"A", b"7", b" ", b"?", b"?+", b"?'", b"*", b"+", b":", b"*A", b"+A:B", b"\r\n", b"\xe9", b"~", b"'")
    )
    return data[:at] + what * (random.choice((100, 3_000, MOST)) // len(what)) + data[at:]


def swap_segments(data: bytes, random: Random) -> bytes:
    """Two segments change places, one is doubled or lost."""
    end = b"~" if data[:3] == b"ISA" else b"'"
    parts = data.split(end)
    one, other = random.randrange(len(parts)), random.randrange(len(parts))
    kind = random.randrange(3)
    if kind == 0:
        parts[one], parts[other] = parts[other], parts[one]
    elif kind == 1:
        parts.insert(other, parts[one])
    else:
        del parts[one]
    return end.join(parts)


def swap_elements(data: bytes, random: Random) -> bytes:
    """A value takes the place of another, somewhere."""
    separator = random.choice((b"*", b"+", b":"))
    parts = data.split(separator)
    parts[random.randrange(len(parts))] = parts[random.randrange(len(parts))]
    return separator.join(parts)


def change_delimiter(data: bytes, random: Random) -> bytes:
    """Another character for a delimiter: everywhere, in the head only, or behind the head only."""
    old = random.choice((b"*", b"~", b">", b"^", b"+", b":", b"'", b"?", b".", b"\n"))
    new = bytes([random.choice((*b"*~+:'?|\n\r \x1c\x1d\x1e\x00A0\xa7\xe2", random.randrange(256)))])
    kind = random.randrange(3)
    if kind == 0:
        return data.replace(old, new)
    head, rest = data[:106], data[106:]
    return head.replace(old, new) + rest if kind == 1 else head + rest.replace(old, new)


def change_number(data: bytes, random: Random) -> bytes:
    """Another number in the place of one."""
    found = list(re.finditer(rb"\d+", data))
    if not found:
        return data
    one = random.choice(found)
    new = random.choice(
        (b"0", b"-1", b"00000", b"9" * 30, b"1.5", b"1,5", b".", b"", b"\xb2", b"1e5", "٣".encode(), b" 1")
    )
    return data[: one.start()] + new + data[one.end() :]


def encode(data: bytes, random: Random) -> bytes:
    """The same text in another encoding, whole or from somewhere on."""
    at = random.choice((0, 0, _at(data, random)))
    return data[:at] + data[at:].decode("latin-1").encode(random.choice(ENCODINGS), "replace")


def wrap(data: bytes, random: Random) -> bytes:
    """Line breaks every so many bytes, or none at all."""
    if random.random() < 0.3:
        return data.replace(b"\n", b"")
    width = random.choice((1, 2, 72, 80, 128))
    line = random.choice((b"\n", b"\r\n", b"\r", b" \n"))
    return line.join(data[at : at + width] for at in range(0, min(len(data), MOST), width))


def twice(data: bytes, random: Random) -> bytes:
    """Two interchanges in one input, the first perhaps without its end."""
    return data[: random.choice((len(data), _at(data, random)))] + data


def around(data: bytes, random: Random) -> bytes:
    """Text before and behind the envelope."""
    return (
        random.choice((b"", b"\r\n", b"From: a\r\n\r\n", b"\x00" * 50, b"\xef\xbb\xbf"))
        + data
        + random.choice((b"", b"\x1a", b"\x00" * 50, b"-- \nend", b"\n" * 200))
    )


MUTATIONS: Sequence[Mutation] = (
    flip, flip, swap_case, cut, behead, remove, double, insert_token, insert_token, insert_noise, huge, swap_segments,
    swap_segments, swap_elements, change_delimiter, change_number, change_number, encode, wrap, twice, around,
)  # fmt: skip
