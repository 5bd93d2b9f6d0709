"""Fills in what can be counted: CTT, CNT and the like, at the places that a grammar's ``check count`` and ``check sum``
lines name."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from ..checks.base import Context, Only, Place, only
from ..checks.counts import number, sides
from ..delimiters import Delimiters
from ..grammar.machine import Action, End, Machine, Step, Steps
from ..grammar.model import Check, Grammar
from ..segment import Segment, Value
from ..values import decimal_text
from .encode import Encoder


@dataclass
class Total:
    """One check line, with what it came to."""

    check: Check
    target: Place
    condition: Only | None
    tags: tuple[str, ...]
    summed: Place | None
    counted_only: Only | None
    found: Decimal = field(default_factory=Decimal)

    @classmethod
    def of(cls, check: Check, grammar: Grammar, delimiters: Delimiters) -> Total:
        """Take the line apart."""
        context = Context(check, grammar, delimiters)
        target, condition, right = sides(context)
        first = right[0]
        counted_only = only(context, first.partition(".")[0].split("|")[0], right)
        if check.name == "sum":
            place = context.place(first)
            return cls(check, target, condition, (place.tag,), place, counted_only)
        return cls(check, target, condition, tuple(first.split("|")), None, counted_only)

    def see(self, tag: str, raw: str) -> None:
        """A segment of the message."""
        if tag not in self.tags or (self.counted_only is not None and not self.counted_only.holds(raw)):
            return
        self.found += 1 if self.summed is None else number(self.summed.value(raw)) or 0

    def claims(self, tag: str, raw: str) -> bool:
        """Whether the segment is one that has to name the total."""
        return tag == self.target.tag and (self.condition is None or self.condition.holds(raw))


class Totals:
    """Completes messages of one grammar."""

    def __init__(self, grammar: Grammar, machine: Machine, delimiters: Delimiters, encoder: Encoder) -> None:
        self._grammar = grammar
        self._machine = machine
        self._encoder = encoder
        self._delimiters = delimiters
        self._checks = [each for each in grammar.checks if each.name in ("count", "sum")]

    def complete(self, segments: list[Segment], raws: list[str], trailer: str) -> list[str]:
        """The raw segments with their totals. A total that is there already is left as it is.

        A segment is added only for a count, only if nothing else in it is mandatory, and only where the grammar has a
        place for it. The caller's segments are not changed.
        """
        totals = [Total.of(each, self._grammar, self._delimiters) for each in self._checks]
        if not totals:
            return raws
        segments, raws = list(segments), list(raws)
        wanted = {tag for total in totals for tag in total.tags}
        for segment, raw in zip(segments, raws, strict=True):
            if segment.tag in wanted:
                for total in totals:
                    total.see(segment.tag, raw)
        for total in sorted(totals, key=lambda each: each.summed is not None):
            self._fill(total, segments, raws, trailer)
        return raws

    def _fill(self, total: Total, segments: list[Segment], raws: list[str], trailer: str) -> None:
        claimed = False
        text = decimal_text(total.found).replace(".", self._delimiters.decimal)
        for at, segment in enumerate(segments):
            if segment.tag == total.target.tag and total.claims(segment.tag, raws[at]):
                claimed = True
                if not total.target.value(raws[at]):
                    segments[at] = with_value(segment, total.target.index, total.target.component, text)
                    raws[at] = self._encoder.raw(segments[at], at + 2)
        if claimed or total.summed is not None or not total.found or not self._may_stand_alone(total):
            return
        made = with_value(Segment(total.target.tag, []), total.target.index, total.target.component, text)
        if total.condition is not None:
            place = total.condition.place
            made = with_value(made, place.index, place.component, total.condition.first)
        raw = self._encoder.raw(made)
        free = self._place(raw, raws, trailer)
        if free is not None:
            segments.insert(free, made)
            raws.insert(free, raw)

    def _may_stand_alone(self, total: Total) -> bool:
        kind = self._grammar.segment(total.target.tag)
        given = {total.target.index} | ({total.condition.place.index} if total.condition else set())
        return kind is not None and not any(
            use.required and index not in given for index, use in enumerate(kind.uses, 1)
        )

    def _place(self, raw: str, raws: list[str], trailer: str) -> int | None:
        """The last place where the grammar takes the segment and then goes on as it would have."""
        trail = [self._machine.start]
        for each in raws:
            trail.append(self._step(trail[-1], each).steps)
        following = trailer
        for at in range(len(raws), -1, -1):
            if at < len(raws):
                following = raws[at]
            here = self._step(trail[at], raw)
            if here.action is None or not (here.action.problem or here.action.missing or isinstance(here.action, End)):
                before, after = self._step(trail[at], following), self._step(here.steps, following)
                if before.node is after.node and not _worse(before.action, after.action):
                    return at
        return None

    def _step(self, steps: Steps, raw: str) -> Step:
        found: Step | None = steps.get(raw[:3])
        return found or self._machine.resolve(steps, raw)


def _worse(before: Action | None, after: Action | None) -> bool:
    if after is None:
        return False
    known = before.missing if before is not None else ()
    return bool(after.problem) or any(each not in known for each in after.missing)


def with_value(segment: Segment, index: int, component: int, text: str) -> Segment:
    """A copy of the segment with this value at an element (``component`` 0: it has none)."""
    elements: list[Value] = [*segment.elements, *[""] * (index - len(segment.elements))]
    if component:
        value = elements[index - 1]
        parts = list(value) if isinstance(value, list) else [value]
        parts += [""] * (component - len(parts))
        parts[component - 1] = text
        elements[index - 1] = [str(each) for each in parts]
    else:
        elements[index - 1] = text
    return Segment(segment.tag, elements, segment.position)
