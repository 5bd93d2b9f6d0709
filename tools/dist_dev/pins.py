"""Write the pinned requirement files from pip's resolution of the ``.in`` files on several Pythons.

For each Python version to support::

    pythonX.Y -m pip --isolated install --dry-run --ignore-installed --quiet --report X.Y.json \
        -r requirements/odoo.in -r requirements/relay.in -r requirements/dev.in

(isolated: pins have to exist in the public index, not only in one that this machine prefers), then
``python3 -m dist_dev.pins 3.10.json 3.11.json ...``. A distribution is pinned in the first of ``odoo``, ``relay`` and
``dev`` that needs it. Where Pythons differ, the pin carries an environment marker. Needs ``packaging``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

GROUPS = ("odoo", "relay", "dev")
FOLDER = Path(__file__).resolve().parents[2] / "requirements"


def wanted(group: str) -> list[Requirement]:
    lines = (FOLDER / f"{group}.in").read_text().splitlines()
    return [Requirement(text) for line in lines if (text := line.split("#")[0].strip())]


def closure(group: str, report: dict[str, Any]) -> dict[str, str]:
    """Name → version of everything the group needs, directly or through others, in this resolution."""
    environment = {**default_environment(), **report["environment"]}
    known = {canonicalize_name(item["metadata"]["name"]): item["metadata"] for item in report["install"]}
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    todo = [(canonicalize_name(req.name), extra) for req in wanted(group) for extra in ("", *req.extras)]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen or name not in known:
            continue
        seen.add((name, extra))
        found[name] = known[name]["version"]
        for line in known[name].get("requires_dist", []):
            req = Requirement(line)
            if req.marker is None or req.marker.evaluate({**environment, "extra": extra}):
                todo += [(canonicalize_name(req.name), each) for each in ("", *req.extras)]
    return found


def _marker(having: list[str], pythons: list[str]) -> str:
    if having == pythons[: len(having)]:
        return f"python_version < '{pythons[len(having)]}'"
    if having == pythons[-len(having) :]:
        return f"python_version >= '{having[0]}'"
    return " or ".join(f"python_version == '{python}'" for python in having)


def pins(by_python: dict[str, dict[str, str]]) -> list[str]:
    """Requirement lines for one group, given name → version for each Python."""
    pythons = sorted(by_python, key=lambda text: tuple(map(int, text.split("."))))
    lines = []
    for name in sorted(set().union(*by_python.values())):
        versions = [by_python[python].get(name) for python in pythons]
        if len(set(versions)) == 1:
            lines.append(f"{name}=={versions[0]}")
            continue
        for version in dict.fromkeys(filter(None, versions)):
            having = [python for python, each in zip(pythons, versions, strict=True) if each == version]
            lines.append(f"{name}=={version} ; {_marker(having, pythons)}")
    return lines


def main(reports: list[str]) -> None:
    by_group: dict[str, dict[str, dict[str, str]]] = {group: {} for group in GROUPS}
    for path in reports:
        report = json.loads(Path(path).read_text())
        taken: set[str] = set()
        for group in GROUPS:
            found = {name: version for name, version in closure(group, report).items() if name not in taken}
            taken |= set(found)
            by_group[group][report["environment"]["python_version"]] = found
    for group in GROUPS:
        header = f"# Pinned from {group}.in by tools/dist_dev/pins.py\n"
        (FOLDER / f"{group}.txt").write_text(header + "\n".join(pins(by_group[group])) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
