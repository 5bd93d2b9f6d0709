"""Checks of ``connection.check``, ``listings.pull`` and the manifest."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from dist_contracts import Capability, Envelope, ListingFound, Manifest, Verdict
from dist_contracts.events import ConnectionCheck
from dist_relay.http.reads import TRIES

from .harness import ChannelHarness, Trouble
from .kit import Kit, envelope, events, ids, needs, pull, run


class ManifestChecks:
    """The announcement is complete and its schemas hold for the harness's own connection."""

    def test_it_survives_the_wire(self, harness: ChannelHarness) -> None:
        manifest = harness.adapter.manifest
        assert Manifest.from_json(manifest.to_json()) == manifest

    def test_settings_and_credentials_fit_their_schemas(self, harness: ChannelHarness) -> None:
        manifest = harness.adapter.manifest
        for schema, value in (
            (manifest.settings_schema, harness.settings),
            (manifest.credentials_schema, harness.credentials),
        ):
            Draft202012Validator.check_schema(schema)
            assert not list(Draft202012Validator(schema).iter_errors(json.loads(json.dumps(dict(value)))))

    def test_secrets_are_no_settings(self, harness: ChannelHarness) -> None:
        secret = {"token", "secret", "password", "key"}
        names = harness.adapter.manifest.settings_schema.get("properties", {})
        assert not [name for name in names if secret & set(name.lower().split("_"))]


class ConnectionChecks(Kit):
    """Facts on success, a reason on failure; nothing changes outside."""

    capability = Capability.CHECK

    def test_facts(self, harness: ChannelHarness) -> None:
        (outcome,) = run(harness, _event(harness))
        assert outcome.verdict is Verdict.DELIVERED
        assert outcome.data["name"]
        assert {place["id"] for place in outcome.data["locations"]} >= set(harness.locations)

    @pytest.mark.parametrize("trouble", [Trouble.CREDENTIALS, Trouble.SCOPE, Trouble.HTML, Trouble.SERVER_ERROR])
    def test_failure_is_an_answer(self, harness: ChannelHarness, trouble: Trouble) -> None:
        needs(harness, trouble)
        for _ in range(TRIES):  # a single failed read is tried again in place
            harness.trouble(trouble, self.capability.value)
        (outcome,) = run(harness, _event(harness))
        assert outcome.verdict is Verdict.REJECTED
        assert outcome.message


class ListingsPullChecks(Kit):
    """Every variant is found, and again with the same id."""

    capability = Capability.LISTINGS_PULL

    def test_all_variants(self, harness: ChannelHarness) -> None:
        first, second = (events(pull(harness, self.capability)) for _ in range(2))
        found = [each.payload for each in first]
        assert all(isinstance(each, ListingFound) for each in found)
        assert {each.listing.sku for each in found if isinstance(each, ListingFound)} >= set(harness.skus)
        assert len(first) == len(ids(first))
        assert ids(first) == ids(second)


def _event(harness: ChannelHarness) -> Envelope:
    return envelope(harness, "connection.check.v1", "check", ConnectionCheck(), "1")
