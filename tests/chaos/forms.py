"""The short form, which runs with every other test, and the long one of ``make chaos``."""

from __future__ import annotations

import os

import pytest

SECONDS = float(os.environ.get("DIST_CHAOS_SECONDS", "25"))
"""How long a storm takes."""
ROUNDS = int(os.environ.get("DIST_CHAOS_ROUNDS", "1"))
"""How often each crash point is passed before it kills: from 1 to this."""
LONG = SECONDS >= 60

only_long = pytest.mark.skipif(not LONG, reason="in the long form only: make chaos")
"""For the second of two tests that differ little."""
