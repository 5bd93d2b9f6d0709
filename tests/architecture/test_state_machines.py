"""docs/state-machines.md says what the code does."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "state-machines.md"
MODELS = ROOT / "addons" / "dist_sync_queue" / "models"
ORDER = ROOT / "addons" / "dist_channel" / "models" / "dist_channel_order.py"


def section(page: str, title: str) -> str:
    """The text below the heading ``## title``."""
    return page.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def table(text: str) -> dict[str, set[str]]:
    """State → what it may become, from the table with the column "May become"."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", text, re.MULTILINE)
    return {state: set(re.findall(r"`(\w+)`", targets)) for state, targets in rows}


def states(text: str) -> set[str]:
    """The states a table names in its first column."""
    return set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))


def edges(text: str) -> set[tuple[str, str]]:
    """The arrows of the diagram between two states."""
    return set(re.findall(r"^\s+(\w+) --> (\w+)", text, re.MULTILINE))


def assigned(path: Path, name: str) -> Any:
    """The literal a module or class assigns to ``name``."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            assert node.value is not None
            return ast.literal_eval(node.value)
    raise AssertionError(f"{path.name} assigns nothing to {name}")


def forward(moves: dict[str, set[str]]) -> dict[str, set[str]]:
    """Target → sources turned into source → targets."""
    found: dict[str, set[str]] = {
        state: set() for state in {*moves, *(s for sources in moves.values() for s in sources)}
    }
    for target, sources in moves.items():
        for source in sources:
            found[source].add(target)
    return found


@pytest.mark.parametrize(
    ("title", "path", "name"),
    [
        ("Channel order", ORDER, "TRANSITIONS"),
        ("Connection", MODELS / "connection.py", "_dist_moves"),
        ("Exception", MODELS / "exception.py", "_dist_moves"),
        ("Dead letter", MODELS / "dead_letter.py", "_dist_moves"),
    ],
)
def test_the_table_is_the_code(title: str, path: Path, name: str) -> None:
    assert table(section(PAGE.read_text("utf-8"), title)) == forward(assigned(path, name))


@pytest.mark.parametrize(
    ("title", "path"),
    [
        ("Outbox event", MODELS / "outbox_event.py"),
        ("Job", MODELS / "job.py"),
        ("Channel order", ORDER),
    ],
)
def test_the_states_are_the_codes(title: str, path: Path) -> None:
    text = section(PAGE.read_text("utf-8"), title)
    known = {code for code, _ in assigned(path, "STATES")}
    assert states(text) == known
    assert {state for edge in edges(text) for state in edge} == known


@pytest.mark.parametrize("title", ["Channel order", "Connection"])
def test_the_diagram_shows_only_what_the_table_allows(title: str) -> None:
    text = section(PAGE.read_text("utf-8"), title)
    allowed = table(text)
    assert {(source, target) for source, target in edges(text) if target not in allowed[source]} == set()


def test_what_people_may_do_with_an_outbox_event_is_drawn() -> None:
    drawn = edges(section(PAGE.read_text("utf-8"), "Outbox event"))
    moves = forward(assigned(MODELS / "outbox_event.py", "_dist_moves"))
    assert {(source, target) for source, targets in moves.items() for target in targets} <= drawn


def test_a_page_that_differs_is_noticed() -> None:
    text = section(PAGE.read_text("utf-8"), "Connection")
    moves = forward(assigned(MODELS / "connection.py", "_dist_moves"))
    assert table(text.replace("| `active` |\n", "| `paused` |\n", 1)) != moves
    assert table(text.replace("| `draft` |", "| `new` |", 1)) != moves
