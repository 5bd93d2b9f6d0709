"""The GraphQL documents the adapter sends: ``queries/<Operation>.graphql``, with the fragments they spread.

A file whose name begins with a capital holds one operation of that name, any other one fragment.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_SPREAD = re.compile(r"\.\.\.\s*([A-Z]\w*)")
_FRAGMENT = re.compile(r"^fragment (\w+) on", re.MULTILINE)


@cache
def document(name: str) -> str:
    """The text of the operation ``name`` followed by every fragment it needs.

    >>> document("JobState").split("(")[0]
    'query JobState'
    """
    text = _files()[f"{name}.graphql"]
    fragments = _fragments()
    needed: dict[str, str] = {}
    _collect(text, fragments, needed)
    return "\n".join([text, *needed.values()])


@cache
def operations() -> tuple[str, ...]:
    """The names of all operations, sorted."""
    return tuple(sorted(name.removesuffix(".graphql") for name in _files() if name[0].isupper()))


def is_mutation(name: str) -> bool:
    """Whether the operation changes something at the store.

    >>> is_mutation("Fulfil"), is_mutation("Check")
    (True, False)
    """
    return document(name).startswith("mutation")


def _collect(text: str, fragments: dict[str, str], needed: dict[str, str]) -> None:
    for name in _SPREAD.findall(text):
        if name not in needed:
            needed[name] = fragments[name]
            _collect(fragments[name], fragments, needed)


@cache
def _fragments() -> dict[str, str]:
    found = {}
    for text in _files().values():
        for name in _FRAGMENT.findall(text):
            found[name] = text
    return found


@cache
def _files() -> dict[str, str]:
    folder = files(__package__) / "queries"
    return {f.name: f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith(".graphql")}
