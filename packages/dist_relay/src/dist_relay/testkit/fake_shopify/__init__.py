"""A Shopify store that is not one: stateful, strict as the real API, with faults on demand.

    with FakeShopify() as fake:
        fake.control.seed(skus=20)
        fake.control.place_orders(count=5)

As a process: ``python -m dist_relay.testkit.fake_shopify --port 8099 --state fake.db``; then ``POST
/_control/<command>`` with JSON arguments (:class:`.control.Control`), ``GET /_control/state``.
"""

from .control import CLIENT, SCOPES, TOKEN
from .server import FakeShopify

__all__ = ["CLIENT", "SCOPES", "TOKEN", "FakeShopify"]
