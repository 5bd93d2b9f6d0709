"""Rules about the text of every file, whatever its kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .tree import Problem, at, files, text

# Put together so that this file does not break its own rules.
LEFTOVERS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
_HOSTS = [
    ".".join(parts)
    for parts in (
        ("archive", "ubuntu", "com"),
        ("deb", "debian", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("proxy", "golang", "org"),
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("quay", "io"),
        ("registry", "npmjs", "org"),
        ("security", "debian", "org"),
        ("static", "crates", "io"),
    )
]
MACHINE = re.compile(
    r"(?<![\w./~${}-])/(?:" + "|".join(("work/", r"home/\w", "root/", "Users/")) + ")"
    r"|\b(?:" + "|".join(map(re.escape, _HOSTS)) + r")\b",
    re.IGNORECASE,
)


LINK = re.compile(r"(?<!`)\]\((?P<target>[^)\s:]+)\)")


def links_lead_somewhere(root: Path) -> list[Problem]:
    """A link from one file of the project to another leads to a file that is there."""
    found = []
    for path in files(root, "*.md", "docs/**/*.md", "packages/*/*.md", "examples/**/*.md", "changelog.d/*.md"):
        for number, line in enumerate((text(path) or "").splitlines(), start=1):
            for match in LINK.finditer(line):
                target = match["target"].partition("#")[0]
                if target and not (path.parent / target).exists():
                    found.append(at(root, path, number, f"links to {target}, which is not there"))
    return found


def has_no_leftovers(root: Path) -> list[Problem]:
    """No note to do something later is left in the tree; what is to be done is an issue."""
    return list(_matches(root, LEFTOVERS, "left over"))


def names_no_machine(root: Path) -> list[Problem]:
    """No absolute path of somebody's machine and no package registry's host is written down."""
    return list(_matches(root, MACHINE, "names a machine or registry"))


def _matches(root: Path, pattern: re.Pattern[str], what: str) -> Iterator[Problem]:
    for path in files(root, "**/*"):
        content = text(path)
        for number, line in enumerate((content or "").splitlines(), start=1):
            if match := pattern.search(line):
                yield at(root, path, number, f"{what}: {match[0]}")
