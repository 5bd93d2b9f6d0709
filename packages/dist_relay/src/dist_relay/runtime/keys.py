"""Every Redis key, in one place. Nothing outside this module spells one.

``<db>`` is the uuid of the Odoo database, ``<conn>`` the reference of a connection. The braces are a Cluster hash tag:
all keys of a connection share one slot, so a script may touch them together.

=================================  ======  ===========================================  ===============================
key                                type    written by → read by                         bounded by
=================================  ======  ===========================================  ===============================
``dist:databases``                 hash    pump → worker; uuid → last seen (Redis ms)   forgotten a day after the pump
``dist:{<db>}:config``             hash    pump → worker; connection → its row as JSON  number of connections
``dist:{<db>}:manifests``          hash    pump → people; adapter → manifest as JSON    number of adapters
``dist:{<db>}:workers``            hash    worker → ``status``; name → JSON             forgotten after an hour
``dist:{<db>:<conn>}:out``         stream  pump → worker, group ``workers``             deleted after ack, pump's limit
``dist:{<db>:<conn>}:pull``        stream  pump → worker, group ``workers``             one run a schedule
``dist:{<db>:<conn>}:results``     stream  worker → pump, group ``pump``                deleted after ack, pulls' limit
``dist:{<db>:<conn>}:throttle:…``  hash    workers, one an operation                    expires after an hour unused
``dist:{<db>:<conn>}:breaker``     hash    workers                                      one a connection
``dist:{<db>:<conn>}:told``        string  workers; budgets were reported               expires after 5 seconds
``dist:{<db>:<conn>}:ver:…``       string  workers; newest version begun of a key       expires with the lease
``dist:{<db>:<conn>}:begun:…``     string  workers; begins of a suspect event in a row     gone with a result, or 2 days
``dist:{<db>:<conn>}:…:given``     string  group → workers; last entry a lost one gave      one a stream
``dist:{<db>:<conn>}:page:…``      string  worker; written with each page of a pull     expires after two leases
=================================  ======  ===========================================  ===============================

Entries of ``out``: id ``<seq>-0``, fields ``e`` (envelope as JSON), ``x`` (lapses at, ms on Redis' clock), ``c``
(version of the connection's configuration it may not be handled without), ``g`` (life of Redis it was published in).
Entries of ``pull``: id ``<seq>-0``, fields ``p`` (the request as JSON), ``x``, ``c`` (0), ``g``. Entries of
``results``: field ``i`` (one item of ``dist_relay.intake`` as JSON). No stream is ever trimmed: entries go when they
are acknowledged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

DATABASES = "dist:databases"
WORKERS_GROUP = "workers"
PUMP_GROUP = "pump"

F_ENVELOPE = b"e"
F_REQUEST = b"p"
F_LAPSES = b"x"
F_CONFIG = b"c"
F_LIFE = b"g"
F_ITEM = b"i"


def config(database: str) -> str:
    """Hash of the connections of a database."""
    return f"dist:{{{database}}}:config"


def manifests(database: str) -> str:
    """Hash of the manifests the pump announced."""
    return f"dist:{{{database}}}:manifests"


def workers(database: str) -> str:
    """Hash of the workers that serve a database."""
    return f"dist:{{{database}}}:workers"


def given(stream: str) -> str:
    """The last entry of a stream that a group which was lost may have given to somebody."""
    return f"{stream}:given"


@dataclass(frozen=True)
class Keys:
    """The keys of one connection.

    >>> Keys("d", "c").out
    'dist:{d:c}:out'
    """

    database: str
    connection: str

    @property
    def prefix(self) -> str:
        """What all keys of the connection begin with, including the hash tag."""
        return f"dist:{{{self.database}:{self.connection}}}:"

    @property
    def out(self) -> str:
        """Stream of envelopes to deliver."""
        return self.prefix + "out"

    @property
    def pull(self) -> str:
        """Stream of requests to pull. Apart from ``out``, so that a long catch-up holds up no shipment."""
        return self.prefix + "pull"

    @property
    def results(self) -> str:
        """Stream of intake items on their way to PostgreSQL."""
        return self.prefix + "results"

    @property
    def breaker(self) -> str:
        """State of the connection's circuit breaker."""
        return self.prefix + "breaker"

    @property
    def told(self) -> str:
        """Mark that the budgets were reported a moment ago."""
        return self.prefix + "told"

    def throttle(self, operation: str) -> str:
        """Budget of one operation."""
        return f"{self.prefix}throttle:{operation}"

    def page(self, request: str) -> str:
        """Witness of the pull with this request: how far the results had come with its last page."""
        return f"{self.prefix}page:{request}"

    def begun(self, event_id: str) -> str:
        """How often an event that is suspect of killing workers was begun without a result."""
        return f"{self.prefix}begun:{event_id}"

    def version(self, type_: str, key: str) -> str:
        """Newest version of a state key that a worker began to send."""
        return f"{self.prefix}ver:{hashlib.sha256(f'{type_}|{key}'.encode()).hexdigest()[:24]}"
