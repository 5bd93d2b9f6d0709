"""The client names every way the store can refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from dist_relay.channels.shopify.client import Client, Throttled, TooCostly
from dist_relay.channels.shopify.ids import gid
from dist_relay.errors import Broken, CredentialsRefused, OutcomeUnknown, RetryLater, Snoozed
from dist_relay.http.deadline import within
from dist_relay.http.reads import TRIES
from dist_relay.testkit.fake_shopify import CLIENT
from dist_relay.testkit.fake_shopify.harness import ShopifyHarness

APP = {"client_id": CLIENT["id"], "client_secret": CLIENT["secret"]}


def client_with(harness: ShopifyHarness, credentials: Mapping[str, Any], connection: str) -> Client:
    return Client(replace(harness.context(), credentials=credentials, connection=connection))


def test_client_credentials_get_a_token_once(harness: ShopifyHarness) -> None:
    clients = [client_with(harness, APP, "grant-once") for _ in range(3)]
    for client in clients:
        assert client.run("ShopCurrency", {})["shop"]["currencyCode"] == "USD"
    assert harness.fake.control.effects()["tokens"] == 1


def test_a_token_is_renewed_before_it_expires(harness: ShopifyHarness) -> None:
    client = client_with(harness, APP, "grant-early")
    client.run("ShopCurrency", {})
    harness.clock.advance(86_399 - 200)
    client.run("ShopCurrency", {})
    assert harness.fake.control.effects()["tokens"] == 2
    assert harness.fake.engine.requests["ShopCurrency"] == 2


def test_a_token_that_expired_early_is_renewed_and_the_request_sent_again(harness: ShopifyHarness) -> None:
    client = client_with(harness, APP, "grant-late")
    client.run("ShopCurrency", {})
    harness.fake.control.expire_tokens()
    assert client.run("ShopCurrency", {})["shop"]["currencyCode"] == "USD"
    assert harness.fake.control.effects()["tokens"] == 2


def test_wrong_client_credentials_are_refused_by_name(harness: ShopifyHarness) -> None:
    client = client_with(harness, {**APP, "client_secret": "wrong"}, "grant-wrong")
    with pytest.raises(CredentialsRefused, match="no token"):
        client.run("ShopCurrency", {})


def test_a_wrong_secret_is_not_covered_by_a_token_of_the_right_one(harness: ShopifyHarness) -> None:
    client_with(harness, APP, "grant-changed").run("ShopCurrency", {})
    with pytest.raises(CredentialsRefused, match="no token"):
        client_with(harness, {**APP, "client_secret": "wrong"}, "grant-changed").run("ShopCurrency", {})


def test_no_credentials_at_all(harness: ShopifyHarness) -> None:
    with pytest.raises(CredentialsRefused, match="neither"):
        client_with(harness, {}, "grant-none")


def test_a_revoked_fixed_token_parks_the_connection(harness: ShopifyHarness, client: Client) -> None:
    harness.fake.control.revoke_token()
    with pytest.raises(CredentialsRefused):
        client.run("ShopCurrency", {})


def test_a_missing_scope_is_named(harness: ShopifyHarness, client: Client) -> None:
    harness.fake.control.scopes(["read_products"])
    with pytest.raises(CredentialsRefused, match="read_orders"):
        client.run("OrderHeads", {"first": 1})


def test_a_short_wait_for_budget_is_sat_out(harness: ShopifyHarness, client: Client) -> None:
    harness.fake.control.fault("throttled")
    assert client.run("OrderHeads", {"first": 50})
    assert harness.clock.slept
    assert harness.budget.available is not None


def test_a_long_wait_for_budget_is_a_snooze(harness: ShopifyHarness, client: Client) -> None:
    harness.fake.bucket.rate = 0.5
    harness.fake.control.fault("throttled")
    with pytest.raises(Throttled) as raised:
        client.run("OrderHeads", {"first": 50})
    assert raised.value.seconds
    assert raised.value.seconds > 5


def test_a_wait_for_budget_leaves_time_for_the_request(harness: ShopifyHarness, client: Client) -> None:
    harness.fake.control.fault("throttled")
    with within(harness.clock, 30.0):
        harness.clock.advance(16.0)
        with pytest.raises(Throttled):
            client.run("OrderHeads", {"first": 50})
    assert not harness.clock.slept


def test_the_budget_learns_the_cost(harness: ShopifyHarness, client: Client) -> None:
    asked: list[float] = []
    harness.budget.acquire = lambda operation, cost=1.0, priority=5: asked.append(cost)  # type: ignore[method-assign]
    client.run("FulfillmentState", {"id": "gid://shopify/Order/1"})
    client.run("FulfillmentState", {"id": "gid://shopify/Order/1"})
    assert asked[1] > asked[0]


def test_too_costly_a_query(client: Client) -> None:
    with pytest.raises(TooCostly):
        client.run("OrderDetails", {"ids": [gid("Order", str(n)) for n in range(200)]})


def test_a_rate_limit_of_http_is_told_to_the_budget(harness: ShopifyHarness, client: Client) -> None:
    harness.fake.control.fault("rate_limited")
    client.run("ShopCurrency", {})
    assert harness.budget.penalised == 1


@pytest.mark.parametrize("fault", ["html_after", "lost_answer", "error_after", "internal"])
def test_a_lost_answer_is_unknown_for_a_change_and_a_retry_for_a_read(
    harness: ShopifyHarness, client: Client, fault: str
) -> None:
    harness.fake.control.fault(fault, times=TRIES + 1)
    with pytest.raises(RetryLater):
        client.run("ShopCurrency", {})
    with pytest.raises(OutcomeUnknown):
        client.run("Fulfil", {"fulfillment": {"lineItemsByFulfillmentOrder": []}})


@pytest.mark.parametrize("fault", ["lost", "html", "server_error", "unavailable", "internal", "rate_limited"])
def test_a_read_that_fails_once_is_tried_again(harness: ShopifyHarness, client: Client, fault: str) -> None:
    harness.fake.control.fault(fault)
    assert client.run("ShopCurrency", {})["shop"]["currencyCode"] == "USD"
    assert harness.fake.faults.happened[fault] == 1


@pytest.mark.parametrize("fault", ["lost_answer", "error_after", "html_after", "internal"])
def test_a_change_is_sent_once_whatever_happens_to_its_answer(
    harness: ShopifyHarness, client: Client, fault: str
) -> None:
    harness.fake.control.fault(fault)
    with pytest.raises(OutcomeUnknown):
        client.run("Fulfil", {"fulfillment": {"lineItemsByFulfillmentOrder": []}})
    assert harness.fake.engine.requests["Fulfil"] == 1


def test_another_api_version_is_warned_of_once(harness: ShopifyHarness, client: Client) -> None:
    harness.fake.version = "2027-01"
    for _ in range(3):
        client.run("ShopCurrency", {})
    assert len(harness.log.warnings) == 1
    assert client.effective_version == "2027-01"


def test_a_store_that_is_not_there_parks_the_work(harness: ShopifyHarness) -> None:
    client = Client(replace(harness.context(), settings={**harness.settings, "api_version": "../elsewhere"}))
    with pytest.raises(Snoozed) as raised:
        client.run("Fulfil", {"fulfillment": {"lineItemsByFulfillmentOrder": []}})
    assert raised.value.code == "no_store"


def test_a_defect_of_ours_is_broken(client: Client) -> None:
    with pytest.raises(Broken):
        client.run("OrderHeads", {"first": "many"})


@pytest.mark.parametrize("value", ["", "gid://shopify/Product/1", "1/2", "é"])
def test_an_id_of_another_kind_is_refused(value: str) -> None:
    with pytest.raises(Broken, match="Order"):
        gid("Order", value)
