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


def test_there_is_an_example() -> None:
    assert EXAMPLES
