# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How long does it take to import the codec in a fresh process?

CPU time of ``import dist_relay.edi`` and of its reader, compiled files present, the median of several processes.
"""

from __future__ import annotations

import subprocess
import sys

from kit import bench

CODE = "import time; began = time.process_time(); import {}; print(time.process_time() - began)"
MODULES = {"edi_import": "dist_relay.edi", "edi_import, reader": "dist_relay.edi.reader"}


def main() -> None:
    options = bench.options(__doc__, plain=True, times=(15, 3))
    for name, module in MODULES.items():
        argv = [sys.executable, "-c", CODE.format(module)]
        seconds = [
            float(subprocess.run(argv, capture_output=True, text=True, check=True).stdout) for _ in range(options.times)
        ]
        bench.show(
            name, bench.median(seconds) * 1000, "ms", more_is_better=False, wanted="≤ 150 ms", worst=max(seconds) * 1000
        )


if __name__ == "__main__":
    main()
