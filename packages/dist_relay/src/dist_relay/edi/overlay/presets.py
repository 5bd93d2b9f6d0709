"""Named treatments: ``strict``, ``standard`` and ``lenient``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..profile import STANDARD, Treatment

LEVEL_OF = {
    "envelope": "envelope",
    "grammar": "grammar",
    "segment": "grammar",
    "loop": "grammar",
    "element": "element",
    "code": "code",
    "condition": "condition",
    "balance": "balance",
}
"""The level of a rule by the word before its dot."""

RULES = frozenset(
    {
        *("balance.count", "balance.cps", "balance.gtin", "balance.hl", "balance.sscc", "balance.sum", "balance.total"),
        *("code.narrowed", "code.unknown", "code.unlisted"),
        *("condition.conditional", "condition.exclusive", "condition.list", "condition.paired", "condition.required"),
        *("element.charset", "element.components", "element.date", "element.extra", "element.forbidden"),
        *("element.long", "element.missing", "element.repeats", "element.short", "element.time", "element.trailing"),
        "element.type",
        *("envelope.blanks", "envelope.bom", "envelope.breaks", "envelope.charset", "envelope.count", "envelope.date"),
        *("envelope.delimiters", "envelope.duplicate", "envelope.element", "envelope.empty", "envelope.group"),
        *("envelope.leading", "envelope.missing", "envelope.reference", "envelope.stray", "envelope.syntax"),
        *("envelope.terminator", "envelope.trailing", "envelope.width"),
        *("grammar.nearest", "grammar.unknown", "loop.max"),
        *("segment.forbidden", "segment.max", "segment.missing", "segment.order", "segment.tag", "segment.unexpected"),
    }
)
"""All rules that a finding may name."""

_KEPT = ("code.unlisted", "grammar.nearest", "grammar.unknown")
_STRICT: Mapping[str, Treatment] = {"note": "error", "error": "reject", "reject": "reject", "off": "off"}

STRICT: Mapping[str, Treatment] = MappingProxyType(
    {rule: found if rule in _KEPT else _STRICT[found] for rule, found in STANDARD.items()}
)
"""Every fault refuses; what is a note elsewhere is an error. Codes beside our partial lists stay right."""

LENIENT: Mapping[str, Treatment] = MappingProxyType(
    {
        **{rule: "error" if found == "reject" else found for rule, found in STANDARD.items()},
        "envelope.delimiters": "reject",
    }
)
"""Nothing but an envelope that cannot be read refuses; everything is reported."""

PRESETS: Mapping[str, Mapping[str, Treatment]] = MappingProxyType(
    {"strict": STRICT, "standard": MappingProxyType({}), "lenient": LENIENT}
)


def merged(base: Mapping[str, Treatment], own: Mapping[str, Treatment]) -> Mapping[str, Treatment]:
    """``own`` over ``base``. A level that ``own`` names is wholly its own, but for what is no fault anyway."""
    found = {rule: each for rule, each in base.items() if LEVEL_OF[rule.partition(".")[0]] not in own}
    for rule, usual in STANDARD.items():
        if usual in ("note", "off") and own.get(LEVEL_OF[rule.partition(".")[0]], "off") != "off":
            found[rule] = usual
    return MappingProxyType({**found, **own})
