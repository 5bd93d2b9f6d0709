# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Large valid documents for tests and benchmarks: the same bytes for the same seed, every balance right.

Each maker yields pieces of one interchange, a transaction set or message at a time, so that a file of any size can be
written without holding it::

    with open("856.edi", "wb") as stream:
        stream.writelines(x12.ship_notices(10_000_000))
"""
