"""Does a changed schema still read everything the released one allowed? A pure function over two JSON Schemas.

The rule is for readers: the side that reads is upgraded first, and must go on reading what an older writer sends. So
nothing may disappear, become required, or become narrower, and an absent field keeps its meaning (its default).
Whatever the checker cannot prove to be as wide as before (a changed pattern, say) counts as a break: a change that is
worth it gets a new version of the type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_Schema = Mapping[str, Any]
_LOWER = ("minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum")
_UPPER = ("maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum")
_SAME = ("pattern", "format", "multipleOf", "uniqueItems")
_ABSENT = object()


def breaks(released: _Schema, current: _Schema) -> list[str]:
    """Each way in which ``current`` no longer reads what ``released`` did, as ``path: what``; empty when compatible.

    >>> old = {"type": "object", "properties": {"a": {"type": "string"}}}
    >>> breaks(old, {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}})
    []
    >>> breaks(old, {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
    ['a: is required now', 'a: type narrowed from string to integer']
    """
    return sorted(set(_Comparison(released, current).compare(released, current, "")))


class _Comparison:
    """One comparison: holds both roots for ``$ref`` and the pairs already under way, so that recursion ends."""

    def __init__(self, released: _Schema, current: _Schema) -> None:
        self.roots = (released, current)
        self.under_way: set[tuple[str, str]] = set()

    def compare(self, old: _Schema, new: _Schema, path: str) -> Iterator[str]:
        references = (str(old.get("$ref", "")), str(new.get("$ref", "")))
        if all(references):
            if references in self.under_way:
                return
            self.under_way.add(references)
        old, new = _resolve(self.roots[0], old), _resolve(self.roots[1], new)
        if old.get("default", _ABSENT) != new.get("default", _ABSENT) and "default" in old:
            yield f"{path}: default changed, so an absent field means something else"
        yield from self._alternatives(old, new, path)
        if all(references):
            self.under_way.discard(references)

    def _alternatives(self, old: _Schema, new: _Schema, path: str) -> Iterator[str]:
        olds, news = _alternatives_of(old), _alternatives_of(new)
        if len(olds) == len(news) == 1:
            yield from self._plain(olds[0], news[0], path)
            return
        for one in olds:
            found = [list(self.compare(one, other, path)) for other in news]
            if all(found):
                related = [problems for problems in found if not any(": type narrowed" in text for text in problems)]
                lost = f"{path}: {_name(_resolve(self.roots[0], one))} is no longer taken"
                yield from min(related, key=len) if related else [lost]

    def _plain(self, old: _Schema, new: _Schema, path: str) -> Iterator[str]:
        old, new = _resolve(self.roots[0], old), _resolve(self.roots[1], new)
        before, after = old.get("type", "anything"), new.get("type", "anything")
        if after not in (before, "anything") and (before, after) != ("integer", "number"):
            yield f"{path}: type narrowed from {before} to {after}"
            return
        yield from _values(old, new, path)
        yield from _bounds(old, new, path)
        yield from self._properties(old, new, path)
        yield from self._items(old, new, path)

    def _properties(self, old: _Schema, new: _Schema, path: str) -> Iterator[str]:
        olds, news = old.get("properties", {}), new.get("properties", {})
        for name, schema in olds.items():
            inner = f"{path}.{name}" if path else name
            if name in news:
                yield from self.compare(schema, news[name], inner)
            else:
                yield f"{inner}: removed"
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{path}.{name}: is required now" if path else f"{name}: is required now"
        extra_old, extra_new = old.get("additionalProperties", True), new.get("additionalProperties", True)
        yield from self._open(extra_old, extra_new, f"{path}.*" if path else "*")

    def _open(self, old: Any, new: Any, path: str) -> Iterator[str]:
        if old is False or new is True:
            return
        if new is False:
            yield f"{path}: closed against other keys"
        else:
            yield from self.compare({} if old is True else old, new, path)

    def _items(self, old: _Schema, new: _Schema, path: str) -> Iterator[str]:
        if "items" in new:
            yield from self.compare(old.get("items", {}), new["items"], f"{path}[]")
        olds, news = old.get("prefixItems", ()), new.get("prefixItems", ())
        if len(olds) != len(news):
            yield f"{path}: number of positions changed from {len(olds)} to {len(news)}"
        for index, (one, other) in enumerate(zip(olds, news, strict=False)):
            yield from self.compare(one, other, f"{path}[{index}]")


def _resolve(root: _Schema, schema: _Schema) -> _Schema:
    while "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _alternatives_of(schema: _Schema) -> list[_Schema]:
    return list(schema.get("anyOf") or schema.get("oneOf") or [schema])


def _name(schema: _Schema) -> str:
    return str(schema.get("title") or schema.get("type") or "an alternative")


def _choices(schema: _Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _values(old: _Schema, new: _Schema, path: str) -> Iterator[str]:
    before, after = _choices(old), _choices(new)
    if after is not None and before is None:
        yield f"{path}: limited to {', '.join(map(str, after))}"
    elif after is not None and (gone := [str(value) for value in before or () if value not in after]):
        yield f"{path}: no longer takes {', '.join(gone)}"
    for keyword in _SAME:
        if keyword in new and new[keyword] != old.get(keyword):
            yield f"{path}: {keyword} changed from {old.get(keyword, 'none')} to {new[keyword]}"


def _bounds(old: _Schema, new: _Schema, path: str) -> Iterator[str]:
    for keyword in _LOWER + _UPPER:
        if keyword not in new:
            continue
        before, after = old.get(keyword), new[keyword]
        narrower = before is None or (after > before if keyword in _LOWER else after < before)
        if narrower and not (keyword.startswith("min") and after == 0 and keyword != "minimum"):
            yield f"{path}: {keyword} narrowed from {'none' if before is None else before} to {after}"
