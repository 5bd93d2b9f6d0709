# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""``make bench ARGS=--quick`` runs every script through; how fast is not this test's business."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dist_dev import benching, benchtable
from dist_dev.layout import Layout

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def quick() -> list[dict]:
    """The figures of a quick run; it uses the PostgreSQL of the tests."""
    if not os.environ.get("DIST_CACHE"):
        pytest.skip("nothing is set up here (no DIST_CACHE); `make test` sets up and runs this")
    results = Layout.from_environment().reports / "bench.jsonl"
    before = len(benchtable.read(results))
    env = {**os.environ, "PYTHONPATH": str(REPO / "tools")}
    argv = [sys.executable, "-m", "dist_dev", "bench", "--quick"]
    done = subprocess.run(argv, env=env, cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return benchtable.read(results)[before:]


@pytest.mark.parametrize("script", [path.stem for path in benching.all_scripts(Layout.from_environment())])
def test_a_script_prints_figures(quick: list[dict], script: str) -> None:
    figures = [row for row in quick if row["script"] == script]
    assert figures
    for row in figures:
        assert row["ours"] > 0, row
        assert row["peer"] is None, "a quick run downloads nothing"
        assert row["unit"]
        assert row["quick"] is True
        assert row["commit"]
        assert row["machine"]["cores"] >= 1


def test_quick_figures_do_not_get_into_the_page(quick: list[dict]) -> None:
    assert benchtable.latest(quick, [row["script"] for row in quick]) == []
