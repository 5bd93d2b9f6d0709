# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How long does it take to read an EDIFACT file and check all of it?

Ours: everything on, from a stream. Peers, on the same file: pydifact's plain Parser, which checks nothing; mock-edi's
parse and validate.
"""

from __future__ import annotations

from kit import bench, edi


def main() -> None:
    options = bench.options(__doc__, plain=True, size=(10_000_000, 100_000), rounds=(3, 1))
    wanted = {"peer pydifact": "ratio ≥ 5", "peer mock-edi": ""}
    edi.compare("edi_edifact_validate", "DESADV", wanted, options.size, options.rounds)


if __name__ == "__main__":
    main()
