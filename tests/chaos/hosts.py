"""Hosts that are not as they should be; called inside a relay process before it starts."""

from __future__ import annotations

import json
import os
import resource
import signal
import tempfile


def without_disk() -> None:
    """Nothing can be written to any file, not even a byte of log, and there is no folder for temporary ones."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in (1, 2):
        os.dup2(nowhere, output)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # die of the attempt, so that no code can hide it
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.environ["TMPDIR"] = tempfile.tempdir = "/nonexistent"


def newer() -> None:
    """A relay of a later version: its envelopes and results have members that this version does not know."""
    from dist_relay.pump import publisher
    from dist_relay.runtime import events, lane

    def extended(text: str) -> str:
        return json.dumps({**json.loads(text), "of_a_later_version": {"a": [1]}})

    envelope, dump = publisher.envelope, lane.dump
    publisher.envelope = lambda *args: extended(envelope(*args))
    lane.dump = lambda item: extended(dump(item))
    assert events.Lane is lane.Lane
