"""``make compose-secrets``: one file per secret for docker-compose.yml."""

from __future__ import annotations

import base64
import re
import secrets
from pathlib import Path

from . import ui

_PLACE = re.compile(r"@([a-z_ ]+)@")
_NEW_KEY = "new key"


def make_secrets(folder: Path) -> list[str]:
    """Write the secrets that are missing, from the ``*.example`` files of the folder. Returns their names.

    An empty example becomes a random password; ``@name@`` becomes the secret of that name and ``@new key@`` a new
    private key of the relay (32 random bytes in base64, what ``dist-relay keygen`` writes).
    """
    folder.chmod(0o700)
    examples = {path.name.removesuffix(".example"): path.read_text().strip() for path in folder.glob("*.example")}
    made = [name for name in sorted(examples, key=lambda name: bool(examples[name])) if not (folder / name).exists()]
    for name in made:
        text = _PLACE.sub(lambda found: _value(folder, found[1]), examples[name]) or secrets.token_urlsafe(24)
        fresh = folder / f"{name}.new"
        fresh.write_text(text + "\n")
        fresh.chmod(0o444)
        fresh.rename(folder / name)
    return made


def _value(folder: Path, name: str) -> str:
    if name == _NEW_KEY:
        return base64.b64encode(secrets.token_bytes(32)).decode()
    path = folder / name
    if not path.is_file():
        raise ui.Problem(f"{folder} lacks the secret {name} that another one is made from; remove both and try again.")
    return path.read_text().strip()
