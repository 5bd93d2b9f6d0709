# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Documents made from a grammar: any choice that it leaves open is made by a random source.

What comes out holds by construction: segments in their order and number, values of the right type and length, listed
codes, conditions. Balances (totals, hierarchies, check digits) are the grammar's named checks and are not made to hold.
"""

from __future__ import annotations

import string
from datetime import datetime
from random import Random

from ...edi.delimiters import Delimiters
from ...edi.grammar.model import Composite, Condition, Element, Grammar, LoopNode, SegmentNode, SegmentType, Use
from ...edi.profile import Profile
from ...edi.reader import Codec
from ...edi.segment import Repeats, Segment, Value
from ...edi.writer import Document, GroupHeader, InterchangeHeader, Party, Writer

AT = datetime(2026, 11, 21, 9, 30)
"""When all of them were made."""
TRIES = 40
"""How often elements are chosen anew until all conditions of a segment hold."""
PLAIN = string.ascii_uppercase + string.digits
NATIONAL = "äöüßéèñçøåÆ"


class DocumentMaker:
    """Makes documents of one grammar.

    :param random: decides; the same source makes the same documents
    :param often: likelihood of an optional segment, loop, element or repeat, 0 to 1
    :param most: segments of one document, more are made only where they are mandatory
    """

    def __init__(
        self, grammar: Grammar, delimiters: Delimiters, random: Random, *, often: float = 0.3, most: int = 60
    ) -> None:
        self._grammar = grammar
        self._random = random
        self._often = often
        self._most = most
        self._delimiters = delimiters
        service = delimiters.all
        self._letters = string.ascii_letters + " .,-/()&=<>;!%_#@"
        self._letters += NATIONAL if grammar.standard == "edifact" else ""
        # Service characters inside values are possible where there is a release character.
        self._letters = "".join(each for each in self._letters if each not in service)
        self._mixed = self._letters + string.digits + (service if delimiters.release else "")

    def segments(self) -> list[Segment]:
        """The segments between the message's header and trailer."""
        made: list[Segment] = []
        self._loop(self._grammar.root, made)
        return made

    def _loop(self, loop: LoopNode, made: list[Segment]) -> None:
        for item in loop.items:
            low = max(item.min, 1 if item.index == 0 and loop.parent is not None else 0)
            for _time in range(self._times(low, item.max, made)):
                if isinstance(item, SegmentNode):
                    made.append(self.segment(item.type))
                else:
                    self._loop(item, made)

    def _times(self, low: int, high: int, made: list[Segment]) -> int:
        times = low
        while times < min(high, low + 3) and len(made) < self._most and self._random.random() < self._often:
            times += 1
        return times

    def segment(self, kind: SegmentType) -> Segment:
        """A segment of this type with values for all that is mandatory and some of the rest."""
        present = self._present(kind.uses, kind.conditions)
        values: list[Value] = [
            self._use(use) if position in present else "" for position, use in enumerate(kind.uses, 1)
        ]
        while values and values[-1] == "":
            values.pop()
        return Segment(kind.tag, values)

    def _present(self, uses: tuple[Use, ...], conditions: tuple[Condition, ...]) -> set[int]:
        """Positions that get a value, so that all conditions hold."""
        required = {position for position, use in enumerate(uses, 1) if use.required}
        free = [position for position, use in enumerate(uses, 1) if not use.required and not use.forbidden and use.of]
        for attempt in range(TRIES):
            often = self._often if attempt < TRIES // 2 else self._random.random()
            chosen = required | {position for position in free if self._random.random() < often}
            if not chosen and free:
                chosen = {self._random.choice(free)}
            if all(condition.holds(chosen) for condition in conditions):
                return chosen
        return self._mended(required, set(free), conditions)

    def _mended(self, chosen: set[int], free: set[int], conditions: tuple[Condition, ...]) -> set[int]:
        for _attempt in range(TRIES):
            broken = next((condition for condition in conditions if not condition.holds(chosen)), None)
            if broken is None:
                return chosen
            chosen = chosen | {self._random.choice([each for each in broken.positions if each in free | chosen])}
        raise AssertionError(f"no choice of elements meets {conditions}")

    def _use(self, use: Use) -> Value:
        if use.of is None:
            return self._text(1, 6)
        if use.repeat > 1 and self._delimiters.repetition and self._random.random() < self._often:
            return Repeats([self._value(use) for _time in range(self._random.randint(2, min(use.repeat, 3)))])
        return self._value(use)

    def _value(self, use: Use) -> str | list[str]:
        if isinstance(use.of, Composite):
            present = self._present(use.of.uses, use.of.conditions)
            parts = [self._simple(each) if at in present else "" for at, each in enumerate(use.of.uses, 1)]
            while parts and not parts[-1]:
                parts.pop()
            # One component alone is read as a plain value: nothing tells them apart.
            return parts[0] if len(parts) == 1 else parts
        return self._simple(use)

    def _simple(self, use: Use) -> str:
        if use.of is None:
            return self._text(1, 6)
        if isinstance(use.of, Composite):
            raise AssertionError(f"a composite inside a composite: {use.of.id}")
        return self.element(use.of, use.codes)

    def element(self, of: Element, narrowed: frozenset[str] | None = None) -> str:
        """A value of this element."""
        random = self._random
        codes = sorted(narrowed) if narrowed is not None else sorted(of.codes)
        fitting = [code for code in codes if of.min <= len(code) <= of.max]
        if fitting and (narrowed is not None or of.closed or random.random() < 0.9):
            return random.choice(fitting)
        high = min(of.max, max(of.min, random.choice((of.min, 3, 12, 40, of.max))))
        length = random.randint(of.min, high)
        if of.kind == "DT":
            return self._date(of.max)
        if of.kind == "TM":
            return f"{random.randint(0, 23):02d}{random.randint(0, 59):02d}" + ("30" if of.min > 4 else "")
        if of.kind in ("R", "n"):
            return self._decimal(length)
        if of.kind[0] == "N":
            return random.choice(("", "", "-")) + self._digits(length)
        if of.kind == "ID":
            return "".join(random.choice(PLAIN) for _each in range(length))
        if of.kind == "a":
            return self._text(length, length, self._letters)
        return self._text(length, length)

    def _text(self, low: int, high: int, letters: str = "") -> str:
        letters = letters or self._mixed
        text = "".join(self._random.choice(letters) for _each in range(self._random.randint(low, high)))
        # A blank at either end may be padding.
        return "".join("X" if each == " " and at in (0, len(text) - 1) else each for at, each in enumerate(text))

    def _digits(self, length: int) -> str:
        return "".join(self._random.choice(string.digits) for _each in range(length))

    def _decimal(self, length: int) -> str:
        digits = self._digits(length)
        sign = self._random.choice(("", "", "-"))
        point = self._random.randint(0, length - 1)
        return sign + (f"{digits[:point]}.{digits[point:]}" if self._random.random() < 0.4 else digits)

    def _date(self, length: int) -> str:
        random = self._random
        year = random.randint(2000, 2039)
        month, day = random.choice(((random.randint(1, 12), random.randint(1, 28)), (2, 28), (1, 31), (4, 30)))
        text = f"{year}{month:02d}{day:02d}"
        return text if length >= 8 else text[2:]


def interchange(grammar: Grammar, version: str, segments: list[Segment]) -> bytes:
    """The document in an envelope, written by the codec's own writer; balances are not looked at."""
    codec = Codec(Profile(treatment={"balance": "off"}))
    if grammar.standard == "x12":
        header = InterchangeHeader(Party("SENDER", "ZZ"), Party("RECEIVER", "ZZ"), 1, AT, f"00{version[:3]}")
        group = GroupHeader(grammar.group, 1, f"00{version}")
        return Writer("x12", codec=codec).interchange(header, [(group, [Document(grammar.type, 1, segments)])])
    header = InterchangeHeader(Party("SENDER", "14"), Party("RECEIVER", "14"), 1, AT, "UNOC:3")
    document = Document(grammar.type, 1, segments, f"D:{version}:UN")
    return Writer("edifact", codec=codec).interchange(header, [document])
