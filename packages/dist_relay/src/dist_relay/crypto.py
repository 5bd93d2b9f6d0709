"""Sealed credentials: Odoo seals to the relay's public key, only the relay's private key opens them.

A sealed text is the base64 of a libsodium sealed box (X25519, XSalsa20-Poly1305) around the credentials as JSON. Keys
are written as base64 of their 32 bytes.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import stat
from pathlib import Path
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from dist_relay.errors import SettingsError


class SealError(Exception):
    """A sealed text cannot be opened with this key."""


def keygen() -> tuple[str, str]:
    """A new private and public key."""
    private = PrivateKey.generate()
    return _b64(bytes(private)), _b64(bytes(private.public_key))


def public_of(private: str) -> str:
    """The public key that belongs to a private one."""
    return _b64(bytes(_private(private).public_key))


def seal(public: str, credentials: dict[str, Any]) -> str:
    """What Odoo does; here for tests and tools."""
    text = json.dumps(credentials, separators=(",", ":")).encode()
    return _b64(SealedBox(PublicKey(base64.b64decode(public))).encrypt(text))


def unseal(private: str, sealed: str) -> dict[str, Any]:
    """The credentials in a sealed text.

    :raises SealError: when the text is damaged or sealed to another key.
    """
    try:
        text = SealedBox(_private(private)).decrypt(base64.b64decode(sealed, validate=True))
        found = json.loads(text)
    except (CryptoError, binascii.Error, ValueError) as error:
        raise SealError("the credentials cannot be opened with this relay's key; enter them again in Odoo") from error
    if not isinstance(found, dict):
        raise SealError("the sealed credentials are not an object of names and values")
    return found


def write_key(path: Path) -> str:
    """Write a new private key to ``path`` (mode 0600, never over an existing file) and return the public key."""
    private, public = keygen()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SettingsError(f"{path} exists already; a new key would make all stored credentials unreadable") from None
    with os.fdopen(handle, "w") as file:
        file.write(private + "\n")
    return public


def read_key(path: Path) -> str:
    """The private key in ``path``.

    :raises SettingsError: when it is missing, readable for others, or no key.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"key_file {path} cannot be read: {error.strerror}; make one: dist-relay keygen") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"key_file {path} is readable for others; run: chmod 600 {path}")
    _private(text)
    return text


def _private(text: str) -> PrivateKey:
    try:
        return PrivateKey(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, CryptoError, TypeError):
        raise SettingsError("the private key is not 32 bytes in base64; make one with dist-relay keygen") from None


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
