"""The command line as a function: what it prints and gives back."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from overlay_samples import ORDER, ORDERS, changed

from dist_relay.edi import read
from dist_relay.edi.ack import verdicts
from dist_relay.edi.cli import main
from dist_relay.edi.cli.console import Console

FOLDER = Path(__file__).parents[2] / "fixtures" / "edi"
CORPUS = Path(__file__).parents[6] / "shared" / "edi_corpus"
WRONG = changed(ORDER, (b"PO1*1*10", b"PO1*1*ten"))
REFUSED = changed(ORDER, (b"BEG*00*SA", b"BEG*00*"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Run:
    """One run of the command line."""

    def __init__(self, *arguments: object, stdin: bytes = b"", terminal: bool = False) -> None:
        made = Terminal if terminal else io.StringIO
        self.streams = made(), made()
        console = Console(*self.streams, io.TextIOWrapper(io.BytesIO(stdin)))
        self.status = main([str(each) for each in arguments], console)
        self.out, self.error = (each.getvalue() for each in self.streams)

    @property
    def objects(self) -> list[dict]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def files(tmp_path):
    for name, data in {"valid.edi": ORDER, "wrong.edi": WRONG, "refused.edi": REFUSED, "orders.edi": ORDERS}.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "nothing.edi").write_bytes(b"this is no EDI")
    (tmp_path / "within").mkdir()
    (tmp_path / "within" / "valid.edi").write_bytes(ORDER)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "status", "verdict"),
    [
        ("valid.edi", 0, "valid"),
        ("orders.edi", 0, "valid"),
        ("wrong.edi", 1, "accepted_with_errors"),
        ("refused.edi", 1, "rejected"),
        ("nothing.edi", 2, "unreadable"),
        ("missing.edi", 2, "unreadable"),
    ],
)
def test_validate_json(files, name, status, verdict):
    run = Run("validate", "--json", files / name)
    (found,) = run.objects
    assert (run.status, found["status"], found["file"], run.error) == (status, verdict, str(files / name), "")
    assert set(found) - {"notes", "error"} == {"file", "standard", "interchanges", "messages", "findings", "status"}
    if status < 2:
        assert found["interchanges"] == 1
        (message,) = found["messages"]
        assert set(message) == {"type", "version", "control", "status"}
        assert message["status"] == verdict
    assert bool(found["findings"]) == bool(status)
    for each in found["findings"]:
        assert set(each) >= {"level", "rule", "segment", "position", "element", "value", "message"}


def test_validate_json_says_everything_about_a_finding(files):
    (found,) = Run("validate", files / "wrong.edi", "--json").objects
    assert found["standard"] == "x12"
    assert found["messages"] == [
        {"type": "850", "version": "4010", "control": "0001", "status": "accepted_with_errors"}
    ]
    (finding,) = found["findings"]
    assert {key: finding[key] for key in ("level", "rule", "segment", "position", "element", "value")} == {
        "level": "element",
        "rule": "element.type",
        "segment": "PO1",
        "position": 5,
        "element": "PO102",
        "value": "ten",
    }


def test_validate_for_people(files):
    run = Run("validate", files / "wrong.edi", files / "valid.edi")
    lines = run.out.splitlines()
    assert lines[0] == f"{files / 'wrong.edi'}: accepted with errors (x12, 1 interchange, 1 message)"
    assert lines[1].startswith("  error element.type: 850 0001, segment 5 PO1, element PO102: ")
    assert lines[2] == f"{files / 'valid.edi'}: valid (x12, 1 interchange, 1 message)"
    assert lines[3] == "2 files: 1 valid, 1 accepted with errors"
    assert (run.status, run.error) == (1, "")


def test_notes_are_said_when_they_are_asked_for(files):
    (files / "bom.edi").write_bytes(b"\xef\xbb\xbf" + ORDER)
    assert "envelope.bom" not in Run("validate", files / "bom.edi").out
    assert "  note envelope.bom: " in Run("validate", files / "bom.edi", "--notes").out
    (found,) = Run("validate", "--json", files / "bom.edi").objects
    assert ([each["rule"] for each in found["notes"]], found["findings"]) == (["envelope.bom"], [])


def test_folders_and_their_summary(files):
    run = Run("validate", files)
    assert run.out.splitlines()[-1] == "5 files: 2 valid, 1 accepted with errors, 1 rejected, 1 unreadable"
    assert run.status == 2
    deep = Run("validate", "--json", "--recursive", files)
    assert len(deep.objects) == 6
    assert deep.error == "6 files: 3 valid, 1 accepted with errors, 1 rejected, 1 unreadable\n"
    (files / "empty").mkdir()
    assert "there is no file in this folder" in Run("validate", files / "empty").out


def test_progress_is_shown_on_a_terminal_only(files):
    assert "1 of 6: " in Run("validate", "-r", files, terminal=True).error
    assert Run("validate", "-r", files).error == ""


def test_standard_input(files):
    (found,) = Run("validate", "--json", "-", stdin=WRONG).objects
    assert (found["file"], found["status"]) == ("-", "accepted_with_errors")
    assert "850 Purchase order" in Run("inspect", "-", stdin=ORDER).out


def test_several_interchanges_and_mixed_standards(files):
    (found,) = Run("validate", "--json", "-", stdin=ORDER + ORDERS + WRONG).objects
    assert (found["standard"], found["interchanges"], len(found["messages"])) == ("mixed", 3, 3)
    assert found["status"] == "accepted_with_errors"


def test_a_fault_of_the_envelope_refuses_the_file(files):
    (found,) = Run("validate", "--json", "-", stdin=changed(ORDER, (b"IEA*1", b"IEA*2"))).objects
    assert (found["status"], found["messages"][0]["status"]) == ("rejected", "valid")
    assert found["findings"][0]["rule"] == "envelope.count"


def test_a_limit_makes_a_file_unreadable(files):
    (files / "small.toml").write_text("[limits]\ntotal = 100\n")
    run = Run("validate", "--json", "--partner", files / "small.toml", files / "valid.edi")
    assert run.status == 2
    assert run.objects[0]["error"] == "the input is longer than 100 bytes"


def test_partners(files):
    (files / "acme.toml").write_text('[documents.850.segments]\nREF = "forbidden"\n')
    assert Run("validate", files / "valid.edi", "-p", files / "acme.toml").status == 1
    assert (
        Run("validate", files / "refused.edi", "--json", "-p", "lenient").objects[0]["status"] == "accepted_with_errors"
    )
    assert Run("validate", files / "wrong.edi", "--json", "-p", "strict").objects[0]["status"] == "rejected"
    (files / "bad.toml").write_text("[documents.850.segment]\n")
    run = Run("validate", files / "valid.edi", "-p", files / "bad.toml")
    assert (run.status, run.out) == (2, "")
    assert run.error == (
        'dist-relay edi: overlay bad: documents.850: the key "segment" is not known; segments was meant?\n'
    )
    assert "No such file" in Run("validate", files / "valid.edi", "-p", files / "none.toml").error


def test_further_grammars(files):
    (files / "own" / "x12").mkdir(parents=True)
    (files / "own" / "x12" / "990.txt").write_text("990 Own\nversions 4010\nBEG 1..1\n")
    data = ORDER.replace(b"ST*850", b"ST*990")
    assert Run("validate", "-", stdin=data).status == 0
    assert Run("validate", "-", "--grammars", files / "own", stdin=data).status == 1
    assert "no such folder of grammars" in Run("validate", "-", "--grammars", files / "none", stdin=data).error
    inner = Run("validate", "-", "--grammars", files / "own" / "x12", stdin=data)
    assert inner.status == 2
    assert "has x12/ or edifact/ in it" in inner.error


@pytest.mark.parametrize("command", ["validate", "inspect", "convert", "ack"])
def test_standard_input_is_read_once(command):
    run = Run(command, "-", "-", stdin=ORDER)
    assert run.status == 2
    assert "-: " in run.out + run.error
    assert "can be read only once" in run.out + run.error


def test_inspect(files):
    run = Run("inspect", files / "wrong.edi")
    assert run.out.splitlines()[:2] == [
        "X12 interchange 000000007, ZZ SHOP → ZZ DIST, 260301 1200, 00401",
        "  850 Purchase order, 0001, version 4010, accepted with errors",
    ]
    assert "! error element.type" in run.out
    assert (run.status, run.error) == (0, "")
    several = Run("inspect", files / "wrong.edi", files / "nothing.edi", files / "valid.edi")
    assert several.status == 2
    assert several.error == f"dist-relay edi: {files / 'nothing.edi'}: " + (
        "no interchange found: neither ISA nor UNB, and no message that begins with ST or UNH\n"
    )
    assert several.out.count("\n== ") == 2
    assert "4 more segments" in Run("inspect", files / "valid.edi", "--segments", 1).out
    assert "exclude each other" in Run("inspect", files / "valid.edi", "--json", "--html").error


def test_inspect_says_what_is_wrong_with_the_envelope():
    run = Run("inspect", "-", stdin=changed(ORDER, (b"IEA*1", b"IEA*2")))
    assert run.out.splitlines()[-1].startswith("! reject envelope.count: IEA, element IEA01: ")


def test_inspect_for_machines(files):
    (found,) = Run("inspect", "--json", files / "valid.edi").objects
    assert found["interchange"]["sender"] == "ZZ SHOP"
    assert found["document"]["segments"][0]["tag"] == "BEG"
    assert Run("inspect", "--html", files / "valid.edi").out.startswith('<section class="edi-document edi-valid">')


@pytest.mark.parametrize(
    ("arguments", "environment", "coloured"),
    [((), {}, True), (("--no-color",), {}, False), ((), {"NO_COLOR": "1"}, False)],
)
def test_colours_only_where_they_are_wanted(files, monkeypatch, arguments, environment, coloured):
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in Run("inspect", files / "wrong.edi", *arguments, terminal=True).out) == coloured
    assert "\x1b[" not in Run("inspect", files / "wrong.edi", *arguments).out


def test_control_characters_of_a_file_do_not_reach_the_terminal(files):
    evil = changed(ORDER, (b"Store 5", b"\x1b]0;gotcha\x07"))
    for command in ("inspect", "validate"):
        run = Run(command, "-", stdin=evil, terminal=True)
        assert "\x1b]" not in run.out + run.error
        assert "\x07" not in run.out + run.error


def test_ack(files):
    run = Run("ack", files / "refused.edi", "--control", 42, "--at", "2026-03-01T12:31")
    assert run.status == 1
    assert run.out.startswith(
        "ISA*00*          *00*          *ZZ*DIST           *ZZ*SHOP           *260301*1231*U*00401"
    )
    outcomes = [(each.level, each.outcome) for each in verdicts(next(read(run.out.encode())))]
    assert ("message", "rejected") in outcomes
    assert Run("ack", files / "valid.edi").status == 0
    assert "*TA1" not in run.out
    assert "TA1*000000007*" in Run("ack", files / "valid.edi", "--kind", "TA1").out
    assert "ST*999*" in Run("ack", files / "valid.edi", "--kind", "999").out
    assert "UCI+9+SHOP:14+DIST:14" in Run("ack", files / "orders.edi").out
    assert "UCI+9+SHOP:14+DIST:14+8" in Run("ack", files / "orders.edi", "--kind", "receipt").out
    (found,) = Run("ack", "--json", files / "orders.edi").objects
    assert (found["interchange"], found["acknowledgement"][:3]) == ("9", "UNB")


def test_ack_of_what_cannot_be(files):
    run = Run("ack", files / "orders.edi", "--kind", "997")
    assert (run.status, run.out) == (2, "")
    assert "EDIFACT is acknowledged with CONTRL, not 997" in run.error
    answer = Run("ack", files / "valid.edi").out.encode()
    again = Run("ack", "-", stdin=answer)
    assert (again.status, again.out) == (0, "")
    assert "interchange 000000001 is not to be acknowledged" in again.error
    assert Run("ack", files / "nothing.edi").status == 2
    two = Run("ack", files / "valid.edi", files / "orders.edi", "--control", 5).out.encode()
    assert [each.drain().control for each in read(two)] == ["000000005", "6"]


def test_an_output_file_is_whole_or_not_there(files):
    out = files / "answer.edi"
    assert Run("ack", files / "valid.edi", "-o", out).out == ""
    assert out.read_bytes().startswith(b"ISA*")
    run = Run("ack", files / "valid.edi", "-o", files / "none" / "answer.edi")
    assert run.status == 2
    assert run.error == f"dist-relay edi: {files / 'none' / 'answer.edi'}: No such file or directory\n"
    assert Run("ack", files / "valid.edi", "-o", files).error == f"dist-relay edi: {files}: Is a directory\n"
    assert not list(files.glob("*.part"))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["validate"],
        ["shred", "a.edi"],
        ["ack", "a.edi", "--kind", "998"],
        ["ack", "a.edi", "--control", "0"],
        ["ack", "a.edi", "--control", "1" * 5_000],
        ["ack", "a.edi", "--at", "yesterday"],
        ["convert", "a.edi", "--to", "xml"],
        ["convert", "a.edi", "--sender", "ZZ:"],
    ],
)
def test_a_wrong_command_line_is_status_2(arguments, capsys):
    assert Run(*arguments).status == 2
    assert "dist-relay edi" in capsys.readouterr().err


def test_help_is_status_0(capsys):
    assert Run("validate", "--help").status == 0
    assert "--partner" in capsys.readouterr().out


def test_every_fixture_is_validated_and_inspected():
    kinds = {"pass": {"valid"}, "fail": {"accepted_with_errors", "rejected"}}
    paths = sorted(FOLDER.rglob("*.edi"))
    run = Run("validate", "--json", *paths)
    assert len(run.objects) == len(paths) > 400
    for found in run.objects:
        assert found["status"] in kinds[Path(found["file"]).parent.name], found["file"]
    assert Run("inspect", *paths[::7]).status == 0


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not here")
@pytest.mark.parametrize(
    "arguments", [("validate", "--json"), ("inspect",), ("inspect", "--html"), ("ack",), ("convert",)]
)
def test_the_corpus_goes_through_every_command(arguments):
    paths = [path for path in sorted(CORPUS.rglob("*")) if path.is_file() and path.suffix != ".tsv"]
    run = Run(*arguments, *paths)
    assert run.status in (0, 1, 2)
    assert all(line.startswith("dist-relay edi: ") or "files: " in line for line in run.error.splitlines())
    assert len(run.out) > 10_000
