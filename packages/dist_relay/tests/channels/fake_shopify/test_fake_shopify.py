"""The fake store keeps its own contract: strict, stateful, repeatable, and as broken as it is told to be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from dist_relay.channels.shopify.documents import document
from dist_relay.testkit.clock import FakeClock
from dist_relay.testkit.fake_shopify import TOKEN, FakeShopify, schema

CLOCK_SECONDS = 10


class Api:
    """Raw requests, as anybody could send them."""

    def __init__(self, fake: FakeShopify) -> None:
        self.fake = fake

    def post(self, query: str, /, token: str = TOKEN, **variables: Any) -> requests.Response:
        url = f"{self.fake.url}/admin/api/{schema.VERSION}/graphql.json"
        name = query.split("(")[0].split("{")[0].split()[-1]
        body = {"query": query, "operationName": name, "variables": variables}
        return requests.post(url, json=body, headers={"X-Shopify-Access-Token": token}, timeout=CLOCK_SECONDS)

    def run(self, operation: str, **variables: Any) -> Any:
        return self.post(document(operation), **variables).json()

    def control(self, command: str, **arguments: Any) -> Any:
        answer = requests.post(f"{self.fake.url}/_control/{command}", json=arguments, timeout=CLOCK_SECONDS)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def set(self, key: str, *quantities: tuple[str, str, int, int | None]) -> list[dict[str, Any]]:
        """Set quantities given as item, location, quantity, expected; the errors."""
        wanted = [
            {
                "inventoryItemId": f"gid://shopify/InventoryItem/{item}",
                "locationId": f"gid://shopify/Location/{location}",
                "quantity": quantity,
                "changeFromQuantity": expected,
            }
            for item, location, quantity, expected in quantities
        ]
        body = {"name": "available", "reason": "correction", "quantities": wanted}
        answer = self.run("SetQuantities", input=body, key=key)
        errors: list[dict[str, Any]] = answer["data"]["inventorySetQuantities"]["userErrors"]
        return errors


@pytest.fixture(params=[True, False], ids=["reduced", "published"])
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    """A store with three SKUs at two locations, by either schema."""
    if not request.param and schema.published() is None:
        pytest.skip("the vendor's published schema is not at hand (DIST_CONTRACTS_DIR)")
    with FakeShopify(small=request.param, clock=FakeClock()) as fake:
        fake.control.seed(skus=3, stock=10)
        yield Api(fake)


def item_of(api: Api, index: int = 0) -> tuple[str, str]:
    found = api.control("catalog")
    return found["variants"][index]["item_id"], found["locations"][0]["id"]


def code_of(answer: Any) -> str:
    return str(answer["errors"][0]["extensions"]["code"])


def test_an_invalid_document_is_refused(api: Api) -> None:
    answer = api.post("query Bad { shop { nonsense } }").json()
    assert code_of(answer) == "invalidDocument"
    assert "nonsense" in answer["errors"][0]["message"]


def test_a_field_the_fake_does_not_know_is_an_error_not_a_null(api: Api) -> None:
    if api.fake.engine.documents.schema is schema.reduced():
        pytest.skip("the reduced schema has only fields the fake knows")
    answer = api.post("query Odd { shop { shipsToCountries } }").json()
    assert "does not know Shop.shipsToCountries" in answer["errors"][0]["message"]


def test_a_wrong_token_is_401(api: Api) -> None:
    assert api.post(document("ShopCurrency"), token="wrong").status_code == 401


def test_pages_are_bounded_and_cursors_checked(api: Api) -> None:
    assert code_of(api.run("OrderHeads", first=251)) == "MAX_PAGE_SIZE_EXCEEDED"
    assert code_of(api.run("OrderHeads", first=5, after="nonsense!")) == "BAD_REQUEST"


def test_orders_are_sorted_filtered_and_paged(api: Api) -> None:
    clock = api.fake.store._now.__self__  # type: ignore[attr-defined]
    ids = []
    for _ in range(5):
        ids.append(api.fake.control.place_order(lines=[{"sku": "SKU-0001", "quantity": 1}])["id"])
        clock.advance(60)
    api.fake.control.edit_order(ids[0], 0, sku="SKU-0001")
    pages, after = [], None
    while True:
        found = api.run("OrderHeads", first=2, after=after)["data"]["orders"]
        pages += [node["id"].rpartition("/")[2] for node in found["nodes"]]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert pages == [*ids[1:], ids[0]]
    since = "updated_at:>='2026-01-01T00:03:00Z'"
    found = api.run("OrderHeads", first=10, query=since)["data"]["orders"]["nodes"]
    assert [node["id"].rpartition("/")[2] for node in found] == [ids[3], ids[4], ids[0]]


def test_an_order_commits_stock_and_a_cancellation_gives_it_back(api: Api) -> None:
    order = api.control("place_order", lines=[{"sku": "SKU-0001", "quantity": 4}])
    place = api.control("catalog")["locations"][0]["id"]
    assert api.control("state")["stock"]["SKU-0001"][place] == {"available": 6, "committed": 4}
    api.control("cancel_order", order_id=order["id"])
    assert api.control("state")["stock"]["SKU-0001"][place] == {"available": 10, "committed": 0}


def test_an_edit_moves_stock_both_ways(api: Api) -> None:
    order = api.control("place_order", lines=[{"sku": "SKU-0001", "quantity": 4}])
    place = api.control("catalog")["locations"][0]["id"]
    for quantity in (1, 6):
        api.control("edit_order", order_id=order["id"], sku="SKU-0001", quantity=quantity)
        stock = api.control("state")["stock"]["SKU-0001"][place]
        assert stock == {"available": 10 - quantity, "committed": quantity}


def test_an_order_no_location_can_fill_goes_where_there_is_enough(api: Api) -> None:
    one, two = (place["id"] for place in api.control("catalog")["locations"])
    api.control("set_stock", sku="SKU-0001", location_id=one, quantity=1)
    api.control("place_order", lines=[{"sku": "SKU-0001", "quantity": 4}, {"sku": "SKU-0002", "quantity": 1}])
    (order,) = api.control("state")["orders"]
    assert {part["location_id"] for part in order["parts"]} == {one, two}


def test_a_quantity_is_set_only_from_what_is_there(api: Api) -> None:
    item, place = item_of(api)
    assert [e["code"] for e in api.set("k1", (item, place, 5, 9))] == ["CHANGE_FROM_QUANTITY_STALE"]
    assert api.set("k2", (item, place, 5, 10)) == []
    assert api.control("state")["stock"]["SKU-0001"][place]["available"] == 5


def test_setting_is_all_or_nothing_and_names_the_item(api: Api) -> None:
    item, place = item_of(api)
    errors = api.set("k1", (item, place, 5, 10), ("404", place, 5, 1), (item, "404", 5, 1))
    assert [(e["code"], e["field"][2]) for e in errors] == [("INVALID_INVENTORY_ITEM", "1"), ("INVALID_LOCATION", "2")]
    assert api.control("state")["stock"]["SKU-0001"][place]["available"] == 10


def test_an_idempotency_key_is_required(api: Api) -> None:
    query = document("SetQuantities").replace("@idempotent(key: $key)", "").replace(", $key: String!", "")
    body = {"name": "available", "reason": "correction", "quantities": []}
    assert code_of(api.post(query, input=body).json()) == "BAD_REQUEST"


def test_a_repeated_key_is_replayed_and_a_reused_one_refused(api: Api) -> None:
    item, place = item_of(api)
    for _ in range(2):
        assert api.set("k", (item, place, 5, 10)) == []
    assert api.control("effects") == {"quantities_set": 1, "replays": 1}
    assert [e["code"] for e in api.set("k", (item, place, 6, 5))] == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]


def test_at_most_250_quantities(api: Api) -> None:
    item, place = item_of(api)
    body = {"name": "available", "reason": "correction"}
    one = {"inventoryItemId": f"gid://shopify/InventoryItem/{item}", "locationId": f"gid://shopify/Location/{place}"}
    quantities = [{**one, "quantity": 1, "changeFromQuantity": 1}] * 251
    assert (
        code_of(api.run("SetQuantities", input={**body, "quantities": quantities}, key="k"))
        == "MAX_INPUT_SIZE_EXCEEDED"
    )


def test_no_more_is_fulfilled_than_remains_and_never_at_two_locations(api: Api) -> None:
    order = api.control("place_order", lines=[{"sku": "SKU-0001", "quantity": 2}])
    part = next(iter(api.fake.store.where("fo", order_id=order["id"])))
    line = {"id": f"gid://shopify/FulfillmentOrderLineItem/{part['lines'][0]['id']}", "quantity": 3}
    wanted = {"fulfillmentOrderId": f"gid://shopify/FulfillmentOrder/{part['id']}", "fulfillmentOrderLineItems": [line]}
    answer = api.run("Fulfil", fulfillment={"lineItemsByFulfillmentOrder": [wanted]})["data"]["fulfillmentCreate"]
    assert answer["fulfillment"] is None
    assert "quantity" in answer["userErrors"][0]["message"]
    assert "fulfillments" not in api.control("effects")


def test_the_bucket_runs_dry_and_fills_again(api: Api) -> None:
    clock = api.fake.store._now.__self__  # type: ignore[attr-defined]
    api.fake.bucket.maximum = 500.0
    answers = [api.run("FulfillmentState", id="gid://shopify/Order/1") for _ in range(2)]
    assert all("errors" not in answer for answer in answers)
    cost = answers[0]["extensions"]["cost"]
    assert cost["actualQueryCost"] < cost["requestedQueryCost"]
    api.fake.bucket.empty()
    assert code_of(api.run("FulfillmentState", id="gid://shopify/Order/1")) == "THROTTLED"
    clock.advance(1)
    assert "errors" not in api.run("FulfillmentState", id="gid://shopify/Order/1")


def test_a_fault_happens_as_often_as_it_was_told_and_to_whom(api: Api) -> None:
    api.control("fault", kind="server_error", operation="Check", times=2, skip=1)
    statuses = [api.post(document("Check")).status_code for _ in range(4)]
    assert statuses == [200, 500, 500, 200]
    assert api.post(document("ShopCurrency")).status_code == 200
    assert api.control("faults")["happened"] == {"server_error": 2}


def test_a_lost_answer_has_its_effect(api: Api) -> None:
    item, place = item_of(api)
    api.control("fault", kind="lost_answer", operation="SetQuantities")
    with pytest.raises(requests.ConnectionError):
        api.set("k", (item, place, 5, 10))
    assert api.control("state")["stock"]["SKU-0001"][place]["available"] == 5


def test_an_unknown_command_lists_the_known_ones(api: Api) -> None:
    answer = requests.post(f"{api.fake.url}/_control/nonsense", json={}, timeout=CLOCK_SECONDS)
    assert answer.status_code == 404
    assert "place_orders" in answer.json()["commands"]
    bad = requests.post(f"{api.fake.url}/_control/fault", json={"kind": "nonsense"}, timeout=CLOCK_SECONDS)
    assert bad.status_code == 400


def test_equal_seeds_give_equal_orders() -> None:
    states = []
    for _ in range(2):
        fake = FakeShopify(small=True, clock=FakeClock())
        fake.control.seed(skus=20, seed=4)
        fake.control.place_orders(count=30, seed=9, edits=0.2, cancellations=0.2)
        states.append(fake.control.state())
        fake.close()
    assert states[0] == states[1]
    assert {order["status"] for order in states[0]["orders"]} >= {"unfulfilled", "cancelled"}


def test_the_vendor_s_example_can_be_ordered() -> None:
    if schema.contracts_dir() is None:
        pytest.skip("the vendor's example payloads are not at hand (DIST_CONTRACTS_DIR)")
    fake = FakeShopify(small=True)
    fake.control.seed(skus=1)
    order = fake.control.place_example()
    fake.close()
    assert len(order["lines"]) == 5
    assert order["shipping_address"]["countryCodeV2"] == "US"


def test_the_state_survives_a_kill(tmp_path: Path) -> None:
    state = tmp_path / "store.db"
    first = _start(state)
    url = first.stdout.readline().strip()  # type: ignore[union-attr]
    ids = requests.post(f"{url}/_control/place_orders", json={"count": 3}, timeout=CLOCK_SECONDS).json()["result"]
    before = requests.get(f"{url}/_control/state", timeout=CLOCK_SECONDS).json()
    first.kill()
    first.wait()
    second = _start(state)
    url = second.stdout.readline().strip()  # type: ignore[union-attr]
    after = requests.get(f"{url}/_control/state", timeout=CLOCK_SECONDS).json()
    more = requests.post(f"{url}/_control/place_orders", json={"count": 1}, timeout=CLOCK_SECONDS).json()["result"]
    second.terminate()
    assert second.wait() == 0
    assert after == before
    assert len(after["result"]["orders"]) == 3
    assert not set(more) & set(ids)


def _start(state: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dist_relay.testkit.fake_shopify", "--state", str(state), "--skus", "5"]
    environment = {**os.environ, "DIST_CONTRACTS_DIR": "/nonexistent"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_the_state_is_json(api: Api) -> None:
    api.control("place_orders", count=2)
    assert json.loads(requests.get(f"{api.fake.url}/_control/state", timeout=CLOCK_SECONDS).text)["result"]["orders"]
