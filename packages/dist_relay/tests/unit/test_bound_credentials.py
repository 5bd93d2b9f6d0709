"""Credentials go to the address they were entered for, and to no other."""

from __future__ import annotations

from typing import Any

import pytest

from dist_contracts import BOUND, Capability, address
from dist_relay import crypto
from dist_relay.errors import CredentialsRefused
from dist_relay.logging import get
from dist_relay.runtime.connection import Config, Flows
from dist_relay.testkit.bus import MemoryThrottle
from dist_relay.testkit.clock import FakeClock
from dist_relay.testkit.fake_adapter import adapter

PRIVATE, PUBLIC = crypto.keygen()
SCHEMA = adapter.manifest.settings_schema
HOME = {"world": "w", "shop_domain": "shop.example", "overlap": 5}


def seen(sealed_for: dict[str, Any] | None, settings: dict[str, Any], code: str = "fake") -> Any:
    """The credentials the flow is given."""
    secret: dict[str, Any] = {"token": "t"}
    if sealed_for is not None:
        secret[BOUND] = address(code, SCHEMA, sealed_for)
    config = Config("c", "fake", "shop", "active", 1, settings, crypto.seal(PUBLIC, secret))
    flows, clock = Flows("db", FakeClock(), PRIVATE), FakeClock()
    flows.use(config, adapter, MemoryThrottle(clock), get())
    return flows.get(Capability.CHECK)._context.credentials  # type: ignore[attr-defined]


def test_they_are_given_out_for_their_own_address_without_the_binding():
    assert seen(HOME, {**HOME, "overlap": 9}) == {"token": "t"}


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({**HOME, "shop_domain": "attacker.example"}, "shop_domain"),
        ({**HOME, "endpoint": "https://attacker.example"}, "endpoint"),
        ({"world": "w"}, "shop_domain"),
        ({**HOME, "proxy": {"host": "attacker.example"}}, "proxy.host"),
    ],
)
def test_they_are_refused_for_another_address_by_name(settings, name):
    with pytest.raises(CredentialsRefused, match=name) as raised:
        seen(HOME, settings)
    assert "enter them again" in raised.value.message


def test_they_are_refused_for_another_adapter():
    with pytest.raises(CredentialsRefused, match="adapter"):
        seen(HOME, HOME, code="other")


def test_old_ones_without_a_binding_are_taken():
    assert seen(None, HOME) == {"token": "t"}
