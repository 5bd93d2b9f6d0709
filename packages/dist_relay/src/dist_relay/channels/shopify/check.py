"""``connection.check``: what the user wants to see before trusting a connection."""

from __future__ import annotations

from typing import Any

from dist_relay.errors import RetryLater
from dist_relay.ports import Context

from .client import Client
from .ids import short
from .manifest import SCOPES
from .reading import Node, Unmappable


class Check:
    """Asks for the shop, the app's scopes and the locations; changes nothing."""

    def __init__(self, ctx: Context) -> None:
        self._client = Client(ctx)

    def check(self) -> dict[str, Any]:
        """Facts as JSON. ``missing_scopes`` names what the app may not do and should."""
        data = self._client.run("Check", {}, priority=0)
        try:
            return self._facts(Node.of(data, "answer"))
        except Unmappable as error:
            raise RetryLater(None, f"the store's answer cannot be read: {error}", code="bad_answer") from error

    def _facts(self, data: Node) -> dict[str, Any]:
        shop = data.child("shop")
        scopes = sorted(scope.text("handle") for scope in data.child("currentAppInstallation").children("accessScopes"))
        return {
            "name": shop.text("name"),
            "domain": shop.text("myshopifyDomain"),
            "currency": shop.text("currencyCode"),
            "timezone": shop.text("ianaTimezone"),
            "plan": shop.child("plan").text("publicDisplayName"),
            "development": shop.child("plan").flag("partnerDevelopment"),
            "api_version": self._client.effective_version or self._client.version,
            "scopes": scopes,
            "missing_scopes": sorted(_missing(set(scopes))),
            "locations": [
                {"id": short(place.text("id")), "name": place.text("name"), "active": place.flag("isActive")}
                for place in data.nodes("locations")
            ],
        }


def _missing(scopes: set[str]) -> set[str]:
    """A scope to write lets an app read as well."""
    return {s for s in SCOPES if s not in scopes and s.replace("read_", "write_", 1) not in scopes}
