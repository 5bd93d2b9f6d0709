"""Prometheus metrics. Labels name connections, adapters and operations; never an SKU or an order."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

OUTBOX_PENDING = Gauge("dist_outbox_pending", "Events ready to be published", ["connection"])
OUTBOX_IN_FLIGHT = Gauge("dist_outbox_in_flight", "Events published and not settled", ["connection"])
OUTBOX_OLDEST = Gauge("dist_outbox_oldest_seconds", "Age of the oldest event that is ready", ["connection"])
PUBLISHED = Counter("dist_published_total", "Events put into Redis", ["connection"])
REPUBLISHED = Counter(
    "dist_republished_total", "Events put into Redis again, an earlier attempt unsettled", ["connection"]
)
INTAKE = Counter("dist_intake_total", "Result items stored, by what became of them", ["kind", "status"])
DEAD_LETTERS = Counter("dist_dead_letters", "Outcomes and items that end as dead letters", ["connection"])
DELIVERY = Histogram(
    "dist_delivery_seconds",
    "From the business change to its confirmation outside",
    ["connection", "type"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
OUTCOMES = Counter("dist_outcomes_total", "Outcomes of events", ["connection", "type", "verdict"])
RETRIES = Counter(
    "dist_retries_total",
    "Events to be tried again, and reads tried again in place (their type is the operation)",
    ["connection", "type", "verdict"],
)
API_REQUESTS = Counter("dist_api_requests_total", "Requests outside", ["channel", "op", "outcome"])
API_SECONDS = Histogram("dist_api_seconds", "Duration of requests outside", ["channel", "op"])
BREAKER = Gauge("dist_breaker_state", "0 closed, 1 half open, 2 open", ["connection"])
PULLED = Counter("dist_pulled_total", "Events read by pulls", ["connection", "capability"])
LAPSED = Counter(
    "dist_lapsed_total", "Entries dropped because their lease was over; they are published again", ["connection"]
)
QUARANTINED = Counter("dist_quarantined_total", "Entries given up after too many deliveries", ["connection"])
STREAM_LENGTH = Gauge("dist_stream_length", "Entries in a connection's stream", ["connection", "stream"])
LOOP_ERRORS = Counter("dist_loop_errors_total", "Times a loop had to begin again", ["loop"])

BREAKER_VALUES = {"closed": 0, "half_open": 1, "open": 2}
