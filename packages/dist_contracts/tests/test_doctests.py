"""The examples in the README and in docstrings run."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import dist_contracts.compatibility
import dist_contracts.identity


def test_readme() -> None:
    result = doctest.testfile(str(Path(__file__).parents[1] / "README.md"), module_relative=False)
    assert result.attempted > 10
    assert result.failed == 0


@pytest.mark.parametrize("module", [dist_contracts.identity, dist_contracts.compatibility])
def test_docstrings(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0
