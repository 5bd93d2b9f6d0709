"""The automaton of a grammar: from each place, what the next segment's tag means. Built as documents ask for it.

A state is a place (a :class:`SegmentNode`) and how often it was used in a row. Its ``steps`` map the first three
characters of a raw segment (``N1*``, ``LIN``) to a :class:`Step`; what the step does beside moving on is in its
``action``, None for most. Which candidate wins: the same place again, then later places of the same loop in order,
then the loop again, then the same for the loop around it. That is how both standards place a segment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ..delimiters import Delimiters
from . import patterns
from .model import UNLIMITED, Grammar, LoopNode, SegmentNode, SegmentType, nodes

UNROLLED = 250
"""Up to this many repeats in a row are states of their own; beyond, a counter counts."""
MAX_STEPS = 200
"""Steps kept per state: tags come from outside."""
MAX_STATES = 50_000
"""States kept per automaton; beyond, they are made anew each time."""

Check = Callable[[str], "re.Match[str] | None"]
Steps = dict[Any, Any]
"""The steps from one state by the beginning of a segment, and the state itself under None."""


class Move(NamedTuple):
    """For the tree: how many loops this step closes and which it opens."""

    close: int
    open: tuple[str, ...]


HERE = Move(0, ())


class Action:
    """What a step does beside moving on."""

    __slots__ = ("again", "hooks", "limit", "missing", "problem", "reset", "tag")

    def __init__(self) -> None:
        self.missing: tuple[SegmentNode, ...] = ()
        """Mandatory places that were passed over."""
        self.problem: tuple[str, SegmentNode | None] | None = None
        """Rule that is broken, and the place it is about."""
        self.reset: tuple[str, ...] = ()
        """Counters that begin at one."""
        self.again: str = ""
        """Counter that goes up, to at most ``limit``."""
        self.limit = UNLIMITED
        self.hooks: tuple[int, ...] = ()
        """Checks that want to see this segment, by their number in the grammar."""
        self.tag = ""
        """The segment's tag, for those checks."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.problem or self.reset or self.again or self.hooks)


class End(Action):
    """The segment does not belong to the message's body: its trailer, or another envelope segment."""

    __slots__ = ("trailer",)

    def __init__(self, trailer: bool) -> None:
        super().__init__()
        self.trailer = trailer


class Step(NamedTuple):
    """``check`` None: not checked. ``steps``: what may follow."""

    check: Check | None
    steps: Steps
    action: Action | None
    move: Move
    node: SegmentNode | None


class State:
    """A place, how often it was used, and the steps from there that were asked for already."""

    __slots__ = ("count", "expected", "node", "steps")

    def __init__(self, node: SegmentNode | None, count: int) -> None:
        self.node = node
        self.count = count
        self.expected: list[str] | None = None
        # The state itself is under None. A plain dict, because the interpreter is faster with it than with a subclass.
        self.steps: Steps = {None: self}


class Candidate(NamedTuple):
    """A place where a tag may stand, and what going there means."""

    node: SegmentNode
    loops: tuple[LoopNode, ...]
    """Loops that are entered, outermost first."""
    close: int
    again: LoopNode | None
    """The loop that repeats, if the step repeats one."""
    missing: tuple[SegmentNode, ...]
    same: bool = False


class Machine:
    """The automaton of one grammar with one set of delimiters."""

    def __init__(
        self,
        grammar: Grammar,
        delimiters: Delimiters,
        *,
        trailer: str,
        envelope: frozenset[str],
        hooks: dict[str, tuple[int, ...]] | None = None,
        content: bool = True,
        listed_codes: bool = False,
    ) -> None:
        self.grammar = grammar
        self.delimiters = delimiters
        self._trailer = trailer
        self._envelope = envelope
        self._hooks = hooks or {}
        self._content = content
        self._listed_codes = listed_codes
        self._checks: dict[int, Check] = {}
        self._states: dict[tuple[int, int], State] = {}
        self._tags = {node.tag for node in nodes(grammar.root)}
        self.start = State(None, 0).steps

    def resolve(self, steps: Steps, raw: str) -> Step:
        """The step for a raw segment that ``steps`` does not have yet; kept there if the tag is of the grammar."""
        tag = raw.partition(self.delimiters.element)[0].partition(self.delimiters.component)[0]
        state: State = steps[None]
        step = self._step(state, tag)
        known = tag in self._tags or tag in self._envelope or not self.grammar.known
        if known and len(tag) in (2, 3) and len(steps) < MAX_STEPS and len(self._states) < MAX_STATES:
            steps[raw[:3]] = step
        return step

    def expected(self, steps: Steps) -> list[str]:
        """Tags that may come next, for messages."""
        state: State = steps[None]
        if state.expected is None:  # kept: a long document of stray segments asks at each of them
            found = {each.tag for each in nodes(self.grammar.root)}
            state.expected = sorted(tag for tag in found if self._is_expected(state, tag))
        return state.expected

    def _is_expected(self, state: State, tag: str) -> bool:
        found = next(self._candidates(state, tag), None)
        return found is not None and found.node.max > 0 and all(loop.max for loop in found.loops)

    def nodes(self, raws: Iterable[str]) -> Iterator[SegmentNode | None]:
        """The place in the grammar of each segment of a body, None for what has none."""
        steps = self.start
        for raw in raws:
            step = steps.get(raw[:3]) or self.resolve(steps, raw)
            steps = step.steps
            yield step.node

    def at_end(self, steps: Steps) -> Action:
        """What is missing when the input ends here."""
        end = End(False)
        end.missing = self._missing_at_end(steps[None]) if self.grammar.known else ()
        return end

    def _step(self, state: State, tag: str) -> Step:
        if tag in self._envelope:
            end = End(tag == self._trailer)
            end.missing = self._missing_at_end(state) if self.grammar.known else ()
            return Step(None, state.steps, end, HERE, None)
        if not self.grammar.known:
            return Step(None, state.steps, None, HERE, None)
        candidate = next(self._candidates(state, tag), None) if tag in self._tags else None
        if candidate is None:
            return self._stray(state, tag)
        return self._to(state, candidate)

    def _to(self, state: State, candidate: Candidate) -> Step:
        node = candidate.node
        action = Action()
        action.missing = candidate.missing
        action.tag, action.hooks = node.tag, self._hooks.get(node.tag, ())
        count = 1
        if candidate.same:
            count = min(state.count + 1, UNROLLED)
            if UNROLLED < node.max < UNLIMITED:
                action.again, action.limit, count = f"s{id(node)}", node.max, 1
            elif node.max == UNLIMITED:
                count = 1
        else:
            action.reset = tuple(f"l{id(loop)}" for loop in candidate.loops if loop.max < UNLIMITED)
            if UNROLLED < node.max < UNLIMITED:
                action.reset += (f"s{id(node)}",)
            if candidate.again is not None and candidate.again.max < UNLIMITED:
                action.again, action.limit = f"l{id(candidate.again)}", candidate.again.max
        if node.max == 0 or any(loop.max == 0 for loop in (candidate.again, *candidate.loops) if loop is not None):
            action.problem = ("segment.forbidden", node)
        opened = tuple(loop.name for loop in ((candidate.again,) if candidate.again else ()) + candidate.loops)
        move = Move(candidate.close, opened) if candidate.close or opened else HERE
        return Step(self._check(node.type), self._state(node, count).steps, action or None, move, node)

    def _stray(self, state: State, tag: str) -> Step:
        """A segment that may not stand here: known elsewhere or not at all.

        The place stays as it was, unless the next segments are likely to follow from elsewhere: in a loop whose trigger
        is missing, or in a large loop that comes too late.
        """
        action = Action()
        node = state.node
        if tag not in self._tags:
            action.problem = ("segment.unexpected", None)
            return Step(None, state.steps, action, HERE, None)
        if node is not None and node.tag == tag:
            action.problem = ("segment.max", node)
        elif same := self._used_up(state, tag):
            action.problem = ("segment.max", same)
        else:
            passed = self._passed(state, tag)
            entry = None if passed else self._without_trigger(state, tag)
            if entry:
                return self._to(state, entry)
            action.problem = ("segment.order", None)
            if passed and passed.loops and passed.node.loop.is_large:
                step = self._to(state, passed)
                again = step.action or Action()
                again.problem = action.problem
                return step._replace(action=again)
        known = action.problem[1] or next(each for each in nodes(self.grammar.root) if each.tag == tag)
        action.tag, action.hooks = tag, self._hooks.get(tag, ())
        return Step(self._check(known.type), state.steps, action, HERE, known)

    def _passed(self, state: State, tag: str) -> Candidate | None:
        """The place of ``tag`` that was passed in an open loop: a segment, or the trigger of a loop, out of order."""
        loop = state.node.loop if state.node else None
        before, close = state.node.index if state.node else 0, 0
        while loop is not None:
            for item in loop.items[:before]:
                trigger = item if isinstance(item, SegmentNode) else item.trigger
                if trigger.tag == tag:
                    return Candidate(trigger, () if isinstance(item, SegmentNode) else (item,), close, None, ())
            before, close, loop = loop.index, close + 1, loop.parent
        return None

    def _without_trigger(self, state: State, tag: str) -> Candidate | None:
        """The place of ``tag`` in the next loop that could begin here, when only its trigger was left out."""
        loop: LoopNode | None = state.node.loop if state.node else self.grammar.root
        after, close = state.node.index if state.node else -1, 0
        while loop is not None:
            for item in loop.items[after + 1 :]:
                if isinstance(item, LoopNode):
                    found = next(self._later(item, 0, tag, (item,), close, (item.trigger,)), None)
                    if found and len(found.missing) == 1:
                        return found
                if item.min:
                    return None
            after, close, loop = loop.index, close + 1, loop.parent
        return None

    def _used_up(self, state: State, tag: str) -> SegmentNode | None:
        """The loop that ``tag`` opens around this place, when it may not repeat."""
        loop = state.node.loop if state.node else None
        while loop is not None and loop.parent is not None:
            if loop.trigger.tag == tag:
                return loop.trigger
            loop = loop.parent
        return None

    def _state(self, node: SegmentNode, count: int) -> State:
        key = (id(node), count)
        state = self._states.get(key)
        if state is None:
            state = State(node, count)
            if len(self._states) < MAX_STATES:
                self._states[key] = state
        return state

    def _check(self, kind: SegmentType) -> Check | None:
        if not self._content:
            return None
        check = self._checks.get(id(kind))
        if check is None:
            pattern = patterns.segment(kind, self.delimiters, listed_codes=self._listed_codes)
            check = self._checks[id(kind)] = re.compile(pattern, re.DOTALL).fullmatch
        return check

    def right_with_releases(self, kind: SegmentType, raw: str) -> bool:
        """Whether a segment with released characters is right; false says only that a closer look is needed."""
        check = self._checks.get(-id(kind))
        if check is None:
            pattern = patterns.segment(kind, self.delimiters, listed_codes=self._listed_codes, released=True)
            check = self._checks[-id(kind)] = re.compile(pattern, re.DOTALL).fullmatch
        return check(raw) is not None

    def _candidates(self, state: State, tag: str) -> Iterator[Candidate]:
        node = state.node
        if node is None:
            yield from self._later(self.grammar.root, -1, tag, (), 0, ())
            return
        if node.tag == tag and (state.count < node.max or node.max == 0):
            yield Candidate(node, (), 0, None, (), same=True)
        loop: LoopNode | None = node.loop
        after, close = node.index, 0
        missing: tuple[SegmentNode, ...] = ()
        while loop is not None:
            yield from self._later(loop, after, tag, (), close, missing)
            missing += _mandatory(loop, after)
            if loop.parent is not None and loop.trigger.tag == tag and loop.max != 1:
                yield Candidate(loop.trigger, (), close + 1, loop, missing)
            after, close, loop = loop.index, close + 1, loop.parent

    def _later(
        self,
        loop: LoopNode,
        after: int,
        tag: str,
        entered: tuple[LoopNode, ...],
        close: int,
        missing: tuple[SegmentNode, ...],
    ) -> Iterator[Candidate]:
        for item in loop.items[after + 1 :]:
            if isinstance(item, SegmentNode):
                if item.tag == tag:
                    yield Candidate(item, entered, close, None, missing)
            elif item.trigger.tag == tag:
                yield Candidate(item.trigger, (*entered, item), close, None, missing)
            if item.min:
                missing += (item if isinstance(item, SegmentNode) else item.trigger,)

    def _missing_at_end(self, state: State) -> tuple[SegmentNode, ...]:
        if state.node is None:
            return _mandatory(self.grammar.root, -1)
        missing: tuple[SegmentNode, ...] = ()
        loop: LoopNode | None = state.node.loop
        after = state.node.index
        while loop is not None:
            missing += _mandatory(loop, after)
            after, loop = loop.index, loop.parent
        return missing


def _mandatory(loop: LoopNode, after: int) -> tuple[SegmentNode, ...]:
    found = [item for item in loop.items[after + 1 :] if item.min]
    return tuple(item if isinstance(item, SegmentNode) else item.trigger for item in found)
