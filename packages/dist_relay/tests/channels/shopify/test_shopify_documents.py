"""Every document the adapter can send is valid against the published schema, and so is the fake's reduced one."""

from __future__ import annotations

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    validate,
)

from dist_relay.channels.shopify import documents
from dist_relay.channels.shopify.manifest import API_VERSION
from dist_relay.testkit.fake_shopify import schema as schemas


@pytest.fixture(scope="session")
def published() -> GraphQLSchema:
    found = schemas.published()
    if found is None:
        pytest.skip("the vendor's published schema is not at hand (DIST_CONTRACTS_DIR)")
    return found


def test_there_are_documents_for_every_flow() -> None:
    assert len(documents.operations()) >= 10
    assert sum(documents.is_mutation(name) for name in documents.operations()) == 3


@pytest.mark.parametrize("name", documents.operations())
def test_a_document_holds_the_operation_its_file_is_named_after(name: str) -> None:
    tree = parse(documents.document(name))
    assert [d.name and d.name.value for d in tree.definitions if isinstance(d, OperationDefinitionNode)] == [name]


@pytest.mark.parametrize("name", documents.operations())
def test_a_document_is_valid_against_the_published_schema(name: str, published: GraphQLSchema) -> None:
    assert API_VERSION == schemas.VERSION
    assert validate(published, parse(documents.document(name))) == []


@pytest.mark.parametrize("name", documents.operations())
def test_a_document_is_valid_against_the_reduced_schema(name: str) -> None:
    assert validate(schemas.reduced(), parse(documents.document(name))) == []


def test_no_document_uses_a_deprecated_field(published: GraphQLSchema) -> None:
    from graphql import NoDeprecatedCustomRule

    for name in documents.operations():
        assert validate(published, parse(documents.document(name)), [NoDeprecatedCustomRule]) == [], name


def test_inventory_is_set_idempotently() -> None:
    assert "@idempotent(key: $key)" in documents.document("SetQuantities")


def test_the_reduced_schema_is_a_part_of_the_published_one(published: GraphQLSchema) -> None:
    differences: list[str] = []
    for name, ours in schemas.reduced().type_map.items():
        if not name.startswith("__"):
            differences += _differences(name, ours, published.type_map.get(name))
    assert differences == []
    directive = published.get_directive("idempotent")
    assert directive
    assert str(directive.args["key"].type) == "String!"


def _differences(name: str, ours: object, theirs: object) -> list[str]:
    if type(ours) is not type(theirs):
        return [f"{name}: is {type(theirs).__name__}"]
    if isinstance(ours, GraphQLEnumType) and isinstance(theirs, GraphQLEnumType):
        return [f"{name}.{value}" for value in ours.values if value not in theirs.values]
    found = []
    if isinstance(ours, GraphQLObjectType | GraphQLInterfaceType) and isinstance(theirs, type(ours)):
        found += [
            f"{name} implements {i}" for i in ours.interfaces if i.name not in {t.name for t in theirs.interfaces}
        ]
        for field, mine in ours.fields.items():
            real = theirs.fields.get(field)
            if real is None or str(real.type) != str(mine.type):
                found.append(f"{name}.{field}: {mine.type}, really {real and real.type}")
                continue
            for argument, wanted in mine.args.items():
                if argument not in real.args or str(real.args[argument].type) != str(wanted.type):
                    found.append(f"{name}.{field}({argument})")
            found += [
                f"{name}.{field} needs {argument}"
                for argument, wanted in real.args.items()
                if str(wanted.type).endswith("!") and argument not in mine.args
            ]
    if isinstance(ours, GraphQLInputObjectType) and isinstance(theirs, GraphQLInputObjectType):
        for field, mine_in in ours.fields.items():
            real_in = theirs.fields.get(field)
            if real_in is None or str(real_in.type) != str(mine_in.type):
                found.append(f"{name}.{field}: {mine_in.type}, really {real_in and real_in.type}")
    return found
