"""Builds any trading document the models allow, for tests that must hold for all of them."""

from __future__ import annotations

import types
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from pydantic import AwareDatetime

from dist_contracts import Contract, Money
from dist_contracts.trade import Lot, TradeDocument

CURRENCY = "USD"
text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
amounts = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99999999"), places=2)
days = st.dates(date(2000, 1, 1), date(2060, 1, 1))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(timezone.utc))
_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: text,
    Decimal: amounts,
    date: days,
    datetime: moments,
    AwareDatetime: moments,
    bool: st.booleans(),
    int: st.integers(1, 28),
}
_NEEDED = {(Lot, "lot")}
_BY_PATTERN = {
    r"^(x12|edifact):[!-~]{1,17}$": st.sampled_from(["x12:ZZ", "edifact:AAK"]),
    r"^[A-Z]{3}$": st.sampled_from(["EXW", "DAP"]),
    r"^[A-Z]{2}$": st.sampled_from(["US", "DE"]),
    r"^[A-Z0-9]{2}$": st.sampled_from(["CT", "PX"]),
    r"^[A-Z0-9]{2,3}$": st.sampled_from(["C62", "KGM", "XCS"]),
    r"^[0-9]{18}$": st.integers(0, 10**18 - 1).map("{:018d}".format),
}


def documents(model: type[Contract], depth: int = 4) -> st.SearchStrategy[Any]:
    """Every valid object of a model, with one currency, lists of at most two and units nested to ``depth``."""
    if model is Money:
        return st.builds(Money, amount=amounts, currency=st.just(CURRENCY))
    hints = get_type_hints(model, include_extras=True)
    fields = {name: _values(hints[name], depth - 1) for name in model.model_fields}
    if issubclass(model, TradeDocument):
        fields["currency"] = st.just(CURRENCY)
    needed = {name for name, field in model.model_fields.items() if field.is_required()}
    needed |= {name for name in fields if (model, name) in _NEEDED or name == "currency"}
    required = {name: fields.pop(name) for name in sorted(needed)}
    return st.fixed_dictionaries(required, optional=fields).map(lambda values: model(**values))


def _values(hint: Any, depth: int) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        pattern = next((found for each in arguments[1:] if (found := _pattern(each))), None)
        return _BY_PATTERN[pattern] if pattern else _values(arguments[0], depth)
    if origin in (Union, types.UnionType):
        return st.one_of([_values(each, depth) for each in arguments if each is not type(None)])
    if origin is tuple:
        if depth <= 0:
            return st.just(())
        return st.lists(_values(arguments[0], depth), max_size=2).map(tuple)
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return documents(hint, depth)


def _pattern(metadata: Any) -> str | None:
    found = [getattr(each, "pattern", None) for each in (metadata, *getattr(metadata, "metadata", ()))]
    return next((each for each in found if each), None)
