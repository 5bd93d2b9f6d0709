"""Raw segments to bytes: terminators, line breaks, records, and the character set."""

from __future__ import annotations

import re

from ..charset import BY_SYNTAX
from ..delimiters import Delimiters
from ..errors import WriteError
from ..finding import shown
from ..segment import split
from .headers import Layout

SHORTEST_RECORD = 20
"""Bytes: a UNA must not be cut."""

_BINARY = ("BIN", "BDS")

_REPERTOIRES = {"UNOA": "A-Z0-9", "UNOB": "A-Za-z0-9"}
_MARKS = r""" .,\-()/='+:?!"%&*;<>\x00-\x1f"""
"""What levels A and B of ISO 9735 have of ASCII. Control characters are for others to refuse."""


def encoding_of(standard: str, version: str) -> str:
    """The encoding that a header declares; X12 declares none, so ASCII.

    :raises WriteError: a syntax identifier that is not known.
    """
    if standard == "x12":
        return "ascii"
    identifier = version.partition(":")[0]
    if identifier not in BY_SYNTAX:
        raise WriteError(f"the syntax identifier {shown(identifier)} is not known; one of {', '.join(BY_SYNTAX)}")
    return BY_SYNTAX[identifier]


class Output:
    """Makes bytes of raw segments, piece by piece; nothing is kept but the rest of a record."""

    def __init__(
        self, delimiters: Delimiters, layout: Layout, encoding: str, *, repertoire: str = "", errors: str = "strict"
    ) -> None:
        if layout.record and (layout.record < SHORTEST_RECORD or delimiters.terminator in "\r\n"):
            raise WriteError(f"records need {SHORTEST_RECORD} bytes or more, and a terminator that is no line break")
        if layout.line_end.strip("\r\n") or layout.record_end.strip("\r\n"):
            raise WriteError("line ends are made of CR and LF only")
        self.encoding = encoding
        self._delimiters = delimiters
        self._terminator = delimiters.terminator.encode(encoding) if errors == "strict" else b""
        self._end = delimiters.terminator + layout.line_end
        self._layout = layout
        self._errors = errors
        self._foreign: re.Pattern[str] | None = None
        if repertoire in _REPERTOIRES:
            allowed = _REPERTOIRES[repertoire] + _MARKS + re.escape(delimiters.all)
            self._foreign = re.compile(f"[^{allowed}]")
        self._column = 0

    def encoded(self, raws: list[str]) -> bytes:
        """The segments with their terminators, before records are cut. Names the place of what cannot be encoded.

        :raises WriteError: a character is not in the character set.
        """
        if not raws:
            return b""
        text = self._end.join(raws) + self._end
        try:
            data = text.encode(self.encoding, self._errors)
        except UnicodeEncodeError:
            if not any(each[:3] in _BINARY for each in raws):
                raise self._unencodable(raws) from None
            return b"".join(self._one(raw, raws) for raw in raws)
        if self._foreign is not None and (found := self._foreign.search(text)):
            raise self._unencodable(raws, found.group())
        return data

    def records(self, data: bytes) -> bytes:
        """``data`` cut into records, if the layout wants that; columns go on from the call before."""
        width, end = self._layout.record, self._layout.record_end.encode()
        if not width:
            return data
        pieces = []
        at = 0
        while at < len(data):
            if self._column == width:
                pieces.append(end)
                self._column = 0
            piece = data[at : at + width - self._column]
            pieces.append(piece)
            self._column += len(piece)
            at += len(piece)
        return b"".join(pieces)

    def finish(self) -> bytes:
        """The end of the last record."""
        if not self._layout.record or not self._column:
            return b""
        self._column = 0
        return self._layout.record_end.encode()

    def _one(self, raw: str, raws: list[str]) -> bytes:
        """A segment alone: binary data is one character a byte."""
        encoding = "latin-1" if raw[:3] in _BINARY else self.encoding
        try:
            return raw.encode(encoding, self._errors) + self._end.encode(self.encoding)
        except UnicodeEncodeError:
            raise self._unencodable([raw]) from None

    def _unencodable(self, raws: list[str], character: str = "") -> WriteError:
        """Find the element at fault."""
        for position, raw in enumerate(raws, 1):
            bad = character if character and character in raw else "" if character else self._bad(raw)
            if not bad:
                continue
            segment = split(raw, self._delimiters)
            index = next((at for at, value in enumerate(segment.elements, 1) if _holds(value, bad)), 0)
            element = f"{segment.tag}{index:02d}"
            text = f"segment {position} {segment.tag}: element {element} holds {shown(bad)}"
            return WriteError(
                f"{text}, which the character set of the interchange ({self.encoding}) does not have",
                segment=segment.tag,
                position=position,
                element=element,
            )
        return WriteError(f"a delimiter is not in the character set {self.encoding}")

    def _bad(self, raw: str) -> str:
        try:
            raw.encode(self.encoding, self._errors)
        except UnicodeEncodeError as error:
            return raw[error.start : error.start + 1]
        return ""


def _holds(value: object, character: str) -> bool:
    if isinstance(value, str):
        return character in value
    return isinstance(value, list) and any(_holds(each, character) for each in value)
