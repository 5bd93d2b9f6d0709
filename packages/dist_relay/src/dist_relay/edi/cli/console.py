"""Where the command line speaks: results on standard output, the rest on standard error."""

from __future__ import annotations

import io
import os
import time
from contextlib import suppress
from typing import BinaryIO, TextIO

_COLOURS = {
    "title": "1",
    "loop": "36",
    "tag": "1;34",
    "label": "2",
    "value": "",
    "reject": "31",
    "error": "33",
    "note": "2",
    "valid": "32",
    "accepted_with_errors": "33",
    "rejected": "31",
    "unreadable": "31",
}
_EVERY = 0.1
"""Seconds between two lines of progress."""


class Console:
    """Writes for a terminal or a pipe."""

    def __init__(self, out: TextIO, error: TextIO, stdin: TextIO) -> None:
        self._out = out
        self._error = error
        self._in = stdin
        self._colours = False
        self._shown = 0
        self._last = 0.0

    def begin(self, *, no_color: bool) -> None:
        """Find out whether there may be colours; make what cannot be encoded visible."""
        self._colours = not no_color and not os.environ.get("NO_COLOR") and self._out.isatty()
        for stream in (self._out, self._error):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")

    @property
    def terminal(self) -> bool:
        """Whether the result goes to a terminal."""
        return self._out.isatty()

    def line(self, text: str = "") -> None:
        """A line of the result."""
        self._wipe()
        self._out.write(text + "\n")

    def paint(self, text: str, what: str) -> str:
        """``text`` in the colour of what it is."""
        colour = _COLOURS.get(what, "") if self._colours else ""
        return f"\x1b[{colour}m{text}\x1b[0m" if colour else text

    def bytes(self, data: bytes) -> None:
        """Bytes of the result, as they are."""
        self._wipe()
        self._out.flush()
        buffer = getattr(self._out, "buffer", None)
        if buffer is None:
            self._out.write(data.decode("utf-8", "backslashreplace"))
            return
        buffer.write(data)
        buffer.flush()

    def error(self, text: str) -> None:
        """A sentence on standard error."""
        self._wipe()
        with suppress(OSError, ValueError):
            self._error.write(f"dist-relay edi: {text}\n")
            self._error.flush()

    def say(self, text: str) -> None:
        """A line on standard error."""
        self._wipe()
        self._error.write(text + "\n")

    def progress(self, text: str) -> None:
        """What is being done, in a line that is written over; only on a terminal, and not too often."""
        now = time.monotonic()
        if not self._error.isatty() or now - self._last < _EVERY:
            return
        self._wipe()
        self._last, self._shown = now, len(text)
        self._error.write(text)
        self._error.flush()

    def stdin(self) -> BinaryIO:
        """Standard input as bytes."""
        return getattr(self._in, "buffer", None) or io.BytesIO(self._in.read().encode())

    def end(self) -> None:
        """Write out what is held back."""
        self._wipe()
        try:
            self._out.flush()
        except BrokenPipeError:
            self.gone()

    def gone(self) -> None:
        """Whoever reads has gone away: nothing more can be said, and nothing shall be when the interpreter ends."""
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())

    def _wipe(self) -> None:
        if self._shown:
            self._error.write("\r" + " " * self._shown + "\r")
            self._error.flush()
            self._shown = 0
