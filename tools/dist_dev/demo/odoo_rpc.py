"""A small client of Odoo 19's JSON-2 API that outlives restarts of the server."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests


class OdooError(Exception):
    """Odoo answered with an error; the text is Odoo's own."""


class OdooRpc:
    """Calls ``model.method`` over ``POST /json/2`` with an API key.

    :param url: base address, e.g. ``http://127.0.0.1:8069``.
    :param patience: seconds to keep trying while the server is away or restarting.
    """

    def __init__(
        self,
        url: str,
        database: str,
        api_key: str,
        *,
        patience: float = 120.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._patience, self._sleep, self._clock = url, patience, sleep, clock
        self._session = requests.Session()
        self._session.headers.update({"Authorization": f"bearer {api_key}", "X-Odoo-Database": database})

    def call(
        self,
        model: str,
        method: str,
        ids: Sequence[int] = (),
        *,
        context: Mapping[str, Any] | None = None,
        repeatable: bool = True,
        **arguments: Any,
    ) -> Any:
        """Call ``method`` on the records ``ids``.

        ``repeatable`` calls are sent again when the connection breaks; others raise, for the caller to look first.

        :raises OdooError: when Odoo refuses the call.
        :raises requests.ConnectionError: when the server stays away, or a call that must not be repeated was cut off.
        """
        body = {"ids": list(ids), "context": dict(context or {}), **arguments}
        deadline = self._clock() + self._patience
        while True:
            try:
                response = self._session.post(f"{self._url}/json/2/{model}/{method}", json=body, timeout=120)
            except (requests.ConnectionError, requests.Timeout) as error:
                refused = "refused" in str(error).lower()
                if self._clock() > deadline or not (repeatable or refused):
                    raise
                self._sleep(0.5)
                continue
            if response.ok:
                return response.json()
            if response.status_code in (502, 503) and self._clock() < deadline:
                self._sleep(0.5)
                continue
            raise OdooError(f"{model}.{method}: {_message(response)}")

    def search_read(self, model: str, domain: list[Any], fields: list[str], **options: Any) -> list[dict[str, Any]]:
        """Rows of ``model`` that match ``domain``."""
        rows: list[dict[str, Any]] = self.call(model, "search_read", domain=domain, fields=fields, **options)
        return rows


def _message(response: requests.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return f"HTTP {response.status_code}"
    return f"{body.get('name', response.status_code)}: {body.get('message', '')}"[:500]
