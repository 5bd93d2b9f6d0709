"""Which characters the bytes of an interchange stand for: what it declares, and what it really is."""

from __future__ import annotations

from collections.abc import Callable

BY_SYNTAX = {
    "UNOA": "ascii",
    "UNOB": "ascii",
    "UNOC": "iso8859-1",
    "UNOD": "iso8859-2",
    "UNOE": "iso8859-5",
    "UNOF": "iso8859-7",
    "UNOG": "iso8859-3",
    "UNOH": "iso8859-4",
    "UNOI": "iso8859-6",
    "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9",
    "UNOL": "iso8859-15",
    "UNOW": "utf-8",
    "UNOY": "utf-8",
}
"""Encodings by the syntax identifier of UNB (ISO 9735, code list 0001)."""


class Charset:
    """Decodes what is not ASCII. Senders mislabel: UTF-8 and Windows-1252 are recognised whatever is declared.

    ``encoding`` is what was used, None as long as all was ASCII; written with it, the same bytes come out.
    """

    def __init__(self, declared: str, note: Callable[[str, str], None], agreed: str = "") -> None:
        self.declared = declared
        self.agreed = agreed
        """The encoding that the partner's overlay names; then nothing is recognised."""
        self.encoding: str | None = None
        self._note = note

    def decode(self, text: str, keep: str = "") -> str:
        """``text`` holds one character a byte. Bytes that do not fit become lone surrogates, not lost.

        ``keep`` is a terminator that is not ASCII itself and stays as it is.
        """
        if keep and not keep.isascii():
            return keep.join(part if part.isascii() else self.decode(part) for part in text.split(keep))
        raw = text.encode("latin-1")
        if self.encoding is None:
            self.encoding = self._recognise(raw)
        return raw.decode(self.encoding, "surrogateescape")

    def _recognise(self, raw: bytes) -> str:
        if self.agreed:
            return self.agreed
        found = self._really(raw)
        if self.declared and found != self.declared:
            self._note("envelope.charset", f"declared as {self.declared}, but the text is {found}")
        return found

    def _really(self, raw: bytes) -> str:
        try:
            raw.decode("utf-8")
            return "utf-8"
        except UnicodeDecodeError:
            pass
        single = self.declared if self.declared not in ("", "ascii", "utf-8") else "iso8859-1"
        if single == "iso8859-1" and any(0x80 <= each <= 0x9F for each in raw):
            return "cp1252"
        return single
