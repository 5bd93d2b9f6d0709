"""Redis by ``rediss://``: the certificate is verified, and who cannot verify it is told what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dist_relay.doctor import examine
from dist_relay.runtime.redis_client import RedisError, connect
from dist_relay.settings import Settings
from dist_relay.testkit.tls import Authority, TlsProxy
from dist_relay.testkit.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def serve(authority: Authority, valkey: Any) -> Iterator[Any]:
    """Serves the test's Valkey with a certificate for an address: the port."""
    proxies: list[TlsProxy] = []

    def start(address: str) -> int:
        proxies.append(TlsProxy(authority.server(address), valkey.port))
        return proxies[-1].port

    yield start
    for proxy in proxies:
        proxy.end()


def bad(url: str) -> str:
    """What the doctor finds wrong with Redis, and says to do."""
    (found,) = (
        finding
        for finding in examine(Settings(redis_url=url))
        if finding.level == "bad" and finding.what.startswith("Redis")
    )
    return f"{found.what} {found.hint}"


def test_the_main_path_over_tls(serve, authority, relay, pg, world):
    url = f"rediss://127.0.0.1:{serve('127.0.0.1')}/0?ssl_ca_certs={authority.file}"
    world.listings(30)
    pg.schedule("shop", "listings.pull")
    for number in range(40):
        pg.emit("shop", "shipment.confirm.v1", f"order-{number % 7}")
    relay(redis_url=url)
    until(lambda: pg.open_rows() == 0)
    until(lambda: len(pg.facts()["jobs"]) == 30)
    assert {row.state for row in pg.rows()} == {"delivered"}
    assert len(world.ledger()) == 40
    found = list(examine(Settings(redis_url=url)))
    assert any(finding.what.startswith("Redis") and finding.level == "ok" for finding in found)


def test_a_certificate_of_an_unknown_authority_is_refused(serve, tmp_path):
    other = Authority(tmp_path, "Somebody else")
    port = serve("127.0.0.1")
    for query in (f"?ssl_ca_certs={other.file}", ""):  # the wrong authority; the ones of this machine
        url = f"rediss://127.0.0.1:{port}/0{query}"
        with pytest.raises(RedisError, match="certificate verify failed"):
            connect(url).ping()
        found = bad(url)
        assert "certificate verify failed" in found
        assert "name its authority" in found
        assert "ssl_ca_certs" in found


def test_a_certificate_of_another_host_is_refused(serve, authority):
    url = f"rediss://127.0.0.1:{serve('127.0.0.2')}/0?ssl_ca_certs={authority.file}"
    with pytest.raises(RedisError, match="certificate verify failed"):
        connect(url).ping()
    assert "for another name" in bad(url)


def test_tls_towards_a_port_without_it(valkey, authority):
    assert "speak TLS at this port?" in bad(f"rediss://127.0.0.1:{valkey.port}/0?ssl_ca_certs={authority.file}")


def test_an_authority_that_cannot_be_read(valkey, tmp_path):
    found = bad(f"rediss://127.0.0.1:{valkey.port}/0?ssl_ca_certs={tmp_path / 'nothing.pem'}")
    assert f"ssl_ca_certs={tmp_path / 'nothing.pem'} cannot be read" in found
