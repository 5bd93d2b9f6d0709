"""Odoo 19 out of Debian's packages, unpacked into the cache: no root, and nothing of the system is changed.

The package lies in Debian's unstable suite. The machine's own Debian package source is copied with that suite; apt
works on lists and caches of its own. A few packages that Odoo's package links to are unpacked into the same root.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from . import ui
from .layout import Layout
from .odoo import find_odoo
from .steps import Step

FROM_UNSTABLE = (
    "odoo-19", "libjs-jquery", "libjs-jquery-form", "libjs-underscore",
    "fonts-montserrat", "fonts-roboto-unhinted", "fonts-ocr-b",
)  # fmt: skip
#: Newer versions of these lack the files Odoo's package links to, so they come from the machine's own suite.
FROM_OWN_SUITE = ("fonts-font-awesome", "fonts-inconsolata")

_SUITES = {"oldstable", "stable", "testing", "unstable", "sid", "bullseye", "bookworm", "trixie", "forky", "duke"}
_HINT = "Check the network and apt's sources, and run the same command again; it starts this step anew."
_ELSEWHERE = (
    "name an Odoo 19 checkout with ODOO_HOME=/path, a file with a Debian package source with "
    "DIST_DEBIAN_SOURCES=/path, or use Docker Compose (docs/install.md)"
)


def odoo_step(layout: Layout) -> Step:
    found = find_odoo(layout)
    mine = found.source == "debian"

    def inputs() -> Iterable[str | Path]:
        return [found.source, str(found.import_path), *((*FROM_UNSTABLE, *FROM_OWN_SUITE) if mine else ())]

    def run() -> str:
        if not mine:
            return f"{found.source}: {found.import_path}"
        if not _whole(layout.odoo_root):
            _unpack_odoo(layout)
        return f"Debian's package in {layout.short(layout.odoo_root)}"

    return Step("odoo", "Odoo 19", inputs, run, (found.import_path / "odoo" / "release.py").is_file)


def package_source(text_files: Iterable[tuple[str, str]], suite: str | None) -> tuple[str, str, str]:
    """Find a Debian package source among apt's files and point it to ``suite`` (None: leave it as it is).

    :param text_files: (file name, content) of ``*.sources`` (deb822) and ``*.list`` (one line per source) files.
    :returns: file extension, content of the new file, the suite that was found.
    :raises Problem: when there is none.
    """
    for name, content in text_files:
        finder = _from_deb822 if name.endswith(".sources") else _from_lines
        found = finder(content, suite)
        if found:
            return found
    raise ui.Problem(f"This machine has no Debian package source to take Odoo 19 from: {_ELSEWHERE}.")


def _from_deb822(content: str, suite: str | None) -> tuple[str, str, str] | None:
    for stanza in re.split(r"\n\s*\n", content):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", "\n".join(lines), flags=re.M))
        own = next((each for each in fields.get("Suites", "").split() if each in _SUITES), None)
        if not own or "deb" not in fields.get("Types", "").split() or fields.get("Enabled", "yes").lower() == "no":
            continue
        if "main" not in fields.get("Components", "").split():
            continue
        changed = re.sub(r"^Types:.*$", "Types: deb", "\n".join(lines), flags=re.M)
        changed = re.sub(r"^Components:.*$", "Components: main", changed, flags=re.M)
        return "sources", re.sub(r"^Suites:.*$", f"Suites: {suite or own}", changed, flags=re.M).strip() + "\n", own
    return None


def _from_lines(content: str, suite: str | None) -> tuple[str, str, str] | None:
    for line in content.splitlines():
        match = re.match(r"deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)", line.split("#")[0].strip())
        if match and match[3] in _SUITES and "main" in match[4].split():
            return "list", f"deb {match[1] or ''}{match[2]} {suite or match[3]} main\n", match[3]
    return None


def _apt_files() -> list[tuple[str, str]]:
    named = os.environ.get("DIST_DEBIAN_SOURCES")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise ui.Problem(f"DIST_DEBIAN_SOURCES={named} is not a file; name a .sources or .list file.")
        return [(path.name, path.read_text())]
    folder = Path("/etc/apt/sources.list.d")
    paths = [*sorted(folder.glob("*.sources")), Path("/etc/apt/sources.list"), *sorted(folder.glob("*.list"))]
    return [(path.name, path.read_text()) for path in paths if path.is_file() and os.access(path, os.R_OK)]


class _Apt:
    """apt-get with sources, lists and cache of its own under ``folder``."""

    def __init__(self, layout: Layout, folder: Path, suite: str | None) -> None:
        self.layout, self.folder = layout, folder
        extension, content, self.own_suite = package_source(_apt_files(), suite)
        for sub in ("lists/partial", "archives/partial", "parts"):
            (folder / sub).mkdir(parents=True, exist_ok=True)
        for old in (folder / "parts").iterdir():
            old.unlink()
        (folder / "parts" / f"source.{extension}").write_text(content)
        self.log = layout.logs / "setup" / "apt.log"
        self.options = [
            part
            for option in (
                "Dir::Etc::sourcelist=/dev/null",
                f"Dir::Etc::sourceparts={folder / 'parts'}",
                f"Dir::State::Lists={folder / 'lists'}",
                f"Dir::Cache={folder}",
                "APT::Sandbox::User=",
                "Acquire::Retries=3",
                "Acquire::Languages=none",
            )
            for part in ("-o", option)
        ]

    def download(self, packages: Iterable[str]) -> list[Path]:
        """Download packages; apt checks signatures and hashes and goes on with a half-downloaded file."""
        archives = self.folder / "archives"
        update = ["apt-get", *self.options, "-q", "update", "--error-on=any"]
        ui.run_logged(update, self.log, name="odoo", title="Reading Debian's package list", hint=_HINT)
        wanted = list(packages)
        command = ["apt-get", *self.options, "-q", "download", *wanted]
        title = f"Downloading {wanted[0]}"
        show = lambda: f"{_size(archives) / 1e6:.0f} MB"  # noqa: E731
        ui.run_logged(command, self.log, name="odoo", title=title, hint=_HINT, cwd=archives, detail=show)
        return [self._newest(archives, package) for package in wanted]

    def _newest(self, archives: Path, package: str) -> Path:
        found = sorted(archives.glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime)
        if not found:
            raise ui.Problem(f"apt-get said it downloaded {package}, but its file is not there. {_HINT}")
        return found[-1]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _whole(root: Path) -> bool:
    """Is this root complete: Odoo and the link targets without which pages fail?"""
    addons = root / "usr" / "lib" / "python3" / "dist-packages" / "odoo" / "addons"
    return (addons / "base").is_dir() and (addons / "web" / "static" / "lib" / "jquery" / "jquery.js").exists()


def _unpack_odoo(layout: Layout) -> None:
    unstable = _Apt(layout, layout.apt / "unstable", "sid").download(FROM_UNSTABLE)
    own = _Apt(layout, layout.apt / "own", None).download(FROM_OWN_SUITE)
    half = layout.cache / "odoo-root.unfinished"
    if half.exists():
        shutil.rmtree(half)
    half.mkdir(parents=True)
    addons = half / "usr" / "lib" / "python3" / "dist-packages" / "odoo" / "addons"
    show = lambda: f"{len(os.listdir(addons)) if addons.is_dir() else 0} addons"  # noqa: E731
    for package in (*own, *unstable):
        title = f"Unpacking {package.name.split('_')[0]}"
        command = ["dpkg-deb", "--extract", package, half]
        log = layout.logs / "setup" / "apt.log"
        ui.run_logged(command, log, name="odoo", title=title, hint="Is the disk full? Needs 1.5 GB.", detail=show)
    if not _whole(half):
        raise ui.Problem(f"Debian's Odoo package unpacked to something incomplete: {_ELSEWHERE}.")
    if layout.odoo_root.exists():
        shutil.rmtree(layout.odoo_root)
    half.rename(layout.odoo_root)


def download_pip_wheel(layout: Layout) -> Path:
    """pip's wheel out of Debian's package, for machines whose Python came without ensurepip."""
    deb = _Apt(layout, layout.apt / "own", None).download(["python3-pip-whl"])[0]
    target = layout.apt / "pip"
    subprocess.run(["dpkg-deb", "--extract", deb, target], check=True)
    return next((target / "usr" / "share" / "python-wheels").glob("pip-*.whl"))
