# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How long does one small document take, when everything is loaded?

A purchase order (850) of 43 segments from bytes to findings, everything checked, read many times in one process.
"""

from __future__ import annotations

from kit import bench, edi

from dist_relay.testkit.edi import x12

PEERS = {"peer mock-edi": "", "peer pyx12": "", "peer bots": ""}


def main() -> None:
    options = bench.options(__doc__, plain=True, times=(1000, 20), peer_times=(50, 5))
    with edi.files() as file:
        path = file.folder / "small.edi"
        path.write_bytes(x12.small_order())
        ours = edi.run("ours bytes", path, path, options.times)
        floor = edi.run("floor", path, path, options.times)
        for name in PEERS if edi.peers() else [""]:
            theirs = edi.run(name, path, path, options.peer_times)["seconds"] * 1000 if name else None
            bench.show(
                ", ".join(filter(None, ("edi_small", name.removeprefix("peer ")))),
                ours["seconds"] * 1000,
                "ms",
                theirs,
                more_is_better=False,
                wanted="≤ 0.25 ms",
                times_the_floor=ours["seconds"] / floor["seconds"],
                median=ours["median"] * 1000,
            )


if __name__ == "__main__":
    main()
