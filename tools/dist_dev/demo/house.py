"""Starts the whole house for one run: database, Valkey, Odoo, its workers, the relay, the store and the warehouse."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dist_dev import template, ui
from dist_dev.layout import Layout
from dist_dev.postgres import Cluster, Databases
from dist_dev.services import DIST_WORKER, ODOO, RELAY_PUMP, RELAY_WORKER, VALKEY, Description, Places
from dist_dev.stack import running_postgres
from dist_dev.supervisor import Service, Supervisor, free_port, http_ready, tcp_ready

from .odoo_rpc import OdooRpc
from .store_side import Store

MORTAL = (ODOO.name, DIST_WORKER.name, RELAY_PUMP.name, RELAY_WORKER.name, VALKEY.name)
"""Services that a run with chaos kills. Valkey keeps nothing on disk: killing it throws its data away."""

QUICK = {
    "DIST_RELAY_LEASE_SECONDS": "20",
    "DIST_RELAY_CALL_SECONDS": "8",
    "DIST_RELAY_CLAIM_IDLE_SECONDS": "10",
}
"""Shorter than the defaults: a demo should not wait minutes for what a killed process had in hand."""


@dataclass(frozen=True)
class House:
    """A running house and how to talk to it."""

    supervisor: Supervisor
    places: Places
    owner_dsn: str
    odoo: OdooRpc
    store: Store
    relay_settings: Path


@contextmanager
def house(layout: Layout, skus: int, name: str = "demo") -> Iterator[House]:
    """Start everything; leaving ends everything. The database is a fresh copy of the template.

    ``name`` tells houses of one cache apart: it names the database (``dist_<name>``), the logs and the files of a run.
    """
    database = f"dist_{name}"
    with Supervisor(layout.logs / name, layout.status(name)) as supervisor:
        cluster = Cluster(layout)
        port = running_postgres(layout)
        if port is None:
            port = free_port()
            supervisor.start(cluster.service(port))
        databases = Databases(cluster, port)
        places = _places(layout, port, name)
        config = template.write_config(
            layout,
            databases,
            layout.state / f"{name}.odoo.conf",
            http_port=places.odoo_port,
            max_cron_threads=1,
            db_name=database,
        )
        template.ensure(layout, databases, config)
        ui.step(name, f"copying the template to the database {database}")
        databases.copy(template.FULL, database)
        login = cluster.environment(port) | {"PGDATABASE": database}
        key = _bootstrap(layout, config, database, login)
        store = _start(supervisor, layout, places, config, skus, login)
        odoo = OdooRpc(places.odoo_url, database, key)
        owner = f"postgresql://odoo:{cluster.password}@127.0.0.1:{port}/{database}"
        supervisor.start(_warehouse(layout, places, key))
        yield House(supervisor, places, owner, odoo, store, _relay_settings(layout, places, name))


def _places(layout: Layout, postgres_port: int, name: str) -> Places:
    key_file = layout.state / f"{name}.relay.key"
    key_file.unlink(missing_ok=True)
    subprocess.run([layout.venv / "bin" / "dist-relay", "keygen", key_file], check=True, capture_output=True)
    return Places(
        database=f"dist_{name}",
        postgres_port=postgres_port,
        valkey_port=free_port(),
        odoo_port=free_port(),
        key_file=str(key_file),
    )


def _relay_settings(layout: Layout, places: Places, name: str) -> Path:
    """A settings file with which a person can run ``dist-relay status`` and the like against this house."""
    target = layout.state / f"{name}.relay.env"
    target.touch(mode=0o600)
    settings = places.environment(RELAY_PUMP)
    target.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    return target


def _bootstrap(layout: Layout, config: Path, database: str, login: Mapping[str, str]) -> str:
    command = [str(part) for part in (layout.python, Path(__file__).with_name("bootstrap.py"), config, database)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=layout.repo, env={**os.environ, **login})
    if done.returncode:
        raise ui.Problem(f"Odoo could not give out an API key: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return done.stdout.split()[-1]


def _start(
    supervisor: Supervisor, layout: Layout, places: Places, config: Path, skus: int, login: Mapping[str, str]
) -> Store:
    """Start all but the warehouse. ``login``: Odoo takes libpq's variables before its file, so they must be ours."""
    odoo = [str(layout.python), "-m", "odoo"]
    addons_path = next(line for line in config.read_text().splitlines() if line.startswith("addons_path"))
    commands: list[tuple[Description, list[object]]] = [
        (VALKEY, [layout.valkey_server, "--bind", "127.0.0.1", "--port", places.valkey_port, *VALKEY.command[1:]]),
        (ODOO, [*odoo, "-c", config]),
        (
            DIST_WORKER,
            [
                *odoo,
                f"--addons-path={addons_path.partition('=')[2].strip()}",
                *DIST_WORKER.command[1:],
                *("-c", config, "-d", places.database, "--processes", 2),
            ],
        ),
        (RELAY_PUMP, [layout.venv / "bin" / RELAY_PUMP.command[0], *RELAY_PUMP.command[1:]]),
        (RELAY_WORKER, [layout.venv / "bin" / RELAY_WORKER.command[0], *RELAY_WORKER.command[1:]]),
    ]
    checks = {
        VALKEY.name: tcp_ready(places.valkey_port),
        ODOO.name: http_ready(f"{places.odoo_url}/web/health"),
    }
    for description, argv in commands:
        env = places.environment(description)
        env |= QUICK if description in (RELAY_PUMP, RELAY_WORKER) else {}
        env |= login if description in (ODOO, DIST_WORKER) else {}
        supervisor.start(_service(layout, description, argv, env, checks.get(description.name)), timeout=120)
    port = free_port()
    argv = [layout.python, "-m", "dist_relay.testkit.fake_shopify", "--port", port, "--skus", skus, "--stock", 0]
    supervisor.start(Service("store", [str(part) for part in argv], cwd=layout.repo, ready=tcp_ready(port)))
    return Store(f"http://127.0.0.1:{port}")


def _service(
    layout: Layout,
    description: Description,
    argv: list[object],
    env: Mapping[str, str],
    check: Callable[[], bool] | None,
) -> Service:
    return Service(description.name, [str(part) for part in argv], env=env, cwd=layout.repo, ready=check, restart=True)


def _warehouse(layout: Layout, places: Places, key: str) -> Service:
    return Service(
        "warehouse",
        [str(layout.python), "-m", "dist_dev.demo.warehouse"],
        env={
            "PYTHONPATH": str(layout.repo / "tools"),
            "DEMO_ODOO_URL": places.odoo_url,
            "DEMO_ODOO_DB": places.database,
            "DEMO_ODOO_KEY": key,
            "PATH": os.environ.get("PATH", os.defpath),
        },
        cwd=layout.repo,
        restart=True,
    )
