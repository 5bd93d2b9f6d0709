"""The services that tests need: PostgreSQL with its templates, and where things are told to them by environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import template, ui
from .browser import find_chromium
from .layout import Layout
from .postgres import Cluster, Databases
from .steps import Stamps, digest
from .supervisor import Supervisor, free_port, running


@dataclass(frozen=True)
class Running:
    """Services that are up, and how to reach them."""

    layout: Layout
    databases: Databases
    odoo_config: Path
    supervisor: Supervisor

    def environment(self) -> dict[str, str]:
        """Names that tests read (docs/development.md lists them)."""
        cluster, port = self.databases.cluster, self.databases.port
        return {
            **cluster.environment(port),
            "DIST_PG_DSN": f"postgresql://odoo:{cluster.password}@127.0.0.1:{port}/postgres",
            "DIST_TEST_DB": f"postgresql://odoo:{cluster.password}@127.0.0.1:{port}/{template.FULL}",
            "DIST_PG_BIN": str(cluster.bin),
            "DIST_VALKEY_SERVER": str(self.layout.valkey_server),
            "DIST_ODOO_CONF": str(self.odoo_config),
            "DIST_CHROMIUM": find_chromium() or "none",
            "DIST_CONTRACTS_DIR": str(self.layout.contracts_dir),
            "DIST_CACHE": str(self.layout.cache),
            "PATH": f"{self.layout.venv / 'bin'}:{cluster.bin}:{os.environ.get('PATH', os.defpath)}",
        }


def running_postgres(layout: Layout) -> int | None:
    """Port of the cluster if another command of this cache runs it."""
    for services in running(layout.state).values():
        if "postgres" in services:
            return int(services["postgres"]["port"])
    return None


def postgres_log(layout: Layout) -> str | None:
    """The log file of the cluster while it runs, whoever started it."""
    for services in running(layout.state).values():
        if "postgres" in services:
            return services["postgres"]["log"]
    return None


@contextmanager
def test_services(
    layout: Layout,
    name: str,
    settings: Mapping[str, str] | None = None,  # noqa: PT028 - it is not a test
) -> Iterator[Running]:
    """PostgreSQL (this command's own, or that of another running command) with current templates.

    :param settings: of PostgreSQL, for this command's own server.
    """
    cluster = Cluster(layout)
    with Supervisor(layout.logs / name, layout.status(name)) as supervisor:
        port = running_postgres(layout)
        if port is None:
            port = free_port()
            supervisor.start(cluster.service(port, settings))
        else:
            ui.step("services", f"using the PostgreSQL that already runs on port {port}")
        databases = Databases(cluster, port)
        config = template.write_config(layout, databases, layout.state / f"{name}.odoo.conf")
        template.ensure(layout, databases, config)
        yield Running(layout, databases, config, supervisor)


def template_needed(layout: Layout) -> bool:
    """Are the templates older than the addons? Looked at without starting anything."""
    stamps = Stamps(layout.state / "stamps")
    names = [str(path.relative_to(layout.addons_dir)) for path in template.addon_files(layout)]
    current = digest([*names, *template.addon_files(layout)])
    return not stamps.read("template_base") or stamps.read("template").get("inputs") != current
