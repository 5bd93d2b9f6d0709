"""Each package under ``examples/`` passes its own tests, in a process of its own as a stranger would run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/pyproject.toml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example(example: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:odoo",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(example),
    ]
    done = subprocess.run([*command, "tests"], cwd=example, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_has_the_figures_of_the_example() -> None:
    example = ROOT / "examples" / "channel_csv_drop"
    source = sorted(example.glob("src/*/*.py"))

    def lines(*paths: Path) -> int:
        return sum(len(path.read_text("utf-8").splitlines()) for path in paths)

    page = (ROOT / "docs" / "add-a-channel.md").read_text("utf-8")
    for row in (
        f"| the channel, `src/` | {lines(*source)} in {len(source)} files |",
        f"entry point | {lines(*(path for path in source if path.stem in ('__init__', 'manifest')))} |",
        f"`tests/harness.py` | {lines(example / 'tests' / 'harness.py')} |",
        f"`tests/test_conformance.py` | {lines(example / 'tests' / 'test_conformance.py')} |",
    ):
        assert row in page, f"docs/add-a-channel.md should say: {row}"


def test_there_is_an_example() -> None:
    assert EXAMPLES
