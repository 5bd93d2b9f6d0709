"""When two names, e-mail addresses or postal addresses are the same."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from dist_contracts import Address

_SPACE = re.compile(r"[\W_]+", re.UNICODE)


def normalise(text: str | None) -> str:
    """Fold case, accents, punctuation and spaces.

    >>> normalise("  Gärtnerstraße 12,  Hs. B ")
    'gartnerstrasse 12 hs b'
    """
    folded = unicodedata.normalize("NFKD", (text or "").casefold())
    return _SPACE.sub(" ", "".join(c for c in folded if not unicodedata.combining(c))).strip()


def normalise_email(text: str | None) -> str:
    """An address to compare by, or ``""`` when it is none.

    >>> normalise_email(" Ann@Example.COM "), normalise_email("not an address")
    ('ann@example.com', '')
    """
    value = (text or "").strip().lower()
    return value if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value) else ""


def address_key(name, street, street2, city, zip_code, state, country, company: str | None = None) -> str:
    """A digest that two addresses share exactly if they are the same for a carrier.

    >>> one = address_key("Ann Lee", "1 Main St.", None, "Reno", "89501", "NV", "US")
    >>> one == address_key("ann  lee", "1 main st", "", "RENO", "89501", "NV", "US")
    True
    >>> one == address_key("Ann Lee", "2 Main St.", None, "Reno", "89501", "NV", "US")
    False
    """
    parts = [normalise(part) for part in (f"{name or ''} {company or ''}", street, street2, city, state, country)]
    parts.append(normalise(zip_code).replace(" ", ""))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40]


def key_of(address: Address) -> str:
    """:func:`address_key` of a contract address."""
    name, company = name_and_company(address)
    return address_key(
        name, address.street, address.street2, address.city, address.zip, address.state, address.country, company
    )


def name_and_company(address: Address) -> tuple[str, str]:
    """The addressee and the company beside them; a company alone is the addressee."""
    return (address.name or address.company or "").strip(), (address.company or "").strip() if address.name else ""
