# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How many segments a second does the writer write?

Messages that were read from a generated file are written into one interchange, each checked against its grammar before
a byte of it goes out, as the writer always does. Reading them is not measured. The floor joins the same values with
their separators and checks nothing.
"""

from __future__ import annotations

from kit import bench, edi


def main() -> None:
    options = bench.options(__doc__, plain=True, size=(2_000_000, 60_000), rounds=(3, 1))
    with edi.files() as file:
        for what in ("856", "850", "DESADV"):
            path = file(what, options.size)
            ours = edi.run("ours writing", path, times=options.rounds)
            bench.show(
                f"edi_write, {what}",
                ours["segments"] / ours["seconds"],
                "segments/s",
                more_is_better=True,
                wanted="≥ 100,000/s",
                segments=ours["segments"],
                megabytes_written=ours["bytes"] / 1e6,
                times_the_floor=ours["seconds"] / ours["floor"],
            )


if __name__ == "__main__":
    main()
