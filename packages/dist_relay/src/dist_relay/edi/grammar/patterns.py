"""Turns a segment into one regular expression that says yes only to what is right in every respect.

It may say no to something right (a 29th of February, a released delimiter, conditions inside a composite): then the
slow path in ``explain`` looks again. It must never say yes to something wrong; a property test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ..delimiters import Delimiters
from .model import Composite, Condition, Element, SegmentType, Use

_MONTH_DAY = (
    "(?:(?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])(?:29|30)|(?:0[13578]|1[02])31)"  # but 29 February
)
_TIME = "(?:[01][0-9]|2[0-3])[0-5][0-9]"
_MAX_POSITIVE_LENGTH = 60_000
"""Longer elements are left to the slow path: ``re`` bounds repeat counts."""


def segment(kind: SegmentType, delimiters: Delimiters, *, listed_codes: bool = False, released: bool = False) -> str:
    """The regular expression for ``fullmatch`` on a raw segment without its terminator.

    With ``released`` it takes released characters in texts, which makes it slower.
    """
    make = _Maker(delimiters, listed_codes, released)
    named = {position for condition in kind.conditions for position in condition.positions}
    body = make.sequence(kind.uses, delimiters.element, named=named)
    relations = "".join(_relation(condition) for condition in kind.conditions)
    trailing = "".join(f"(?<!{re.escape(each)})" for each in (delimiters.element, delimiters.component) if each)
    return f"{re.escape(kind.tag)}{body}{relations}{trailing}"


class _Maker:
    def __init__(self, delimiters: Delimiters, listed_codes: bool, released: bool) -> None:
        self._delimiters = delimiters
        self._listed_codes = listed_codes
        self._any = f"[^\\x00-\\x1f\\x7f{''.join(re.escape(each) for each in delimiters.all)}]"
        self._released = released and bool(delimiters.release)
        if self._released:
            self._any = f"(?:{self._any}|{re.escape(delimiters.release)}[^\\x00-\\x1f\\x7f])"

    def sequence(self, uses: tuple[Use, ...], separator: str, *, named: Iterable[int] = ()) -> str:
        """Elements after a segment's tag; trailing ones may be left out with their separators."""
        rest = ""
        needed = False
        for position in range(len(uses), 0, -1):
            use = uses[position - 1]
            body = "(?!)" if use.forbidden else self._use(use)
            if position in named:
                body = f"(?P<e{position}>{body})"
            required = use.required and not use.forbidden
            needed = needed or required
            if not required:
                body = f"(?:{body})?"
            rest = f"{re.escape(separator)}{body}{rest}"
            if not needed:
                rest = f"(?:{rest})?"
        return rest

    def _use(self, use: Use) -> str:
        if use.of is None:
            separators = re.escape(self._delimiters.element) + re.escape(self._delimiters.terminator)
            release = re.escape(self._delimiters.release) if self._delimiters.release else ""
            inner = "".join(
                re.escape(each) for each in (self._delimiters.component, self._delimiters.repetition) if each
            )
            something = f"(?=[{inner}]*[^{inner}{separators}])"  # separators alone are no value
            return f"{something}[^\\x00-\\x1f\\x7f{separators}{release}]+"
        body = self._composite(use.of) if isinstance(use.of, Composite) else self._element(use.of, use.codes)
        if use.repeat > 1 and self._delimiters.repetition:
            return f"{body}(?:{re.escape(self._delimiters.repetition)}{body}){{0,{use.repeat - 1}}}"
        return body

    def _composite(self, of: Composite) -> str:
        component = re.escape(self._delimiters.component)
        if of.conditions:
            # Present together only in rare cases, which the slow path decides.
            alone = all(condition.holds({1}) for condition in of.conditions)
            others = any(use.required for use in of.uses[1:])
            return self._use(of.uses[0]) if alone and not others and of.uses[0].of else "(?!)"
        rest = ""
        needed = False
        for position in range(len(of.uses), 0, -1):
            use = of.uses[position - 1]
            required = use.required and not use.forbidden
            needed = needed or required
            body = f"{self._any}+" if use.of is None else self._use(use)
            body = "" if use.forbidden else body if required else f"(?:{body})?"
            rest = body + rest
            if position > 1:
                rest = f"{component}{rest}" if needed else f"(?:{component}{rest})?"
        return (
            f"(?=[^{component}]|{component}+[^{re.escape(self._delimiters.element)}{component}]){rest}(?<!{component})"
        )

    def _element(self, of: Element, narrowed: frozenset[str] | None) -> str:
        codes = narrowed
        if codes is None and of.codes and (of.closed or self._listed_codes):
            codes = frozenset(of.codes)
        if codes is not None:
            fitting = self._fitting(codes, of)
            return trie(fitting) if fitting else "(?!)"
        low, high = of.min, of.max
        if high > _MAX_POSITIVE_LENGTH:
            return "(?!)"
        kind = of.kind
        if kind == "DT":
            return _date(low, high)
        if kind == "TM":
            return _time(low, high)
        if kind == "R" or kind == "n":
            return _decimal(low, high, "[.]" if kind == "R" else "[.,]")
        if kind[0] == "N":
            return f"-?[0-9]{{{low},{high}}}"
        if kind == "a":
            digit = f"(?!{re.escape(self._delimiters.release)}?[0-9])" if self._released else "(?![0-9])"
            return f"(?:{digit}{self._any}){{{low},{high}}}"
        return f"{self._any}{{{low},{high}}}"

    def _fitting(self, codes: frozenset[str], of: Element) -> list[str]:
        """The codes that are values of the element, and can be written as they are with these delimiters."""
        plain = _Maker(self._delimiters, listed_codes=False, released=False)
        is_value = re.compile(plain._element(replace(of, codes={}), None), re.DOTALL).fullmatch
        return [code for code in codes if is_value(code)]


def _date(low: int, high: int) -> str:
    forms = []
    if low <= 8 <= high:
        forms.append(f"[12][0-9]{{3}}{_MONTH_DAY}")
    if low <= 6 <= high:
        forms.append(f"[0-9]{{2}}{_MONTH_DAY}")
    return f"(?:{'|'.join(forms)})" if forms else "(?!)"


def _time(low: int, high: int) -> str:
    forms = [
        f"{_TIME}{more}"
        for size, more in ((8, "[0-5][0-9][0-9]{2}"), (7, "[0-5][0-9][0-9]"), (6, "[0-5][0-9]"))
        if low <= size <= high
    ]
    if low <= 4 <= high:
        forms.append(_TIME)
    return f"(?:{'|'.join(forms)})" if forms else "(?!)"


def _decimal(low: int, high: int, mark: str) -> str:
    """Sign and decimal mark do not count in the length; digits stand on at least one side of the mark."""
    whole = f"[0-9]{{{low},{high}}}(?!{mark})"
    inside = mark[1:-1]
    parted = f"(?=[0-9{inside}]{{{low + 1},{high + 1}}}(?![0-9{inside}]))(?:[0-9]+{mark}[0-9]*|{mark}[0-9]+)"
    return f"-?(?:{whole}|{parted})"


def _relation(condition: Condition) -> str:
    """A condition as a test of named groups at the end of the expression; ``(?!)`` never matches."""
    first, *others = condition.positions
    if condition.kind == "P":
        pairs = zip(condition.positions, (*others, first), strict=True)
        return "".join(f"(?(e{one})(?(e{other})|(?!)))" for one, other in pairs)
    if condition.kind == "C":
        return "".join(f"(?(e{first})(?(e{other})|(?!)))" for other in others)
    if condition.kind == "E":
        found = [(one, other) for at, one in enumerate(condition.positions) for other in condition.positions[at + 1 :]]
        return "".join(f"(?(e{one})(?(e{other})(?!)))" for one, other in found)
    nested = "(?!)"
    for other in reversed(condition.positions if condition.kind == "R" else others):
        nested = f"(?(e{other})|{nested})"
    return nested if condition.kind == "R" else f"(?(e{first}){nested})"


def trie(words: Iterable[str]) -> str:
    """An expression for exactly these words that decides by one character after the other."""
    tree: dict[str, dict] = {}  # type: ignore[type-arg]
    for word in sorted(set(words)):
        branch = tree
        for character in word:
            branch = branch.setdefault(character, {})
        branch[""] = {}
    return _branch(tree)


def _branch(tree: dict[str, dict]) -> str:  # type: ignore[type-arg]
    if set(tree) == {""}:
        return ""
    leaves = [character for character, below in tree.items() if character and set(below) == {""}]
    forms = [
        re.escape(character) + _branch(below) for character, below in tree.items() if character and set(below) != {""}
    ]
    if len(leaves) > 1:
        forms.append(f"[{''.join(re.escape(each) for each in leaves)}]")
    else:
        forms.extend(re.escape(each) for each in leaves)
    joined = forms[0] if len(forms) == 1 else f"(?:{'|'.join(forms)})"
    if "" in tree:
        return f"(?:{joined})?" if len(forms) == 1 else f"{joined}?"
    return joined
