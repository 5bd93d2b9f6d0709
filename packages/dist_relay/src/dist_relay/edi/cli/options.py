"""The arguments of the command line."""

from __future__ import annotations

import argparse
from datetime import datetime

_FILES = "files, folders, or - for what comes in"


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    made = argparse.ArgumentParser(
        prog="dist-relay edi",
        description="Reads, checks, converts and acknowledges X12 and EDIFACT.",
        epilog="Exit status: 0 all is well, 1 there are findings, 2 something could not be read.",
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    inspect = _command(commands, "inspect", "show documents as a tree with labels and findings")
    inspect.add_argument("--segments", type=_count, default=2_000, metavar="N", help="segments shown of a document")
    inspect.add_argument("--html", action="store_true", help="as HTML tables (not with --json)")
    inspect.add_argument("--no-color", action="store_true", help="no colours, also on a terminal")
    validate = _command(commands, "validate", "say what is wrong with documents")
    validate.add_argument("--notes", action="store_true", help="say also what is worth knowing and no fault")
    validate.add_argument("--no-color", action="store_true", help="no colours, also on a terminal")
    _convert(_command(commands, "convert", "documents to canonical JSON, or JSON and documents to X12 and EDIFACT"))
    ack = _command(commands, "ack", "print the acknowledgement of interchanges")
    ack.add_argument("--kind", choices=("TA1", "997", "999", "CONTRL", "receipt"), help="997 or CONTRL if not given")
    _out(ack)
    return made


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, purpose: str
) -> argparse.ArgumentParser:
    made = commands.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
    made.add_argument("files", nargs="+", metavar="FILE", help=_FILES)
    made.add_argument(
        "-p", "--partner", metavar="OVERLAY", help="overlay of a partner (.toml, .json), strict or lenient"
    )
    made.add_argument("--grammars", action="append", default=[], metavar="FOLDER", help="further grammars, which win")
    made.add_argument("-r", "--recursive", action="store_true", help="go into the folders of folders")
    made.add_argument("--json", action="store_true", help="for machines")
    return made


def _convert(made: argparse.ArgumentParser) -> None:
    made.add_argument("--to", choices=("json", "x12", "edifact"), default="json", help="json if not given")
    made.add_argument("--type", default="", metavar="TYPE", help="850, ORDERS …; by the object if not given")
    made.add_argument("--version", default="", metavar="VERSION", help="4010, 96A …; by the overlay if not given")
    made.add_argument("--sender", type=_party, metavar="[QUALIFIER:]ID", help="by overlay or document if not given")
    made.add_argument("--receiver", type=_party, metavar="[QUALIFIER:]ID", help="by overlay or document if not given")
    made.add_argument("--lossy", action="store_true", help="write also what leaves something out, and say what")
    _out(made)


def _out(made: argparse.ArgumentParser) -> None:
    made.add_argument("-o", "--output", default="-", metavar="FILE", help="where the result goes, instead of out")
    made.add_argument("--control", type=_count, default=1, metavar="N", help="control number of the first interchange")
    made.add_argument("--at", type=_moment, metavar="2026-03-01T12:30", help="date and time written; now if not given")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:12]) < 1_000_000_000):
        raise argparse.ArgumentTypeError("a number from 1 to 999999999 is wanted")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a moment is written 2026-03-01T12:30") from None


def _party(text: str) -> tuple[str, str]:
    """Identification and qualifier."""
    qualifier, colon, id_ = text.partition(":")
    if not (id_ if colon else text):
        raise argparse.ArgumentTypeError("a party is written ID or QUALIFIER:ID")
    return (id_, qualifier) if colon else (text, "")
