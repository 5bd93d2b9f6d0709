"""Interchanges, groups and messages, one at a time: what stands in memory is the message that is read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from threading import Lock

from .delimiters import Delimiters
from .errors import LimitError, UnreadableError
from .grammar.model import Grammar
from .grammar.registry import Registry, default
from .interchange import Interchange, Message
from .profile import DEFAULT_PROFILE, Profile
from .source import PIECE, Pieces, Source
from .tokens import Buffer
from .validate import Compiled

MAX_COMPILED = 200
"""Automata kept: delimiters and types come from outside."""
MAX_CODECS = 64
"""Codecs kept: partners whose automata stay warm."""


class Codec:
    """Reads with one profile and one registry of grammars, and remembers the automata it has built."""

    def __init__(self, profile: Profile = DEFAULT_PROFILE, registry: Registry | None = None) -> None:
        self.profile = profile
        self.registry = registry or default()
        self._compiled: dict[tuple[str, str, str, Delimiters], Compiled] = {}
        self._merged: dict[tuple[str, str, str], Grammar] = {}

    def read(self, source: Source, *, keep: bool = True, piece: int = PIECE) -> Iterator[Interchange]:
        """The interchanges of an input, each to be used before the next is asked for.

        ``keep`` false validates without keeping segments: any size in constant memory, but messages have no tree.

        :raises UnreadableError: there is no interchange in it.
        :raises LimitError: it is larger than the profile's limits.
        """
        limits = self.profile.limits
        pieces = Pieces(source, limits, piece)
        buffer = Buffer(pieces, limits)
        count = 0
        previous: Interchange | None = None
        while True:
            interchange = self._next(buffer, pieces, keep, previous)
            if interchange is None:
                break
            previous = interchange
            count += 1
            if count > limits.interchanges:
                raise LimitError(f"more than {limits.interchanges} interchanges")
            yield interchange
            interchange.drain()
        if not count:
            raise UnreadableError(
                "no interchange found: neither ISA nor UNB, and no message that begins with ST or UNH"
            )

    def compiled(self, standard: str, type_: str, version: str, delimiters: Delimiters) -> Compiled:
        """The automaton for a message type with these delimiters."""
        key = (standard, type_, version, delimiters)
        found = self._compiled.get(key)
        if found is None:
            if len(self._compiled) >= MAX_COMPILED:
                self._compiled.clear()
            found = self._compiled[key] = self._compile(standard, type_, version, delimiters)
        return found

    def grammar(self, standard: str, type_: str, version: str) -> Grammar:
        """The grammar of a message type, with what the partner's overlay changes in it."""
        overlay = self.profile.overlay
        if overlay is None or (standard, type_) not in overlay.documents:
            return self.registry.find(standard, type_, version)
        key = (standard, type_, version)
        found = self._merged.get(key)
        if found is None:
            from .overlay.merge import merged

            if len(self._merged) >= MAX_COMPILED:
                self._merged.clear()
            found = self._merged[key] = merged(overlay, self.registry, standard, type_, version)
        return found

    def _compile(self, standard: str, type_: str, version: str, delimiters: Delimiters) -> Compiled:
        from .envelope import edifact, x12

        grammar = self.grammar(standard, type_, version)
        envelope = x12 if standard == "x12" else edifact
        return Compiled(grammar, delimiters, self.profile, trailer=envelope.TRAILER, envelope=envelope.TAGS)

    def _next(self, buffer: Buffer, pieces: Pieces, keep: bool, previous: Interchange | None) -> Interchange | None:
        from .envelope import begin

        return begin.next_interchange(self, buffer, pieces, keep, previous)


_kept: OrderedDict[Hashable, Codec] = OrderedDict()
_lock = Lock()


def codec(profile: Profile | None = None, registry: Registry | None = None) -> Codec:
    """The codec of a profile, the same one for the same profile, so that its automata stay warm."""
    profile, registry = profile or DEFAULT_PROFILE, registry or default()
    key = (profile.key, id(registry))
    with _lock:
        found = _kept.pop(key, None) or Codec(profile, registry)
        while len(_kept) >= MAX_CODECS:
            _kept.popitem(last=False)
        _kept[key] = found
    return found


def read(source: Source, profile: Profile | None = None, *, keep: bool = True) -> Iterator[Interchange]:
    """Read with a profile; see :meth:`Codec.read`."""
    return codec(profile).read(source, keep=keep)


__all__ = ["Codec", "Interchange", "Message", "codec", "read"]
