"""Where results go: standard output, or a file that is whole or not there at all."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from .console import Console


class Sink:
    """Use it with ``with``; a file gets its name when all went well."""

    def __init__(self, name: str, console: Console) -> None:
        self._path = None if name == "-" else Path(name)
        self._console = console
        self._file: BinaryIO | None = None

    def __enter__(self) -> Sink:
        if self._path is not None:
            try:
                if self._path.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                self._file = self._partial.open("wb")
            except OSError as error:
                error.filename = str(self._path)  # whoever reads this has not asked for a .part
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None or self._path is None:
            return
        self._file.close()
        if kind is None:
            os.replace(self._partial, self._path)
        else:
            with suppress(OSError):
                self._partial.unlink()

    def bytes(self, data: bytes) -> None:
        """Bytes as they are."""
        if self._file is not None:
            self._file.write(data)
        else:
            self._console.bytes(data)

    def line(self, text: str, *, only_terminal: bool = False) -> None:
        """A line of text; ``only_terminal``: a line break that does not belong to the result."""
        if only_terminal and (self._file is not None or not self._console.terminal):
            return
        if self._file is not None:
            self._file.write((text + "\n").encode("utf-8", "backslashreplace"))
        else:
            self._console.line(text)

    @property
    def _partial(self) -> Path:
        assert self._path is not None
        return self._path.with_name(self._path.name + ".part")
