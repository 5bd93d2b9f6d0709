"""Rules about the addons as Odoo and the OCA want them, and about what they may know."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from .tree import Problem, addons, at, files, text

MAX_LINES = 450
CHANNELS = re.compile(
    "aliexpress|allegro|amazon|bigcommerce|bol\\.com|cdiscount|ebay|etsy|magento|mirakl|otto\\.de|prestashop|rakuten|shein"
    "|shipbob|shipstation|shopify|shopware|temu|tiktok|walmart|wayfair|woocommerce|zalando",
    re.IGNORECASE,
)
BUSINESS = re.compile(
    r"(?<![\w.])(?:sale|stock|purchase|account|product|delivery|mrp)\.(?:"
    "order|picking|move|quant|warehouse|location|lot|route|rule|package|template|product|pricelist|category|tax|journal"
    r"|payment|account|carrier|production|bom)\b"
)
GLOBAL_MODELS = {
    "dist.adapter": "what relays announce; the same for all companies, no company's data",
    "dist.event.route": "which handler takes which type of event; set by code, not by a company",
    "dist.job.control": "pauses and weights of lanes and handlers, for the whole server",
    "dist.relay": "the relay's announcement: its version and public key, one row",
    "dist.worker.slot": "one row per worker process of the server",
}
"""Models without a company rule, and why. A model that holds a company's data never stands here."""
REQUIRED_KEYS = (
    "name",
    "summary",
    "version",
    "category",
    "author",
    "website",
    "license",
    "depends",
    "development_status",
)


def names_no_channel(root: Path) -> list[Problem]:
    """No addon names a channel or platform in code, views, data or translations: a new one needs no Odoo code."""
    found = []
    for path in files(
        root, *(f"addons/**/*.{kind}" for kind in ("py", "xml", "js", "csv", "scss", "sql", "po", "pot"))
    ):
        if "static/description" in path.as_posix():
            continue
        for number, line in enumerate((text(path) or "").splitlines(), start=1):
            if match := CHANNELS.search(f"{line} {path.stem if number == 1 else ''}"):
                found.append(at(root, path, number, f"an addon names {match[0].lower()}"))
    return found


def knows_no_business(root: Path) -> list[Problem]:
    """The engine knows no sale, stock, purchase or account: not in code, not in views, not in its dependencies."""
    found = []
    for path in files(root, *(f"addons/dist_sync_queue/**/*.{kind}" for kind in ("py", "xml", "csv", "js", "sql"))):
        for number, line in enumerate((text(path) or "").splitlines(), start=1):
            if match := BUSINESS.search(line):
                found.append(at(root, path, number, f"the engine mentions {match[0]}"))
    for path in files(root, "addons/dist_sync_queue/__manifest__.py"):
        depends = _manifest(path.parent).get("depends", [])
        found += [at(root, path, 1, f"the engine depends on {name}") for name in depends if name not in _PLATFORM]
    return found


_PLATFORM = {"base", "bus", "mail", "web", "base_setup"}


def files_are_small(root: Path) -> list[Problem]:
    """A file of code or views stays below the bound, so that it is read at one sitting."""
    kinds = ("py", "xml", "js", "scss", "sql")
    places = ("addons/**", "packages/*/src/**", "tools/**", "examples/**")
    return [
        at(root, path, MAX_LINES, f"{count} lines, fewer than {MAX_LINES} are wanted")
        for path in files(root, *(f"{place}/*.{kind}" for place in places for kind in kinds))
        if (count := len((text(path) or "").splitlines())) >= MAX_LINES
    ]


def manifest_is_complete(root: Path) -> list[Problem]:
    """Each manifest has the keys, licence, author and version scheme of this project; its data files exist."""
    found = []
    for addon in addons(root):
        path, manifest = addon / "__manifest__.py", _manifest(addon)
        found += [at(root, path, 1, f"has no {key}") for key in REQUIRED_KEYS if not manifest.get(key)]
        if manifest.get("license") != "LGPL-3":
            found.append(at(root, path, 1, "the licence is not LGPL-3"))
        if not re.fullmatch(r"19\.0\.\d+\.\d+\.\d+", manifest.get("version", "")):
            found.append(at(root, path, 1, "the version is not 19.0.x.y.z"))
        listed = [*manifest.get("data", []), *manifest.get("demo", [])]
        found += [
            at(root, path, 1, f"names {name}, which is not there") for name in listed if not (addon / name).exists()
        ]
        there = (file for kind in ("data", "views", "security", "wizards") for file in addon.glob(f"{kind}/*.*"))
        unlisted = {file.relative_to(addon).as_posix() for file in there if file.suffix in (".xml", ".csv")}
        found += [at(root, path, 1, f"does not load {name}") for name in sorted(unlisted - set(listed))]
    return found


def addon_is_complete(root: Path) -> list[Problem]:
    """Each addon has what the OCA's tools build its page and package from: readme, icon, pyproject, translations."""
    found = []
    for addon in addons(root):
        wanted = {
            "readme/DESCRIPTION.md": (addon / "readme" / "DESCRIPTION.md").exists(),
            "readme/CONTRIBUTORS.md": (addon / "readme" / "CONTRIBUTORS.md").exists(),
            "readme/CONFIGURE.md or readme/USAGE.md": any(
                (addon / "readme" / name).exists() for name in ("CONFIGURE.md", "USAGE.md")
            ),
            "static/description/icon.png": (addon / "static" / "description" / "icon.png").exists(),
            "pyproject.toml with whool": "whool" in (text(addon / "pyproject.toml") or "")
            if (addon / "pyproject.toml").exists()
            else False,
            f"i18n/{addon.name}.pot": _no_models(addon) or (addon / "i18n" / f"{addon.name}.pot").exists(),
        }
        found += [
            at(root, addon / "__manifest__.py", 1, f"has no {name}") for name, there in wanted.items() if not there
        ]
    return found


def models_are_protected(root: Path) -> list[Problem]:
    """Each model has an access rule; each that holds a company's data has a record rule by company."""
    found = []
    for addon in addons(root):
        granted, ruled = _granted(addon), _ruled(addon)
        for path, line, name, kind in _models(addon):
            if kind == "AbstractModel":
                continue
            if name not in granted:
                found.append(at(root, path, line, f"{name} has no line in ir.model.access.csv"))
            if kind == "Model" and name not in ruled and name not in GLOBAL_MODELS:
                found.append(at(root, path, line, f"{name} has no record rule by company"))
    return found


def _manifest(addon: Path) -> dict[str, Any]:
    value = ast.literal_eval((addon / "__manifest__.py").read_text("utf-8"))
    return dict(value)


def _no_models(addon: Path) -> bool:
    return not any(_models(addon)) and not any(addon.glob("views/*.xml"))


def _models(addon: Path) -> Iterator[tuple[Path, int, str, str]]:
    """Each model the addon itself defines: (file, line, name, kind), kind being the base class's name."""
    for path in sorted(addon.rglob("*.py")):
        if "tests" in path.relative_to(addon).parts:
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if not isinstance(node, ast.ClassDef):
                continue
            kinds = [base.attr for base in node.bases if isinstance(base, ast.Attribute)]
            kind = next((kind for kind in kinds if kind in ("Model", "TransientModel", "AbstractModel")), None)
            own, inherited = _assigned(node, "_name"), _assigned(node, "_inherit")
            if kind and isinstance(own, str) and own != inherited:
                yield path, node.lineno, own, kind


def _assigned(node: ast.ClassDef, name: str) -> object:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == name for t in statement.targets
        ):
            try:
                return ast.literal_eval(statement.value)
            except ValueError:
                return None
    return None


def _granted(addon: Path) -> set[str]:
    """Models with a line in a loaded access file; the ids there are ``model_`` and the name with underscores.

    Odoo takes what stands before a dash in the name of a CSV file for the model.
    """
    names = set()
    for path in _loaded(addon, "security/ir.model.access*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            names |= {_last(row["model_id:id"]) for row in csv.DictReader(file)}
    return {name for _, _, name, _ in _models(addon) if f"model_{name.replace('.', '_')}" in names}


def _ruled(addon: Path) -> set[str]:
    """Models with an ``ir.rule`` whose domain speaks of ``company_ids``."""
    names = set()
    for path in _loaded(addon, "security/*.xml"):
        for record in ElementTree.parse(path).iter("record"):
            if record.get("model") != "ir.rule":
                continue
            fields = {field.get("name"): field for field in record.iter("field")}
            domain = "".join(fields["domain_force"].itertext()) if "domain_force" in fields else ""
            if "model_id" in fields and ("company_ids" in domain or "company_id" in domain):
                names.add(_last(fields["model_id"].get("ref", "")))
    return {name for _, _, name, _ in _models(addon) if f"model_{name.replace('.', '_')}" in names}


def _loaded(addon: Path, pattern: str) -> list[Path]:
    listed = {addon / name for name in _manifest(addon).get("data", [])}
    return sorted(listed & set(addon.glob(pattern)))


def _last(external_id: str) -> str:
    return external_id.rpartition(".")[2]
