# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How much memory does it take to read a file and check all of it, and does that grow with the file?

Peak of resident memory of a fresh process that reads the file as a stream, imports and grammars included, above that of
an interpreter that does nothing. The segments of a message are kept until the next one, but for the file with one set.
Peers on the smaller file.
"""

from __future__ import annotations

from kit import bench, edi

FILES = {"856": "peer mock-edi", "856, one set": "peer pyx12", "DESADV": "peer pydifact"}


def main() -> None:
    options = bench.options(__doc__, plain=True, size=(10_000_000, 100_000), large=(100_000_000, 400_000))
    bare = edi.run("bare")["megabytes"]
    with edi.files() as file:
        for what, peer in FILES.items():
            path = file(what, options.size)
            runner = "ours" if what == "856, one set" else "ours keeping"
            small = edi.run(runner, path)["megabytes"] - bare
            theirs = edi.run(peer, path)["megabytes"] - bare if edi.peers() else None
            facts = {"megabytes_of_file": options.size / 1e6, "interpreter": bare}
            show(f"edi_memory, {what}", small, theirs, "≤ 40 MB", peer_is=peer.removeprefix("peer "), **facts)
            if what == "856, one set":  # more levels than a set may have
                continue
            large = edi.run(runner, file(what, options.large))["megabytes"] - bare
            facts["megabytes_of_file"] = options.large / 1e6
            show(f"edi_memory, {what}, ten times as large", large, None, "≤ 40 MB, flat", growth=large / small, **facts)


def show(name: str, ours: float, theirs: float | None, wanted: str, **facts: object) -> None:
    bench.show(name, ours, "MB", theirs, more_is_better=False, wanted=wanted, **facts)


if __name__ == "__main__":
    main()
