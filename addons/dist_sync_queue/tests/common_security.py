# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What every addon's models must have. Reuse it in an addon::

from odoo.addons.dist_sync_queue.tests.common_security import SecurityChecks

class TestSecurity(SecurityChecks, TransactionCase):
    modules = ("dist_mine",)
"""

from __future__ import annotations

from typing import Any

COMPANY_FIELDS = ("company_id", "company_ids", "connection_id")
"""Fields that make a model's records some company's."""


def unprotected(env: Any, prefix: tuple[str, ...]) -> list[str]:
    """What is missing, as sentences: models of the modules named by ``prefix`` without access right or company rule."""
    problems = []
    for name in env.registry:
        model = env[name]
        if model._abstract or not (model._original_module or "").startswith(prefix):
            continue
        rights = env["ir.model.access"].sudo().search([("model_id.model", "=", name)])
        if not rights:
            problems.append(f"{name} has no access right")
        for right in rights:
            if not right.group_id:
                problems.append(f"{name} gives everybody access ({right.name})")
        if model._transient or not any(field in model._fields for field in COMPANY_FIELDS):
            continue
        rules = env["ir.rule"].sudo().search([("model_id.model", "=", name), ("groups", "=", False)])
        if not any("company_ids" in (rule.domain_force or "") for rule in rules):
            problems.append(f"{name} belongs to companies and has no company rule")
    return problems


class SecurityChecks:
    """Mixin with the test; ``modules`` are prefixes of module names."""

    env: Any
    modules: tuple[str, ...] = ("dist_",)

    def test_models_are_protected(self) -> None:
        self.assertEqual(unprotected(self.env, self.modules), [])  # type: ignore[attr-defined]
