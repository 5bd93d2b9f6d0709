"""The base every canonical object shares: frozen, strict, closed.

What we *produce* refuses unknown fields, so that a typo never leaves the house. What we *read* may come from a newer
release of the other side: :meth:`Contract.read` sets unknown fields aside and reports their paths instead of failing.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import from_json, to_json

_C = TypeVar("_C", bound="Contract")

MAX_PAYLOAD_BYTES = 2_000_000
"""Largest payload of one envelope in bytes of JSON; larger ones are refused before anything is stored.

An order of 1,000 lines with discounts and taxes in two currencies takes about half of it.
"""

_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})"
)
_DATETIME = TypeAdapter(datetime)
_NUL = "\x00"


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError("the moment lies outside the years 1 to 9999 in UTC") from None


def _moment(value: Any, info: ValidationInfo) -> Any:
    """Read a moment from JSON text only as RFC 3339 with its offset: never from epoch seconds or a bare date."""
    if info.mode == "python" or not isinstance(value, str):
        return value
    if not _MOMENT.fullmatch(value):
        raise ValueError("a moment is written like 2026-01-31T12:00:00Z, with its offset from UTC")
    try:
        return _DATETIME.validate_strings(value)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"]) from None


def _decimal(value: Any, info: ValidationInfo) -> Any:
    """Read a decimal from JSON text or a JSON integer; refuse what is not exact or not plain (``1_000``, ``1e3``)."""
    if info.mode == "python" or isinstance(value, bool):
        return value
    if isinstance(value, int) or (isinstance(value, str) and _DECIMAL.fullmatch(value)):
        return Decimal(value)
    if isinstance(value, float):
        raise ValueError("a decimal is written as a string; a floating-point number is not exact")
    raise ValueError("a decimal is written like -12.50: a string of digits with one point, without exponent")


def _plain(value: Decimal) -> Decimal:
    """Write ``1E+3`` as ``1000`` and ``-0`` as ``0``, so that equal amounts look equal on the wire."""
    return Decimal(format(value if value else abs(value), "f"))


def _without_nul(value: str) -> str:
    return value.replace(_NUL, "")


def _no_nul(value: str) -> str:
    if _NUL in value:
        raise ValueError("an identifier cannot contain the character U+0000")
    return value


def _clip(value: Any) -> Any:
    return value[:3_999] + "…" if isinstance(value, str) and len(value) > 4_000 else value


def _json_object(value: dict[str, Any]) -> dict[str, Any]:
    """Reduce to plain JSON types within :data:`MAX_PAYLOAD_BYTES`; PostgreSQL's jsonb takes neither NaN nor U+0000."""
    try:
        raw = to_json(value, inf_nan_mode="constants")
        tree = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise ValueError(f"not representable in JSON: {error}") from None
    if len(raw) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"{len(raw)} bytes of JSON, at most {MAX_PAYLOAD_BYTES} are taken")
    cleaned: dict[str, Any] = _deep_clean(tree) if b"\\u0000" in raw else tree
    return cleaned


def _deep_clean(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {_without_nul(key): _deep_clean(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_deep_clean(value) for value in tree]
    return _without_nul(tree) if isinstance(tree, str) else tree


UtcDatetime = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_utc)]
"""An aware moment, normalised to UTC; naive values are refused."""

Text = Annotated[str, Field(max_length=4_000), AfterValidator(_without_nul)]
"""Free text with a bound, so that no outside system can make a row arbitrarily large; U+0000 is dropped."""

LongText = Annotated[str, Field(max_length=20_000), AfterValidator(_without_nul)]
"""What a person wrote (a note, a gift message); channels allow more there than in a title."""

Diagnostic = Annotated[str, BeforeValidator(_clip), Field(max_length=4_000), AfterValidator(_without_nul)]
"""A message about a failure: clipped instead of refused, so that telling of an error never fails itself."""

Ref = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_no_nul)]
"""An identifier given by an outside system; compared as text, never parsed."""

Amount = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(max_digits=20, decimal_places=6, allow_inf_nan=False),
    AfterValidator(_plain),
]
"""An exact decimal, written as a string in JSON; never a float. A JSON integer is read too, since it is exact."""

JsonObject = Annotated[dict[str, Any], AfterValidator(_json_object)]
"""Free-form JSON: reduced to JSON types, bounded by :data:`MAX_PAYLOAD_BYTES`, storable in PostgreSQL's jsonb."""


class Contract(BaseModel):
    """A canonical object: immutable, strict on types, closed against unknown fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", ser_json_inf_nan="null", allow_inf_nan=False)

    @classmethod
    def read(cls: type[_C], data: str | bytes | dict[str, Any]) -> tuple[_C, tuple[str, ...]]:
        """Read data from the other side and return the object with the dotted paths of the fields it did not know.

        ``data`` is JSON text, or a tree of JSON types as ``json.loads`` gives it (decimals and times are strings).

        :raises pydantic.ValidationError: when a known field is missing or wrong; unknown fields never raise.
        """
        raw = data if isinstance(data, str | bytes) else to_json(data, inf_nan_mode="constants")
        try:
            return cls.model_validate_json(raw), ()
        except ValidationError as error:
            unknown = [e["loc"] for e in error.errors(include_url=False) if e["type"] == "extra_forbidden"]
            if not unknown:
                raise
        tree = from_json(raw)
        for path in unknown:
            _remove(tree, path)
        known = cls.model_validate_json(to_json(tree, inf_nan_mode="constants"))
        return known, tuple(".".join(map(str, path)) for path in unknown)

    @classmethod
    def from_json(cls: type[_C], data: str | bytes | dict[str, Any]) -> _C:
        """Build what we are about to send from JSON types: :meth:`to_json` the other way round.

        :raises pydantic.ValidationError: when a field is missing, wrong or unknown.
        """
        return cls.model_validate_json(data if isinstance(data, str | bytes) else to_json(data))

    def to_json(self) -> dict[str, Any]:
        """The object as JSON types (decimals and times as strings), without fields that are unset or ``None``."""
        return self.model_dump(mode="json", exclude_none=True)


def explain(error: ValidationError, limit: int = 10) -> str:
    """Say in one text what is wrong, field by field, without repeating the values (they may be personal data).

    At most ``limit`` fields are named; the text says how many more there are.
    """
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    told = [f"{'.'.join(map(str, e['loc'])) or error.title}: {e['msg'].removeprefix('Value error, ')}" for e in errors]
    more = [f"and {len(told) - limit} more"] if len(told) > limit else []
    return "; ".join(told[:limit] + more)


def _remove(tree: Any, path: tuple[int | str, ...]) -> None:
    """Delete the unknown field at ``path``: always a key of an object, so indexes of lists stay what they were."""
    *parents, last = path
    for step in parents:
        tree = tree[step]
    del tree[last]
