"""The guide ``docs/edi.md``: its files are written, its examples are run, and print what is written below them."""

from __future__ import annotations

import io
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from test_edi_cli import Run

from dist_relay.edi import Codec, Finding, Limits
from dist_relay.edi.grammar import load
from dist_relay.edi.grammar.registry import Registry

DOCS = Path(__file__).parents[5] / "docs"
GUIDE = (DOCS / "edi.md").read_text("utf-8")
OWN = Path(__file__).parents[2] / "fixtures" / "edi_own"
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def files() -> dict[str, str]:
    """The files that the guide shows, by name."""
    return {name: text for _, name, text in _BLOCK.findall(GUIDE) if name}


def test_examples_run_and_print_what_is_written_below_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in files().items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, "utf-8")
    names: dict[str, Any] = {}
    printed = ""
    compared = 0
    for language, name, text in _BLOCK.findall(GUIDE):
        if language == "python":
            out = io.StringIO()
            with redirect_stdout(out):
                exec(compile(text, "edi.md", "exec"), names)
            printed = out.getvalue()
        elif language == "sh":
            words = shlex.split(text)
            assert words[:2] == ["dist-relay", "edi"]
            printed = Run(*words[2:]).out
        elif language == "text" and not name:
            assert printed.splitlines() == text.splitlines()
            compared += 1
    assert compared >= 8


def test_the_document_type_of_the_guide_is_the_fixture_and_as_short_as_it_says():
    shown = {name: text for name, text in files().items() if name.startswith("own/")}
    assert {f"own/{path.relative_to(OWN)}": path.read_text("utf-8") for path in OWN.rglob("*.txt")} == shown
    lines = len(shown["own/x12/864.txt"].splitlines())
    assert f"Its grammar has\n{lines} lines" in GUIDE
    assert len(shown["own/x12/segments.txt"].splitlines()) == 2


def findings(path: Path) -> list[Finding]:
    found: list[Finding] = []
    for interchange in Codec(registry=Registry(OWN)).read(path):
        for message in interchange.messages():
            assert (message.type, message.grammar_version) == ("864", "4010")
            found += message.findings
        found += interchange.findings
    return found


@pytest.mark.parametrize("path", sorted(OWN.rglob("*.edi")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_documents_of_that_type(path):
    expected = path.with_suffix(".expect")
    wanted = expected.read_text("utf-8").splitlines() if path.parent.name == "fail" else []
    assert [f"{each.level} {each.rule} {each.segment} {each.element}".strip() for each in findings(path)] == wanted
    assert expected.exists() == (path.parent.name == "fail")


def test_the_notation_that_the_guide_teaches_can_be_read():
    texts = {"elements": next(text for _, name, text in _BLOCK.findall(GUIDE) if text.startswith("92 "))}
    x12 = "\n".join(line for line in texts["elements"].splitlines() if not line.startswith("1004"))
    dictionary = load.Dictionary("x12", ()).extended({"elements": x12}, "guide")
    assert dictionary.element("92", "4010").codes == {"SA": "stand-alone order", "NE": "new order"}  # type: ignore[union-attr]
    assert dictionary.element("92", "4010").closed  # type: ignore[union-attr]
    assert not dictionary.element("355", "4010").closed  # type: ignore[union-attr]
    assert dictionary.element("128", "5010").max == 3  # type: ignore[union-attr]


def test_limits_and_links_are_true():
    for name in re.findall(r"`(\w+)`", GUIDE[GUIDE.index("## Limits") :].split("Not supported")[0]):
        assert name in ("Limits", "total") or hasattr(Limits(), name)
    for link in re.findall(r"\]\(([^)#:]+)\)", GUIDE):
        assert (DOCS / link).exists(), link
