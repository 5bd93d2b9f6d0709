# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""GS1 numbers with right check digits, and a source of plausible values."""

from __future__ import annotations

from random import Random

WORDS = (
    "BOLT", "CABLE", "FILTER", "HINGE", "LAMP", "MOTOR", "PUMP", "RELAY", "SEAL", "SWITCH", "VALVE", "WASHER",
    "BRASS", "STEEL", "ZINC", "COPPER", "NYLON", "RUBBER", "BLACK", "WHITE", "CLEAR", "HEAVY", "LIGHT", "SMALL",
    "LARGE", "SHORT", "LONG", "ROUND", "FLAT", "HEX", "INDOOR", "OUTDOOR", "MARINE", "GRADE", "PACK", "SET", "KIT",
    "SPARE",
)  # fmt: skip
"""Goods of a wholesaler, without a character that a standard gives a meaning to."""
CITIES = (
    ("CHICAGO", "IL", "60607"),
    ("DENVER", "CO", "80202"),
    ("ATLANTA", "GA", "30303"),
    ("PORTLAND", "OR", "97204"),
    ("COLUMBUS", "OH", "43215"),
    ("AUSTIN", "TX", "78701"),
)


def check_digit(digits: str) -> str:
    """The GS1 check digit that belongs behind these digits.

    >>> check_digit("629104150021")  # GS1's own example, 6291041500213
    '3'
    """
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def gtin(number: int, length: int = 12) -> str:
    """The ``number``-th trade item of one company, as GTIN-12 (UPC) or GTIN-13 (EAN).

    >>> gtin(1), gtin(1, 13)
    ('614141000012', '4006381000017')
    """
    prefix = {12: "614141", 13: "4006381"}[length]
    body = prefix + str(number % 10 ** (length - 1 - len(prefix))).zfill(length - 1 - len(prefix))
    return body + check_digit(body)


def sscc(number: int) -> str:
    """The ``number``-th logistic unit of one company, 18 digits.

    >>> sscc(1)
    '106141410000000019'
    """
    body = f"10614141{number % 10**9:09d}"
    return body + check_digit(body)


class Values:
    """Random values of one document source; the same seed gives the same values."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.units = 0
        """Logistic units named so far: each has a number of its own."""

    def unit(self) -> str:
        self.units += 1
        return sscc(self.units)

    def text(self, words: int) -> str:
        return " ".join(self.random.choice(WORDS) for _ in range(words))

    def date(self) -> str:
        return f"2026{self.random.randint(1, 12):02d}{self.random.randint(1, 28):02d}"

    def time(self) -> str:
        return f"{self.random.randint(0, 23):02d}{self.random.randint(0, 59):02d}"

    def price(self) -> str:
        return f"{self.random.randint(1, 400)}.{self.random.randint(10, 99)}"

    def below(self, limit: int) -> int:
        return self.random.randrange(limit)

    def city(self) -> tuple[str, str, str]:
        return self.random.choice(CITIES)
