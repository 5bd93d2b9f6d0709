"""A PostgreSQL cluster that may be killed, with a database in which Odoo has nothing but the engine and the ledger.

It lies in the cache folder beside the one of the other tests and is made once for each state of the addons.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from dist_dev import template, ui
from dist_dev.layout import Layout
from dist_dev.postgres import Cluster, Databases
from dist_dev.steps import Stamps, Step, run_step
from dist_dev.supervisor import Service, Supervisor

ADDONS = Path(__file__).parent / "addons"
LEDGER_ADDON = "dist_test_chaos"
TEMPLATE, DATABASE = "chaos_template", "chaos"
_NAME = "postgres-chaos"
_DURABLE = ("synchronous_commit=on", "full_page_writes=on")
"""Against the death of processes this is enough; what the machine has not written to disk survives them."""
_QUICK = ("deadlock_timeout=100ms",)
"""A storm of deadlocks is to be over soon."""


def service(cluster: Cluster, port: int) -> Service:
    """The server: started again whenever it dies, with what was committed before."""
    plain = cluster.service(port)
    options = [part for setting in (*_DURABLE, *_QUICK) for part in ("-c", setting)]
    return dataclasses.replace(plain, argv=[*plain.argv, *options], restart=True)


def ready(layout: Layout, supervisor: Supervisor, port: int, config: Path) -> Databases:
    """Start the cluster on ``port`` with a fresh copy of the template in ``chaos``."""
    cluster = Cluster(layout, _NAME)
    stamps = Stamps(layout.state / "stamps")
    made = Step(
        _NAME,
        "PostgreSQL cluster of the chaos tests",
        lambda: [str(cluster.home), str(cluster.user)],
        lambda: _make(cluster, stamps),
        lambda: (cluster.data / "PG_VERSION").exists(),
    )
    run_step(made, stamps)
    supervisor.start(service(cluster, port))
    databases = Databases(cluster, port)
    template.write_config(layout, databases, config, **options(layout))
    names = [str(path.relative_to(layout.addons_dir)) for path in template.addon_files(layout)]
    full = Step(
        "chaos_template",
        "Database of the chaos tests",
        lambda: [*names, *template.addon_files(layout), *_own_files()],
        lambda: _install(layout, databases, config),
        lambda: databases.exists(TEMPLATE),
    )
    run_step(full, stamps)
    databases.copy(TEMPLATE, DATABASE)
    # A copied sequence gives out the values its original had logged ahead without logging them again, until the next
    # checkpoint: a crash before it would take the sequence back.
    databases.sql("CHECKPOINT")
    return databases


def options(layout: Layout) -> dict[str, object]:
    """What the configuration of a chaos Odoo has beside the usual."""
    paths = [*template.find_odoo(layout).addons_paths, layout.addons_dir, ADDONS]
    return {"addons_path": ",".join(str(path) for path in paths if path.is_dir())}


def _make(cluster: Cluster, stamps: Stamps) -> str:
    cluster.prepare()
    cluster.initialise()
    stamps.drop("chaos_template")
    return f"cluster in {cluster.data}"


def _install(layout: Layout, databases: Databases, config: Path) -> str:
    half = f"{TEMPLATE}_unfinished"
    databases.drop(half)
    argv = [layout.python, "-m", "odoo", "-c", config, "-d", half, "-i", LEDGER_ADDON, "--stop-after-init", "--no-http"]
    env = {**os.environ, **databases.cluster.environment(databases.port)}
    log = layout.logs / "chaos" / "install.log"
    hint = "See the log; the addon lies in tests/chaos/addons."
    ui.run_logged(argv, log, name="chaos", title="installing", hint=hint, env=env, cwd=layout.repo)
    databases.rename(half, TEMPLATE)
    return f"{TEMPLATE} ready"


def _own_files() -> Iterable[Path]:
    return sorted(path for path in ADDONS.rglob("*") if path.suffix in (".py", ".csv"))


def kill(supervisor: Supervisor) -> None:
    """SIGKILL for the server and all its processes, each of which leads a group of its own; returns when all are gone.

    A new server must not meet one of the old: two of them on one folder would damage it.
    """
    server = psutil.Process(supervisor.pid("postgres"))
    family = [server, *server.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    supervisor.kill("postgres")
    psutil.wait_procs(family[1:], timeout=60)


def stop_at_once(supervisor: Supervisor) -> None:
    """An immediate shutdown: no checkpoint, every session dropped; it is started again by ``tend``.

    Its end is waited for: until then the old server may answer once more, and refuse the next.
    """
    server = psutil.Process(supervisor.pid("postgres"))
    os.kill(server.pid, signal.SIGQUIT)
    deadline = time.monotonic() + 60
    with suppress(psutil.NoSuchProcess):
        while server.status() != psutil.STATUS_ZOMBIE:  # the supervisor takes note of the end itself
            assert time.monotonic() < deadline, "PostgreSQL did not shut down"
            time.sleep(0.02)
