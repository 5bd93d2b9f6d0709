# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Named places where a process can be made to die, for the tests of the promises. Nothing happens unless
``DIST_CRASH_AT=<point>[:<nth time>]`` is in the environment.

Points: ``claimed``, ``before_commit``, ``after_commit``, ``released`` (what waited was let go, the
mark is not yet taken away).
"""

from __future__ import annotations

import os
import signal

_name, _, _nth = os.environ.get("DIST_CRASH_AT", "").partition(":")
_left = int(_nth or 1)


def point(name: str) -> None:
    """Die by SIGKILL when this is the named place, for the nth time."""
    global _left
    if name == _name:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
