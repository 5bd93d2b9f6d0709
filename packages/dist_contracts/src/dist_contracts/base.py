"""The base every canonical object shares: frozen, strict, closed.

What we *produce* refuses unknown fields, so that a typo never leaves the house. What we *read* may come from a newer
release of the other side: :meth:`Contract.read` sets unknown fields aside and reports their paths instead of failing.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

_C = TypeVar("_C", bound="Contract")

MAX_PAYLOAD_BYTES = 1_000_000
"""Largest payload of one envelope in bytes of JSON; larger ones are refused before anything is stored."""


def _utc(value: datetime) -> datetime:
    return value.astimezone(timezone.utc)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_utc)]
"""An aware moment, normalised to UTC; naive values are refused."""

Text = Annotated[str, Field(max_length=4_000)]
"""Free text with a bound, so that no outside system can make a row arbitrarily large."""

Ref = Annotated[str, Field(min_length=1, max_length=255)]
"""An identifier given by an outside system; compared as text, never parsed."""

Amount = Annotated[Decimal, Field(max_digits=20, decimal_places=6, allow_inf_nan=False)]
"""An exact decimal, written as a string in JSON; never a float."""


class Contract(BaseModel):
    """A canonical object: immutable, strict on types, closed against unknown fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", ser_json_inf_nan="null")

    @classmethod
    def read(cls: type[_C], data: str | bytes | dict[str, Any]) -> tuple[_C, tuple[str, ...]]:
        """Read data from the other side and return the object with the dotted paths of the fields it did not know.

        :raises pydantic.ValidationError: when a known field is missing or wrong; unknown fields never raise.
        """
        tree = json.loads(data) if isinstance(data, str | bytes) else json.loads(json.dumps(data))
        try:
            return cls.model_validate_json(json.dumps(tree)), ()
        except ValidationError as error:
            unknown = [e["loc"] for e in error.errors() if e["type"] == "extra_forbidden"]
            if not unknown:
                raise
        for path in unknown:
            _remove(tree, path)
        return cls.model_validate_json(json.dumps(tree)), tuple(".".join(map(str, path)) for path in unknown)

    def to_json(self) -> dict[str, Any]:
        """The object as JSON types (decimals and times as strings), without fields that are unset or ``None``."""
        return self.model_dump(mode="json", exclude_none=True)


def _remove(tree: Any, path: tuple[int | str, ...]) -> None:
    *parents, last = path
    for step in parents:
        tree = tree[step]
    del tree[last]
