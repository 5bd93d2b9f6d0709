"""Run the fake store until interrupted; the first line on standard output is its address."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from .server import FakeShopify


def main(argv: list[str] | None = None) -> int:
    """Serve; SIGTERM and Ctrl-C stop it."""
    parser = argparse.ArgumentParser(prog="python -m dist_relay.testkit.fake_shopify", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--state", type=Path, help="file to keep the state in, so that it survives a restart")
    parser.add_argument("--skus", type=int, default=0, help="fill an empty store with this many products")
    parser.add_argument("--stock", type=int, default=100, help="pieces of each product at each location")
    parser.add_argument("--locations", type=int, default=2)
    parser.add_argument("--bucket", type=float, default=20_000.0, help="points the cost bucket holds")
    parser.add_argument("--rate", type=float, default=1_000.0, help="points that come back each second")
    options = parser.parse_args(argv)
    fake = FakeShopify(port=options.port, state=options.state, maximum=options.bucket, rate=options.rate)
    if options.skus and not fake.store.all("variant"):
        fake.control.seed(skus=options.skus, stock=options.stock, locations=options.locations)
        fake.store.commit()
    signal.signal(signal.SIGTERM, _interrupt)
    print(fake.url, flush=True)
    try:
        fake.serve_forever()
    except KeyboardInterrupt:
        return 0
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
