"""Entry point of ``make``: ``python3 -m dist_dev <command>``."""

import sys

if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    sys.exit(
        "Odoo 19 needs Python 3.10 to 3.13, this is Python %d.%d: install another one, "
        "or name it with `make PYTHON=/path/to/python3 ...`." % sys.version_info[:2]
    )

from dist_dev.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
