"""Set-up, supervision and test running for a checkout of Dist.

Everything here runs from ``make``. Whatever runs before the virtual environment exists uses the standard library only.
"""
