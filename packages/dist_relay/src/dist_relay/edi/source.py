"""Bytes or a stream in, pieces of text out: one character per byte, so that nothing is lost or changed."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from typing import BinaryIO, Union

from .errors import LimitError, UnreadableError
from .limits import DEFAULT, Limits

Source = Union[bytes, bytearray, memoryview, str, "os.PathLike[str]", BinaryIO]
"""What can be read: bytes, a binary stream, or a path. (A ``str`` is a path; text is not taken.)"""

PIECE = 1 << 18
"""Bytes read at once."""

_UTF_16_32 = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Pieces:
    """The input piece by piece as Latin-1 text. ``bom`` names a byte order mark that was there.

    UTF-16 and UTF-32 are turned into UTF-8 first, so that the envelope can be found.
    """

    def __init__(self, source: Source, limits: Limits = DEFAULT, piece: int = PIECE) -> None:
        self.bom = ""
        self._limits = limits
        self._piece = piece
        self._pieces = self._text(self._raw(source))

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    def _raw(self, source: Source) -> Iterator[bytes]:
        if isinstance(source, (bytes, bytearray, memoryview)):
            view = memoryview(source).cast("B")
            for at in range(0, len(view), self._piece):
                yield bytes(view[at : at + self._piece])
        elif isinstance(source, (str, os.PathLike)):
            with open(source, "rb") as file:
                yield from iter(lambda: file.read(self._piece), b"")
        else:
            while piece := self._whole_piece(source):
                yield piece

    def _whole_piece(self, source: BinaryIO) -> bytes:
        """As much as was asked for, also from a stream that gives less at a time: each piece is searched anew."""
        parts: list[bytes] = []
        size = 0
        while size < self._piece and (part := source.read(self._piece - size)):
            if not isinstance(part, bytes):
                raise UnreadableError("the stream gives text; open it in binary mode")
            parts.append(part)
            size += len(part)
        return b"".join(parts)

    def _text(self, raw: Iterator[bytes]) -> Iterator[str]:
        total = 0
        first = b""
        for piece in raw:
            first += piece
            if len(first) >= 4:
                break
        decode = self._decoder(first)
        for piece in self._again(first, raw):
            total += len(piece)
            if total > self._limits.total:
                raise LimitError(f"the input is longer than {self._limits.total} bytes")
            if text := decode(piece):
                yield text

    def _again(self, first: bytes, raw: Iterator[bytes]) -> Iterator[bytes]:
        if self.bom == "utf-8":
            first = first[len(codecs.BOM_UTF8) :]
        if first:
            yield first
        yield from raw

    def _decoder(self, first: bytes):  # type: ignore[no-untyped-def]
        if first.startswith(codecs.BOM_UTF8):
            self.bom = "utf-8"
        for mark, encoding in _UTF_16_32:
            if first.startswith(mark):
                self.bom = encoding
                decoder = codecs.getincrementaldecoder(encoding)("replace")
                return lambda piece: decoder.decode(piece).lstrip("\ufeff").encode("utf-8").decode("latin-1")
        return lambda piece: piece.decode("latin-1")
