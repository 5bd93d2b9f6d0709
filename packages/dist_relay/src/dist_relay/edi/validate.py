"""The hot loop: takes the segments of one message through its automaton and reports what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .checks import watchers
from .checks.base import Watch, Watcher
from .delimiters import Delimiters
from .errors import LimitError
from .explain import Explainer, Flaw
from .finding import Finding, Severity, shown
from .grammar.machine import Action, End, Machine, Move, Step, Steps
from .grammar.model import Grammar, SegmentNode
from .profile import Profile

MAX_VALUE = 256
"""Characters kept of a wrong value: findings outlive their message."""

Record = list[tuple[str, Move]]
"""Raw segments with what each does to the tree of loops."""


class Compiled:
    """A grammar made ready for one set of delimiters and one profile."""

    def __init__(
        self, grammar: Grammar, delimiters: Delimiters, profile: Profile, *, trailer: str, envelope: frozenset[str]
    ) -> None:
        self.grammar = grammar
        self.profile = profile
        self.watchers: list[Watcher] = watchers(grammar, delimiters, balances=profile.treatment.get("balance") != "off")
        hooks: dict[str, tuple[int, ...]] = {}
        for number, watcher in enumerate(self.watchers):
            for tag in dict.fromkeys(watcher.tags):
                hooks[tag] = (*hooks.get(tag, ()), number)
        self.explainer = Explainer(
            grammar.standard, delimiters, listed_codes=profile.listed_codes, most=profile.limits.elements
        )
        self.machine = Machine(
            grammar,
            delimiters,
            trailer=trailer,
            envelope=envelope,
            hooks=hooks,
            content=profile.content,
            listed_codes=profile.listed_codes,
        )


@dataclass
class Report:
    """Collects the findings of one message, or of an envelope, and its status."""

    profile: Profile
    exact: bool = True
    interchange: str = ""
    group: str = ""
    document: str = ""
    control: str = ""
    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    more: int = 0
    """Findings beyond the limit: counted, not kept."""
    worst: Severity = "note"
    room: int | None = None
    """How many findings are kept; as many as the profile says if not given."""

    def add(self, flaw: Flaw, segment: str = "", position: int = 0, loop: str = "") -> None:
        """A flaw at a segment of this message."""
        severity = self.profile.treat(flaw.level, flaw.rule, self.exact)
        if severity == "off":
            return
        if severity == "reject" or (severity == "error" and self.worst == "note"):
            self.worst = severity
        kept = self.notes if severity == "note" else self.findings
        if len(kept) >= (self.profile.limits.findings if self.room is None else self.room):
            self.more += 1
            return
        kept.append(
            Finding(
                flaw.level,
                flaw.rule,
                flaw.text,
                severity,
                self.interchange,
                self.group,
                self.control,
                self.document,
                segment,
                position,
                flaw.element,
                flaw.index,
                flaw.component,
                flaw.repeat,
                flaw.reference,
                flaw.value if len(flaw.value) <= MAX_VALUE else flaw.value[:MAX_VALUE],
                flaw.expected,
                loop,
            )
        )

    @property
    def full(self) -> bool:
        """Whether no further finding can change anything but the number of findings."""
        return self.worst == "reject" and len(self.findings) >= self.profile.limits.findings

    @property
    def status(self) -> str:
        """``valid``, ``accepted_with_errors`` or ``rejected``."""
        return {"note": "valid", "error": "accepted_with_errors", "reject": "rejected"}[self.worst]


def run(
    segments: Iterator[str], compiled: Compiled, report: Report, position: int, record: Record | None
) -> tuple[int, str | None]:
    """Take segments up to the message's trailer.

    Gives the trailer's position and the trailer (or another envelope segment that stands in its place; None at the end
    of the input). ``position`` is that of the segment before the first one taken.

    :raises LimitError: more segments than the profile's limits allow.
    """
    walk = _Walk(compiled, report)
    machine = compiled.machine
    resolve, explain, act = machine.resolve, walk.explain, walk.act
    limit = report.profile.limits.message_segments
    steps = machine.start
    segment: str | None = None
    for segment in segments:
        position += 1
        try:
            step = steps[segment[:3]]
        except KeyError:
            step = resolve(steps, segment)
        check, following, action, move, _ = step
        if check is not None and check(segment) is None:
            explain(segment, step, position)
        if action is not None:
            if action.__class__ is End:
                walk.missing(action, steps, position)
                break
            act(action, step, steps, segment, position)
        if record is not None:
            record.append((segment, move))
        steps = following
        if position > limit:
            raise LimitError(f"a message has more than {limit} segments")
    else:
        segment = None
        walk.missing(machine.at_end(steps), steps, position + 1)
    walk.end(position)
    return position, segment


class _Walk:
    """The rarer part of the way through one message."""

    def __init__(self, compiled: Compiled, report: Report) -> None:
        self._compiled = compiled
        self._report = report
        self._watches: list[Watch] = [watcher.begin() for watcher in compiled.watchers]
        self._sees = [watch.see for watch in self._watches]
        self._counters: dict[str, int] = {}

    def explain(self, raw: str, step: Step, position: int) -> None:
        node = step.node
        assert node is not None
        if self._report.full:
            self._report.more += 1
            return
        release = self._compiled.machine.delimiters.release
        if release and release in raw and self._compiled.machine.right_with_releases(node.type, raw):
            return
        for flaw in self._compiled.explainer.flaws(raw, node.type):
            self._report.add(flaw, node.tag, position, node.loop.path())

    def act(self, action: Action, step: Step, steps: Steps, raw: str, position: int) -> None:
        if action.hooks:
            tag, sees = action.tag, self._sees
            for number in action.hooks:
                sees[number](tag, raw, position)
        if action.reset:
            for counter in action.reset:
                self._counters[counter] = 1
        if action.again:
            count = self._counters[action.again] = self._counters.get(action.again, 1) + 1
            if count == action.limit + 1 and step.node is not None:
                self._too_many(step.node, position, action.limit, loop=action.again[0] == "l")
        if action.missing:
            self.missing(action, steps, position)
        if action.problem:
            self._problem(action.problem, raw, steps, position)

    def missing(self, action: Action, steps: Steps, position: int) -> None:
        """Mandatory segments that were passed over."""
        for node in action.missing:
            name = node.type.name or node.tag
            text = f"the mandatory segment {node.tag} ({name}) is missing"
            if node.loop.name:
                text += f" in {node.loop.path()}"
            self._report.add(Flaw("grammar", "segment.missing", text), node.tag, position, node.loop.path())

    def end(self, position: int) -> None:
        for watch in self._watches:
            for fault in watch.end():
                flaw = Flaw(
                    fault.level,
                    fault.rule,
                    fault.text,
                    fault.expected,
                    fault.value,
                    fault.element,
                    fault.index,
                    fault.component,
                )
                self._report.add(flaw, fault.tag, fault.position or position)

    def _problem(self, problem: tuple[str, SegmentNode | None], raw: str, steps: Steps, position: int) -> None:
        rule, node = problem
        tag = _tag(raw, self._compiled)
        if rule == "segment.max" and node is not None:
            if node.loop.parent is not None and node.index == 0 and node.max == 1:
                self._too_many(node, position, node.loop.max, loop=True)
            else:
                self._too_many(node, position, node.max, loop=False)
            return
        if rule == "segment.forbidden":
            text = f"the segment {tag} is not used here with this partner"
            self._report.add(Flaw("grammar", rule, text), tag[:10], position, node.loop.path() if node else "")
            return
        expected = self._compiled.machine.expected(steps)
        names = ", ".join(expected[:12]) + (" …" if len(expected) > 12 else "")
        if rule == "segment.order":
            text = f"the segment {tag} may not stand at this place"
        else:
            text = (
                f"the segment {shown(tag, 12)} is not in {self._compiled.grammar.type} {self._compiled.grammar.version}"
            )
        self._report.add(Flaw("grammar", rule, text, f"one of {names}" if names else ""), tag[:10], position)

    def _too_many(self, node: SegmentNode, position: int, limit: int, *, loop: bool) -> None:
        what = f"the loop {node.loop.name}" if loop else f"the segment {node.tag}"
        flaw = Flaw("grammar", "loop.max" if loop else "segment.max", f"{what} is there too often", f"at most {limit}")
        self._report.add(flaw, node.tag, position, node.loop.path())


def _tag(raw: str, compiled: Compiled) -> str:
    delimiters = compiled.machine.delimiters
    return raw.partition(delimiters.element)[0].partition(delimiters.component)[0]
