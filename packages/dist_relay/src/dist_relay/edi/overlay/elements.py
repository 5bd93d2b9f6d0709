"""What an overlay changes in one element of a segment."""

from __future__ import annotations

import re
from dataclasses import replace

from ..delimiters import X12
from ..grammar import patterns
from ..grammar.model import Composite, Element, SegmentType, Use
from .model import ElementRule


class Unfit(Exception):
    """The rule does not fit the segment; the message says why."""


def changed(kind: SegmentType, rule: ElementRule) -> SegmentType:
    """The segment with the rule applied to its element.

    :raises Unfit: the segment has no such element, or it cannot be so.
    """
    if rule.element > len(kind.uses):
        raise Unfit(f"{kind.tag} has {len(kind.uses)} elements")
    uses = list(kind.uses)
    uses[rule.element - 1] = _use(uses[rule.element - 1], rule)
    return replace(kind, uses=tuple(uses))


def _use(use: Use, rule: ElementRule) -> Use:
    if rule.component and isinstance(use.of, Composite):
        composite = use.of
        if rule.component > len(composite.uses):
            raise Unfit(f"{composite.id} has {len(composite.uses)} components")
        uses = list(composite.uses)
        uses[rule.component - 1] = _one(uses[rule.component - 1], rule)
        return replace(use, of=replace(composite, uses=tuple(uses)))
    if rule.component > 1:
        raise Unfit("the element has no components")
    return _one(use, rule)


def _one(use: Use, rule: ElementRule) -> Use:
    required = {"": use.required, "required": True, "optional": False, "forbidden": False}[rule.use]
    made = replace(use, required=required and not rule.default, forbidden=rule.use == "forbidden")
    if not (rule.codes is not None or rule.add or rule.default or rule.min or rule.max):
        if use.of is None and required:
            raise Unfit("our grammar does not describe this element; define the segment")
        return made
    if not isinstance(use.of, Element):
        what = "it has components: name one" if use.of else "our grammar does not describe it; define the segment"
        raise Unfit(f"lengths, codes and defaults are for simple elements; {what}")
    low, high = rule.min or min(use.of.min, rule.max or use.of.min), rule.max or max(use.of.max, rule.min)
    element = replace(use.of, min=low, max=high)
    codes = rule.codes if rule.codes is not None else use.codes
    if rule.add:
        element = replace(element, codes={**element.codes, **rule.add})
        codes = None if codes is None else codes | set(rule.add)
    for code in sorted({*(rule.codes or ()), *rule.add}):
        if not low <= len(code) <= high:
            raise Unfit(f"the code {code} has {len(code)} characters; the element has {low} to {high}")
    made = replace(made, of=element, codes=codes)
    if rule.default and not _fits(rule.default, made):
        raise Unfit(f"the default {rule.default} is no value of this element")
    return made


def _fits(value: str, use: Use) -> bool:
    kind = SegmentType("X", "", (replace(use, required=True),))
    return re.fullmatch(patterns.segment(kind, X12), f"X*{value}", re.DOTALL) is not None
