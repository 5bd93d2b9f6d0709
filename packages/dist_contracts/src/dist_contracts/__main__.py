"""``python -m dist_contracts``: write the schemas, check them against the released ones, release them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .compatibility import breaks
from .schema import as_text, schema_of, schemas, write

_DEFAULT = Path("packages/dist_contracts/schemas")


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status is 0 when it did what it says."""
    parser = argparse.ArgumentParser(prog="python -m dist_contracts", description="The contracts of Dist.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("schema", help="print the JSON Schema of every published object, or write one file each")
    one.add_argument("--out", type=Path, metavar="DIR", help="folder for <name>.json; without it all is printed")
    two = commands.add_parser("check", help="fail when a released schema was changed so that readers break")
    three = commands.add_parser("release", help="freeze schemas as they are now: they never change incompatibly again")
    three.add_argument("names", nargs="*", metavar="NAME", help="e.g. order.received.v1; all when none is given")
    for command in (two, three):
        command.add_argument("--schemas", type=Path, default=_DEFAULT, metavar="DIR", help=f"default: {_DEFAULT}")
    options = parser.parse_args(argv)
    if options.command == "schema":
        return _schema(options.out)
    if not (options.schemas / "RELEASED").is_file():
        parser.error(f"there is no {options.schemas / 'RELEASED'}; run it in the repository, or give --schemas")
    if options.command == "check":
        return _report(released_breaks(options.schemas))
    return _release(options.schemas, options.names or list(schemas()))


def released_names(folder: Path) -> list[str]:
    """The names in ``RELEASED``, one a line; ``#`` starts a comment."""
    lines = (line.partition("#")[0].strip() for line in (folder / "RELEASED").read_text("utf-8").splitlines())
    return [line for line in lines if line]


def released_breaks(folder: Path) -> list[str]:
    """Every way in which today's models break a schema in ``folder/released``, as ``name: path: what``."""
    found = []
    current = schemas()
    for name in released_names(folder):
        if name not in current:
            found.append(f"{name}: a released type is gone")
            continue
        released = json.loads((folder / "released" / f"{name}.json").read_text("utf-8"))
        found += [f"{name}: {what}" for what in breaks(released, current[name])]
    return found


def _schema(out: Path | None) -> int:
    if out is None:
        sys.stdout.write(as_text(schemas()))
    else:
        for path in write(out):
            print(path)
    return 0


def _report(found: list[str]) -> int:
    for what in found:
        print(what, file=sys.stderr)
    return 1 if found else 0


def _release(folder: Path, names: list[str]) -> int:
    """Freeze ``names``; a name released before is frozen again only where the change is compatible."""
    if unknown := sorted(set(names) - set(schemas())):
        print(f"not published: {', '.join(unknown)}", file=sys.stderr)
        return 1
    if found := released_breaks(folder):
        return _report(found)
    (folder / "released").mkdir(exist_ok=True)
    for name in names:
        (folder / "released" / f"{name}.json").write_text(as_text(schema_of(name)), encoding="utf-8")
    comment = [line for line in (folder / "RELEASED").read_text("utf-8").splitlines() if line.startswith("#")]
    listed = sorted({*released_names(folder), *names})
    (folder / "RELEASED").write_text("\n".join([*comment, *listed]) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
