"""The schema the fake answers by: the published one where the contracts folder is at hand, else the reduced one."""

from __future__ import annotations

import gzip
import json
import os
from functools import cache
from importlib.resources import files
from pathlib import Path

from graphql import DocumentNode, GraphQLError, GraphQLSchema, build_client_schema, build_schema, parse, validate

VERSION = "2026-07"


def contracts_dir() -> Path | None:
    """Shopify's published contracts; ``None`` when they are not at hand."""
    here = Path(__file__).resolve()
    named = os.environ.get("DIST_CONTRACTS_DIR")
    near = [parent.parent / "shared" / "contracts" for parent in here.parents if (parent / "packages").is_dir()]
    for folder in [Path(named)] if named else near:
        if (folder / "shopify" / f"admin_{VERSION}.json.gz").is_file():
            return folder / "shopify"
    return None


@cache
def published() -> GraphQLSchema | None:
    """The vendor's schema. Not checked against the GraphQL specification: it breaks a rule of its newest edition."""
    folder = contracts_dir()
    if folder is None:
        return None
    tree = json.loads(gzip.decompress((folder / f"admin_{VERSION}.json.gz").read_bytes()))
    return build_client_schema(tree.get("data", tree), assume_valid=True)


@cache
def reduced() -> GraphQLSchema:
    """Our own small part of it."""
    return build_schema((files(__package__) / "reduced.graphql").read_text("utf-8"), assume_valid=True)


class Documents:
    """Parsed and validated documents by their text."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._known: dict[str, DocumentNode | list[GraphQLError]] = {}

    def get(self, text: str) -> DocumentNode | list[GraphQLError]:
        """The document, or what is wrong with it."""
        if text not in self._known:
            try:
                document = parse(text)
                self._known[text] = validate(self.schema, document) or document
            except GraphQLError as error:
                self._known[text] = [error]
        return self._known[text]
