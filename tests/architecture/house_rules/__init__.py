"""The rules of the house as pure functions: a tree of files in, a list of ``path:line: what is wrong`` out.

``RULES`` names them all; :mod:`test_house_rules` holds this repository to each and sees each fail on a broken sample.
"""

from .addons import (
    addon_is_complete,
    files_are_small,
    knows_no_business,
    manifest_is_complete,
    models_are_protected,
    names_no_channel,
)
from .python import addons_import_no_transport, parses_for_oldest_python, relay_imports_no_odoo
from .text import has_no_leftovers, links_lead_somewhere, names_no_machine
from .tree import Problem, Rule

RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        addon_is_complete,
        addons_import_no_transport,
        files_are_small,
        has_no_leftovers,
        knows_no_business,
        links_lead_somewhere,
        manifest_is_complete,
        models_are_protected,
        names_no_channel,
        names_no_machine,
        parses_for_oldest_python,
        relay_imports_no_odoo,
    )
}

__all__ = ["RULES", "Problem", "Rule"]
