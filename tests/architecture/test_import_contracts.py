"""The import contracts of the root ``pyproject.toml`` hold, and each one is seen to fail when it is broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from import_contracts import OFFENCE, Contract, break_contract, contracts, copy_of_the_tree, lint

ROOT = Path(__file__).parents[2]
SAMPLE = {
    "pyproject.toml": """
[tool.importlinter]
root_packages = ["dist_relay"]
include_external_packages = true

[[tool.importlinter.contracts]]
id = "no-odoo"
name = "no odoo"
type = "forbidden"
source_modules = ["dist_relay"]
forbidden_modules = ["odoo"]

[[tool.importlinter.contracts]]
id = "layers"
name = "layers"
type = "layers"
layers = ["dist_relay.channels | dist_relay.wms", "dist_relay.http", "dist_relay.errors"]

[[tool.importlinter.contracts]]
id = "siblings"
name = "siblings"
type = "independence"
modules = ["dist_relay.channels.*"]

[[tool.importlinter.contracts]]
id = "lonely"
name = "independence of one so far"
type = "independence"
modules = ["dist_relay.wms.*"]

[[tool.importlinter.contracts]]
id = "bus"
name = "bus"
type = "protected"
protected_modules = ["dist_relay.pump"]
allowed_importers = ["dist_relay.runtime"]

[[tool.importlinter.contracts]]
id = "redis"
name = "somebody else's package"
type = "protected"
protected_modules = ["redis"]
allowed_importers = ["dist_relay.runtime"]
""",
    **{
        f"packages/dist_relay/src/dist_relay/{name}/__init__.py": ""
        for name in (".", "channels", "channels/a", "channels/b", "http", "pump", "runtime", "wms", "wms/a")
    },
    "packages/dist_relay/src/dist_relay/errors.py": "",
    "packages/dist_relay/src/dist_relay/runtime/loop.py": "import dist_relay.pump\nimport redis\n",
}


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    for name, content in SAMPLE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path


def _ids(each: Contract) -> str:
    return str(each.get("id") or each["name"])


def test_the_contracts_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("contract", contracts(ROOT), ids=_ids)
def test_each_contract_is_seen_to_fail(contract: Contract, tmp_path: Path) -> None:
    copy = copy_of_the_tree(ROOT, tmp_path)
    done = break_contract(copy, contract)
    result = lint(copy, contract.get("id"))
    assert result.returncode == 1, f"{done} went unnoticed by {contract['name']!r}:\n{result.stdout}{result.stderr}"
    assert OFFENCE in result.stdout, result.stdout


@pytest.mark.parametrize(
    "number", range(6), ids=["forbidden", "layers", "independence", "one sibling", "protected", "external"]
)
def test_each_kind_of_contract_can_be_broken(number: int, sample: Path) -> None:
    assert lint(sample).returncode == 0, lint(sample).stdout + lint(sample).stderr
    contract = contracts(sample)[number]
    break_contract(sample, contract)
    broken = lint(sample, contract["id"])
    assert broken.returncode == 1, broken.stdout + broken.stderr
    assert OFFENCE in broken.stdout


def _rules(of: Contract) -> str:
    return str(of)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("the relay never imports Odoo", lambda c: c["type"] == "forbidden" and "odoo" in c["forbidden_modules"]),
        ("only runtime and pump touch Redis", lambda c: "redis" in _rules(c)),
        ("only the pump touches PostgreSQL", lambda c: "psycopg" in _rules(c)),
        (
            "adapters sit on http, http on ports, ports on errors",
            lambda c: c["type"] == "layers" and "ports" in _rules(c),
        ),
        ("adapters do not import each other", lambda c: c["type"] == "independence" or "|" in _rules(c)),
    ],
)
def test_the_design_rules_are_contracts(what: str, said: Callable[[Contract], bool]) -> None:
    assert any(said(contract) for contract in contracts(ROOT)), f"no contract says that {what}"
