"""The characters that separate things in one interchange."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Delimiters:
    """Service characters of an interchange; an empty string where the standard or version has none.

    ``decimal`` is the decimal mark that is written: ``.`` in X12; in EDIFACT both ``.`` and ``,`` are read.
    """

    element: str
    component: str
    terminator: str
    repetition: str = ""
    release: str = ""
    decimal: str = "."

    @property
    def all(self) -> str:
        """All service characters, for character classes and for the writer's refusal of ambiguous values."""
        return self.element + self.component + self.terminator + self.repetition + self.release

    def problem(self) -> str | None:
        """Why these cannot work together, or None."""
        found = self.all
        if len(set(found)) != len(found):
            return f"two of the delimiters are the same character: {found!r}"
        if any(each.isalnum() for each in found):
            return f"a letter or digit cannot be a delimiter: {found!r}"
        return None


X12 = Delimiters(element="*", component=">", terminator="~", repetition="^")
"""What the writer uses where a partner asks for nothing else (``^`` from version 00402 on only)."""

EDIFACT = Delimiters(element="+", component=":", terminator="'", release="?")
"""Level A service characters: what holds without UNA (ISO 9735)."""

EDIFACT_4 = Delimiters(element="+", component=":", terminator="'", release="?", repetition="*")
"""The same for syntax version 4, which has a repetition separator."""
