"""Cuts the text of one interchange into raw segments, in batches, and leaves what follows for the next interchange."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

from .charset import Charset
from .errors import LimitError
from .limits import Limits
from .segment import cut
from .source import Pieces

_BLANKS = " \t\r\n"

PORTION = 1 << 12
"""Characters given at once where segments are taken out one by one: what is behind them is copied each time."""


class Buffer:
    """Text that is read but not used yet."""

    def __init__(self, pieces: Pieces, limits: Limits) -> None:
        self.text = ""
        self.ended = False
        self.limits = limits
        self.messages = 0
        """Messages of all interchanges so far."""
        self.kinds: set[Hashable] = set()
        """Types, versions and delimiters of them."""
        self._pieces = iter(pieces)
        self._held = ""
        self._given = 0

    def more(self) -> bool:
        """Read on; false when the input has ended."""
        piece = self._next()
        if piece is None:
            self.ended = True
            return False
        self.text += piece
        return True

    def need(self, size: int) -> None:
        """Read on until there are ``size`` characters, or the input has ended."""
        have = len(self.text)
        if have >= size:
            return
        parts = [self.text]
        while have < size:
            piece = self._next()
            if piece is None:
                self.ended = True
                break
            parts.append(piece)
            have += len(piece)
        self.text = "".join(parts)

    def narrow(self) -> None:
        """Keep a little of the text and give the rest in small portions."""
        if len(self.text) > 2 * PORTION and not self._held:
            self._held, self._given, self.text = self.text, PORTION, self.text[:PORTION]
            self.ended = False

    def _next(self) -> str | None:
        if not self._held:
            return next(self._pieces, None)
        piece = self._held[self._given : self._given + PORTION]
        self._given += PORTION
        if self._given >= len(self._held):
            self._held = ""
        return piece


class Cutter:
    """The raw segments of one interchange.

    ``openers`` are tags that begin another interchange, ``closer`` the tag of this one's trailer: nothing behind the
    trailer is taken out of the buffer. ``terminator`` is given as it stands in the buffer (one character a byte).
    """

    def __init__(
        self,
        buffer: Buffer,
        *,
        element: str,
        terminator: str,
        release: str,
        openers: tuple[str, ...],
        closer: str,
        binary: tuple[str, ...],
        charset: Charset,
        note: Callable[[str, str], None],
    ) -> None:
        self._buffer = buffer
        self._element = element
        self._terminator = terminator
        self._release = release
        self._openers = openers
        self._closer = closer
        self._binary = tuple(tag + element for tag in binary)
        self._charset = charset
        self._note = note
        self._blanks = _BLANKS.replace(terminator, "") if terminator in _BLANKS else _BLANKS
        self._blanked = (terminator + " ", " " + terminator, terminator + "\t", "\t" + terminator)

    def batches(self) -> Iterator[list[str]]:
        """Lists of raw segments without terminators, decoded; line breaks around and inside them are taken out."""
        buffer = self._buffer
        while True:
            if self._begins_binary() and (taken := self._take_binary()) is not None:
                yield [taken]
                continue
            end = self._last_terminator(buffer.text) + len(self._terminator)
            if end < len(self._terminator):
                if len(buffer.text) > buffer.limits.segment:
                    raise LimitError(
                        f"a segment is longer than {buffer.limits.segment} characters; is its terminator missing?"
                    )
                if buffer.more():
                    continue
                yield from self._rest()
                return
            binary = self._binary_at(buffer.text, end)
            stop, final = self._boundary(buffer.text, binary if binary > 0 else end)
            part, buffer.text = buffer.text[:stop], buffer.text[stop:]
            if segments := self._cut(part):
                yield segments
            if final:
                return

    def _rest(self) -> Iterator[list[str]]:
        """What stands behind the last terminator at the end of the input."""
        text, self._buffer.text = self._buffer.text, ""
        if text.strip(_BLANKS + "\x1a\x00"):
            if self._terminator not in "\r\n":
                self._note("envelope.terminator", "the last segment has no terminator")
            yield [self._clean(text).strip(self._blanks)]

    def _last_terminator(self, text: str) -> int:
        end = text.rfind(self._terminator)
        while end > 0 and self._release and self._is_released(text, end):
            end = text.rfind(self._terminator, 0, end)
        return end

    def _is_released(self, text: str, at: int) -> bool:
        count = 0
        while count < at and text[at - 1 - count] == self._release:
            count += 1
        return count % 2 == 1

    def _next_terminator(self, text: str, start: int) -> int:
        at = text.find(self._terminator, start)
        while at > 0 and self._release and self._is_released(text, at):
            at = text.find(self._terminator, at + 1)
        return at

    def _boundary(self, text: str, end: int) -> tuple[int, bool]:
        """How far the interchange goes in ``text[:end]``, and whether it ends there."""
        opener = min((at for at in (self._starts(text, tag, end) for tag in self._openers) if at > 0), default=-1)
        closer = self._starts(text, self._closer + self._element, end)
        if closer >= 0 and not 0 < opener < closer:
            stop = self._next_terminator(text, closer)
            return stop + len(self._terminator), True
        return (opener, True) if opener > 0 else (end, False)

    def _starts(self, text: str, tag: str, end: int) -> int:
        """Where a segment begins with ``tag`` (-1: nowhere before ``end``); the text's own beginning counts too."""
        at = text.find(tag, 0, end)
        while at >= 0:
            before = text[max(0, at - 400) : at].rstrip(self._blanks)
            if before.endswith(self._terminator) and not (
                self._release and self._is_released(text, text.rindex(self._terminator, 0, at))
            ):
                break
            if not before and (at < 400 or not text[:at].strip(self._blanks)):
                break
            at = text.find(tag, at + 1, end)
        follower = text[at + len(tag) : at + len(tag) + 1] if at >= 0 else ""
        if at >= 0 and tag[-1] != self._element and (follower.isalnum() or not follower):
            return -1
        return at

    def _begins_binary(self) -> bool:
        """Whether the next segment is one with binary data; what is blank before it is dropped then."""
        text = self._buffer.text
        if not self._binary or not (text[:1] in self._blanks or text.startswith(self._binary)):
            return False
        text = text.lstrip(self._blanks)
        if not text.startswith(self._binary):
            return False
        self._buffer.text = text
        return True

    def _binary_at(self, text: str, end: int) -> int:
        """Where the first segment with binary data begins; -1: none."""
        found = [at for at in (self._starts(text, each, end) for each in self._binary) if at >= 0]
        return min(found, default=-1)

    def _take_binary(self) -> str | None:
        """A BIN or BDS segment at the beginning of the buffer: its length says where it ends.

        None: it names no length, and its terminator is not read yet.
        """
        buffer, element = self._buffer, self._element
        buffer.narrow()
        buffer.need(128)
        fields = 2 if buffer.text.startswith("BIN") else 3
        head = buffer.text[:128].split(element, fields)
        size = head[-2] if len(head) > fields else ""
        if len(size) > 12 or not (size.isascii() and size.isdigit()):
            # No length to go by: an ordinary segment.
            end = self._next_terminator(buffer.text, 0)
            if end < 0:
                return None
            segment, buffer.text = buffer.text[:end], buffer.text[end + len(self._terminator) :]
            return segment
        if int(size) > buffer.limits.binary:
            raise LimitError(f"binary data of {size} characters; at most {buffer.limits.binary} are taken")
        length = sum(len(each) + 1 for each in head[:fields]) + int(size)
        buffer.need(length + len(self._terminator))
        segment = buffer.text[:length]
        buffer.text = buffer.text[length:].removeprefix(self._terminator)
        return segment

    def _cut(self, text: str) -> list[str]:
        text = self._clean(text)
        terminator = self._terminator
        if self._release and self._release + terminator in text:
            parts = cut(text, terminator, self._release)
        else:
            parts = text.split(terminator)
        if parts and not parts[-1].strip(_BLANKS):
            parts.pop()
        if "" in parts:
            self._note("envelope.empty", "empty segments between two terminators")
            parts = [each for each in parts if each]
        return parts

    def _clean(self, text: str) -> str:
        """Without line breaks and blanks round segments, and decoded."""
        terminator = self._terminator
        if "\n" in text or "\r" in text:
            text = text.replace(terminator + "\r\n", terminator) if "\r" in text else text
            text = text.replace(terminator + "\n", terminator) if terminator != "\n" else text.replace("\r\n", "\n")
            text = text.lstrip(self._blanks)
            for each in "\r\n":
                if each != terminator and each in text:
                    text = self._inner_breaks(text, each)
        if text[:1] in (" ", "\t") or any(self._is_blanked(text, each) for each in self._blanked):
            text = self._strip(text)
        if not text.isascii():
            text = self._charset.decode(text, keep=terminator)
        return text

    def _is_blanked(self, text: str, which: str) -> bool:
        """Whether there is a blank at a terminator; one behind a released terminator is a value's own."""
        at = text.find(which)
        while at >= 0 and self._release and self._is_released(text, text.index(self._terminator, at)):
            at = text.find(which, at + 1)
        return at >= 0

    def _inner_breaks(self, text: str, character: str) -> str:
        parts = text.split(self._terminator)
        if any(character in each.strip(_BLANKS) for each in parts):
            self._note("envelope.breaks", "line breaks inside segments were taken out")
        return text.replace(character, "")

    def _strip(self, text: str) -> str:
        parts = [each.lstrip(self._blanks) for each in cut(text, self._terminator, self._release)]
        stripped = self._terminator.join(parts)
        if stripped != text or any(each.endswith(" ") for each in parts):
            self._note("envelope.blanks", "blanks round segments")
        return stripped
