"""The services of a running system, described once: ``make demo`` starts them, docker-compose.yml must agree.

A description says what is run and which settings it gets, not where: addresses and secrets come from :class:`Places`
(the demo: free loopback ports) or from compose (host names and secret files).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

RELAY_ROLE = "dist_relay"
"""The PostgreSQL role of the relay's pump. It may call the functions of schema ``dist_relay`` and nothing else."""

VALKEY_OPTIONS = ("--maxmemory-policy", "noeviction", "--save", "", "--appendonly", "no")
"""Redis is transport: all durable state is in PostgreSQL. It must never evict; that it keeps nothing is on purpose."""


@dataclass(frozen=True)
class Description:
    """One service. ``settings`` are the names of the environment variables it needs, with fixed values where fixed."""

    name: str
    command: Sequence[str]
    settings: Mapping[str, str | None] = field(default_factory=dict)
    restart: bool = True
    scalable: bool = False


POSTGRES = Description("postgres", ("postgres",))
VALKEY = Description("valkey", ("valkey-server", *VALKEY_OPTIONS))
ODOO = Description("odoo", ("odoo",))
DIST_WORKER = Description("dist-worker", ("odoo", "dist_worker"))
RELAY_PUMP = Description(
    "relay-pump",
    ("dist-relay", "pump"),
    {
        "DIST_RELAY_DSN": None,
        "DIST_RELAY_REDIS_URL": None,
        "DIST_RELAY_KEY_FILE": None,
        "DIST_RELAY_HTTP_PORT": None,
        "DIST_RELAY_LOG_FORMAT": "json",
    },
)
RELAY_WORKER = Description(
    "relay-worker",
    ("dist-relay", "worker"),
    {
        "DIST_RELAY_REDIS_URL": None,
        "DIST_RELAY_KEY_FILE": None,
        "DIST_RELAY_HTTP_PORT": None,
        "DIST_RELAY_LOG_FORMAT": "json",
    },
    scalable=True,
)

SERVICES: Mapping[str, Description] = {
    service.name: service for service in (POSTGRES, VALKEY, ODOO, DIST_WORKER, RELAY_PUMP, RELAY_WORKER)
}
"""Every service in the order it is started; each needs those before it."""


@dataclass(frozen=True)
class Places:
    """Where the services of one run are: loopback ports, the database, files."""

    database: str
    postgres_port: int
    valkey_port: int
    odoo_port: int
    key_file: str

    @property
    def odoo_url(self) -> str:
        return f"http://127.0.0.1:{self.odoo_port}"

    @property
    def redis_url(self) -> str:
        return f"redis://127.0.0.1:{self.valkey_port}/0"

    @property
    def relay_dsn(self) -> str:
        return f"postgresql://{RELAY_ROLE}@127.0.0.1:{self.postgres_port}/{self.database}"

    def environment(self, service: Description, **extra: str) -> dict[str, str]:
        """The environment of a service: what it names, filled in; nothing it does not name."""
        values = {
            "DIST_RELAY_DSN": self.relay_dsn,
            "DIST_RELAY_REDIS_URL": self.redis_url,
            "DIST_RELAY_KEY_FILE": self.key_file,
            "DIST_RELAY_HTTP_PORT": "0",
        }
        return {name: fixed or values[name] for name, fixed in service.settings.items()} | extra
