"""The figures of benchmarks on their way into docs/benchmarks.md."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from dist_dev import benching, benchtable, ui
from dist_dev.layout import Layout

LAYOUT = Layout.from_environment()


def row(bench: str, ours: float, at: str = "2026-01-01T10:00:00+00:00", **more: object) -> dict:
    return {
        "bench": bench, "ours": ours, "peer": 10.0, "ratio": ours / 10, "unit": "jobs/s",
        "script": bench.split(",")[0],
        "at": at, "commit": "abc", "command": "make bench", "quick": False, "settings": {"fsync": "on"},
        "machine": {"cpu": "A", "cores": 2, "memory_gib": 4.0, "system": "Debian"}, "versions": {"odoo": "19.0"},
        **more,
    }  # fmt: skip


def test_examples_hold() -> None:
    assert doctest.testmod(benchtable).failed == 0


def test_the_last_full_run_of_each_script_counts() -> None:
    rows = [
        row("b, first", 1.0),
        row("a", 1.0),
        row("b, first", 2.0, at="2026-01-02T10:00:00+00:00"),
        row("b, second", 3.0, at="2026-01-02T10:00:00+00:00"),
        row("b, first", 9.0, at="2026-01-03T10:00:00+00:00", quick=True),
    ]
    assert [(each["bench"], each["ours"]) for each in benchtable.latest(rows, ["a", "b"])] == [
        ("a", 1.0),
        ("b, first", 2.0),
        ("b, second", 3.0),
    ]


def test_a_half_written_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "bench.jsonl"
    benchtable.append(path, [row("a", 1.0)])
    with path.open("a") as stream:
        stream.write('{"bench": "b", "ou')
    assert [each["bench"] for each in benchtable.read(path)] == ["a"]


def test_the_page_keeps_what_is_around_the_figures() -> None:
    page = f"before\n{benchtable.BEGIN}\nold\n{benchtable.END}\nafter\n"
    once = benchtable.placed(page, benchtable.markdown([row("a", 12345.0, processes=2)]))
    assert "| a | 12,345 | 10.0 | 1,234 | jobs/s |  | processes 2 |" in once
    assert "old" not in once
    assert once.startswith("before\n")
    assert once.endswith("\nafter\n")
    assert benchtable.placed(once, "new") == benchtable.placed(page, "new")
    with pytest.raises(ValueError, match="no place"):
        benchtable.placed("nothing", "new")


def test_the_edi_codec_has_a_table_of_its_own() -> None:
    edi = row("edi_small", 0.2, script="edi_small", settings={}, versions={"python": "3.11"})
    page = benchtable.markdown([row("a", 1.0), edi])
    engine, _, rest = page.partition("### EDI")
    assert "| a |" in engine
    assert "queue_job" in engine
    assert "| edi_small |" in rest.partition("Measured with:")[0]
    assert rest.splitlines()[-1].endswith("Python 3.11")


def test_scripts_of_the_edi_codec_need_no_server() -> None:
    plain = {path.stem for path in benching.all_scripts(LAYOUT) if benching.is_plain(path)}
    assert {"edi_small", "edi_x12_validate"} <= plain
    assert "engine_noop" not in plain


def test_the_page_of_this_checkout_has_its_place() -> None:
    assert "new figures" in benchtable.placed((LAYOUT.repo / "docs" / "benchmarks.md").read_text(), "new figures")


def test_only_lines_of_figures_are_figures() -> None:
    assert benching.figure('{"bench": "a", "ours": 1, "peer": null, "ratio": null, "unit": "s"}')
    assert benching.figure('{"bench": "a"}') is None
    assert benching.figure("Odoo says something") is None
    assert benching.figure("[1]") is None


def test_a_benchmark_is_chosen_by_its_name() -> None:
    everything = benching.chosen(LAYOUT, [])
    assert [path.stem for path in everything] == sorted(path.stem for path in everything)
    assert "engine_noop" in [path.stem for path in everything]
    assert not [path for path in everything if path.stem.startswith("test_")]
    assert [path.stem for path in benching.chosen(LAYOUT, ["engine_noop", "tests/bench/engine_noop.py"])] == [
        "engine_noop"
    ]
    with pytest.raises(ui.Problem, match="No benchmark nonsense"):
        benching.chosen(LAYOUT, ["nonsense"])
