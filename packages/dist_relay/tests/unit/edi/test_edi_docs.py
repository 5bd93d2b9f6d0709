"""The examples of the documentation run, and print what is written below them."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[5] / "docs"
_BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["edi-writing.md", "edi-acknowledgements.md"])
def test_examples(name):
    blocks = _BLOCK.findall((DOCS / name).read_text("utf-8"))
    names: dict[str, Any] = {}
    printed = ""
    compared = 0
    for language, text in blocks:
        if language == "python":
            out = io.StringIO()
            with redirect_stdout(out):
                exec(compile(text, name, "exec"), names)
            printed = out.getvalue()
        else:
            assert [each.rstrip() for each in printed.splitlines() if each.strip()] == text.splitlines()
            compared += 1
    assert compared >= 3
