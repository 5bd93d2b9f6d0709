"""This repository keeps the rules of the house, and each rule is seen to fail on a tiny tree that breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest
from house_rules import RULES
from house_rules.addons import MAX_LINES

ROOT = Path(__file__).parents[2]

MANIFEST = """{
    "name": "Sample", "summary": "s", "version": "19.0.1.0.0", "category": "c", "author": "a", "website": "w",
    "license": "LGPL-3", "depends": ["mail"], "development_status": "Beta",
    "data": ["security/ir.model.access.csv", "security/rules.xml"],
}"""
MODEL = """from odoo import fields, models


class Thing(models.Model):
    _name = "dist.thing"
    _description = "Thing"
    company_id = fields.Many2one("res.company")


class ThingMixin(models.AbstractModel):
    _name = "dist.thing.mixin"
    _description = "Mixin"


class Partner(models.Model):
    _name = "res.partner"
    _inherit = "res.partner"


class ThingWizard(models.TransientModel):
    _name = "dist.thing.wizard"
    _description = "Wizard"
"""
ACCESS = """id,name,model_id:id,group_id:id,perm_read,perm_write,perm_create,perm_unlink
a,a,model_dist_thing,base.group_user,1,0,0,0
b,b,dist_sync_queue.model_dist_thing_wizard,base.group_user,1,1,1,1
"""
RULE = """<odoo><record id="r" model="ir.rule"><field name="name">r</field>
<field name="model_id" ref="model_dist_thing"/>
<field name="domain_force">[("company_id", "in", company_ids)]</field></record></odoo>
"""
ADDON = "addons/dist_sync_queue"
GOOD = {
    f"{ADDON}/__manifest__.py": MANIFEST,
    f"{ADDON}/__init__.py": "from . import models\n",
    f"{ADDON}/models/thing.py": MODEL,
    f"{ADDON}/security/ir.model.access.csv": ACCESS,
    f"{ADDON}/security/rules.xml": RULE,
    f"{ADDON}/readme/DESCRIPTION.md": "Works with Shopify and others.",
    f"{ADDON}/readme/CONTRIBUTORS.md": "- Dist contributors",
    f"{ADDON}/readme/USAGE.md": "Use it.",
    f"{ADDON}/static/description/icon.png": "png",
    f"{ADDON}/pyproject.toml": '[build-system]\nrequires = ["whool"]\n',
    f"{ADDON}/i18n/dist_sync_queue.pot": 'msgid ""\n',
    "packages/dist_relay/src/dist_relay/pump.py": "import redis\nimport psycopg\n",
    "README.md": "See [it](https://github.com/dist-odoo/dist), [here](#x), [use](addons/) and ~/root/shop.\n",
}
MARK = "TO" + "DO"
TOO_LONG = "x = 1\n" * MAX_LINES

BROKEN: list[tuple[str, str, str, str]] = [
    ("addons_import_no_transport", f"{ADDON}/a.py", "import redis", "a.py:1: an addon imports redis"),
    (
        "addons_import_no_transport",
        f"{ADDON}/a.py",
        "\nfrom requests.auth import A",
        "a.py:2: an addon imports requests.auth",
    ),
    (
        "addons_import_no_transport",
        f"{ADDON}/a.py",
        "def f():\n    import dist_relay.pump",
        "a.py:2: an addon imports dist_relay",
    ),
    ("addons_import_no_transport", f"{ADDON}/a.py", "import psycopg", "an addon imports psycopg"),
    ("addons_import_no_transport", f"{ADDON}/a.py", "__import__('redis')", "an addon imports redis"),
    ("addons_import_no_transport", f"{ADDON}/a.py", "importlib.import_module('redis')", "an addon imports redis"),
    (
        "relay_imports_no_odoo",
        "packages/dist_relay/src/dist_relay/a.py",
        "from odoo import api",
        "a.py:1: a package imports odoo",
    ),
    (
        "relay_imports_no_odoo",
        "packages/dist_contracts/src/dist_contracts/a.py",
        "import odoo.tools",
        "a package imports odoo",
    ),
    ("names_no_channel", f"{ADDON}/a.py", "if code == 'Shopify': pass", "a.py:1: an addon names shopify"),
    ("names_no_channel", f"{ADDON}/views/v.xml", "<field name='amazon_id'/>", "v.xml:1: an addon names amazon"),
    ("names_no_channel", f"{ADDON}/static/src/a.js", "// walmart", "a.js:1: an addon names walmart"),
    ("names_no_channel", f"{ADDON}/models/ebay.py", "x = 1", "ebay.py:1: an addon names ebay"),
    ("names_no_channel", f"{ADDON}/demo/d.xml", "<odoo>\n<!-- Shopify -->\n</odoo>", "d.xml:2: an addon names shopify"),
    ("knows_no_business", f"{ADDON}/a.py", "env['sale.order']", "a.py:1: the engine mentions sale.order"),
    (
        "knows_no_business",
        f"{ADDON}/views/v.xml",
        "<field ref='stock.picking'/>",
        "v.xml:1: the engine mentions stock.picking",
    ),
    ("knows_no_business", f"{ADDON}/__manifest__.py", MANIFEST.replace("mail", "sale"), "the engine depends on sale"),
    ("files_are_small", f"{ADDON}/a.py", TOO_LONG, f"{MAX_LINES} lines, fewer than"),
    ("files_are_small", "packages/dist_relay/src/dist_relay/a.py", TOO_LONG, "fewer than"),
    ("manifest_is_complete", f"{ADDON}/__manifest__.py", MANIFEST.replace("LGPL-3", "AGPL-3"), "licence is not LGPL-3"),
    ("manifest_is_complete", f"{ADDON}/__manifest__.py", MANIFEST.replace("19.0.1.0.0", "1.0"), "version is not 19.0"),
    ("manifest_is_complete", f"{ADDON}/__manifest__.py", MANIFEST.replace('"w"', '""'), "has no website"),
    (
        "manifest_is_complete",
        f"{ADDON}/__manifest__.py",
        MANIFEST.replace("rules.xml", "rule.xml"),
        "names security/rule.xml",
    ),
    ("manifest_is_complete", f"{ADDON}/views/v.xml", "<odoo/>", "does not load views/v.xml"),
    ("addon_is_complete", f"{ADDON}/readme/DESCRIPTION.md", "", "has no readme/DESCRIPTION.md"),
    ("addon_is_complete", f"{ADDON}/readme/CONTRIBUTORS.md", "", "has no readme/CONTRIBUTORS.md"),
    ("addon_is_complete", f"{ADDON}/readme/USAGE.md", "", "has no readme/CONFIGURE.md or readme/USAGE.md"),
    ("addon_is_complete", f"{ADDON}/static/description/icon.png", "", "has no static/description/icon.png"),
    ("addon_is_complete", f"{ADDON}/pyproject.toml", "", "has no pyproject.toml with whool"),
    ("addon_is_complete", f"{ADDON}/pyproject.toml", "[build-system]", "has no pyproject.toml with whool"),
    ("addon_is_complete", f"{ADDON}/i18n/dist_sync_queue.pot", "", "has no i18n/dist_sync_queue.pot"),
    (
        "models_are_protected",
        f"{ADDON}/security/ir.model.access.csv",
        ACCESS.splitlines()[0],
        "dist.thing has no line in",
    ),
    (
        "models_are_protected",
        f"{ADDON}/security/rules.xml",
        "<odoo/>",
        "thing.py:4: dist.thing has no record rule by company",
    ),
    (
        "models_are_protected",
        f"{ADDON}/security/rules.xml",
        RULE.replace("company_id", "user_id"),
        "has no record rule",
    ),
    (
        "models_are_protected",
        f"{ADDON}/security/rules.xml",
        RULE.replace("dist_thing", "dist_other"),
        "has no record rule",
    ),
    (
        "models_are_protected",
        f"{ADDON}/__manifest__.py",
        MANIFEST.replace("rules.xml", "other.xml"),
        "has no record rule",
    ),
    (
        "manifest_is_complete",
        f"{ADDON}/security/ir.model.access-more.csv",
        ACCESS,
        "does not load security/ir.model.access-more",
    ),
    (
        "models_are_protected",
        f"{ADDON}/wizards/w.py",
        MODEL.replace("wizard", "helper"),
        "dist.thing.helper has no line in",
    ),
    ("has_no_leftovers", f"{ADDON}/a.py", f"x = 1  # {MARK}: later", f"a.py:1: left over: {MARK}"),
    ("has_no_leftovers", "docs/a.md", f"one\n{MARK} two", "docs/a.md:2: left over"),
    ("links_lead_somewhere", "docs/a.md", "one\nsee [b](b.md)", "docs/a.md:2: links to b.md, which is not there"),
    ("links_lead_somewhere", "docs/a.md", "![b](images/b.svg#x)", "links to images/b.svg"),
    ("names_no_machine", "docs/a.md", "cd /ho" + "me/kim/dist", "docs/a.md:1: names a machine or registry"),
    ("names_no_machine", "tools/a.sh", "ls '/wo" + "rk/main'", "tools/a.sh:1: names a machine"),
    (
        "names_no_machine",
        "requirements/a.txt",
        "--index-url https://py" + "pi.org/simple",
        "names a machine or registry: py",
    ),
    ("names_no_machine", "tools/a.py", "'http://deb.deb" + "ian.org/debian'", "names a machine or registry: deb"),
    (
        "parses_for_oldest_python",
        "tools/a.py",
        "try:\n    pass\nexcept* OSError:\n    pass",
        ": not Python 3.10: Exception groups",
    ),
    ("parses_for_oldest_python", "tools/a.py", "def f(:", "tools/a.py:1: not Python 3.10"),
    (
        "parses_for_oldest_python",
        f"{ADDON}/a.py",
        "from datetime import UTC",
        "a.py:1: datetime has no UTC in Python 3.10",
    ),
    ("parses_for_oldest_python", f"{ADDON}/a.py", "import enum as e\ne.StrEnum", "a.py:2: enum has no StrEnum"),
    ("parses_for_oldest_python", "tools/a.py", "import tomllib", "tools/a.py:1: tomllib has no *"),
]


def build(root: Path, changes: dict[str, str]) -> None:
    """Write the good sample with ``changes``; an empty text leaves the file out."""
    for name, content in (GOOD | changes).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content:
            path.write_text(content, encoding="utf-8")


@pytest.mark.parametrize("name", RULES)
def test_the_house_keeps_the_rule(name: str) -> None:
    problems = RULES[name](ROOT)
    assert not problems, f"{RULES[name].__doc__}\n" + "\n".join(problems)


@pytest.mark.parametrize("name", RULES)
def test_a_good_sample_passes(name: str, tmp_path: Path) -> None:
    build(tmp_path, {})
    assert RULES[name](tmp_path) == []


@pytest.mark.parametrize(("name", "path", "content", "told"), BROKEN, ids=[f"{c[0]}-{c[3][:40]}" for c in BROKEN])
def test_a_broken_sample_fails(name: str, path: str, content: str, told: str, tmp_path: Path) -> None:
    build(tmp_path, {path: content})
    assert any(told in problem for problem in RULES[name](tmp_path)), RULES[name](tmp_path)


def test_every_rule_was_seen_to_fail() -> None:
    assert {case[0] for case in BROKEN} == set(RULES)


@pytest.mark.parametrize(
    "content",
    [
        "import sys\nif sys.version_info >= (3, 11):\n    import tomllib\nelse:\n    import tomli as tomllib",
        "try:\n    import tomllib\nexcept ImportError:\n    tomllib = None",
        "from datetime import timezone",
    ],
)
def test_a_newer_name_may_be_provided_for(content: str, tmp_path: Path) -> None:
    build(tmp_path, {"tools/a.py": content})
    assert RULES["parses_for_oldest_python"](tmp_path) == []


def test_files_git_ignores_are_not_looked_at(tmp_path: Path) -> None:
    build(tmp_path, {".cache/a.py": f"# {MARK}", "node_modules/x/a.js": f"// {MARK}"})
    assert RULES["has_no_leftovers"](tmp_path) == []
