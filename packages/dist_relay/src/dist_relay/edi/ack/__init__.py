"""Acknowledgements: TA1, 997, 999 and CONTRL from the findings of an interchange, and back into verdicts.

>>> from datetime import datetime
>>> from dist_relay.edi import read
>>> from dist_relay.edi.ack import Numbers, acknowledge, assess, verdicts
>>> data = (b"UNB+UNOC:3+BUYER:14+SELLER:14+260301:1230+77'UNH+1+ORDERS:D:96A:UN'BGM+220+4711+9'"
...         b"DTM+137:20260301:102'LIN+1'QTY+21:many'UNS+S'UNT+7+1'UNZ+1+77'")
>>> answer = acknowledge(assess(next(read(data))), Numbers(5), datetime(2026, 3, 1, 12, 31))
>>> for part in answer.data.decode().split("'")[2:5]:
...     print(part)
UCI+77+BUYER:14+SELLER:14+7
UCM+1+ORDERS:D:96A:UN+7
UCS+5
>>> for verdict in verdicts(next(read(answer.data))):
...     print(verdict.level, verdict.control, verdict.outcome)
interchange 77 accepted_with_errors
message 1 accepted_with_errors
"""

from __future__ import annotations

from .answer import Answer, Numbers, acknowledge
from .assessment import Assessment, assess
from .reading import covering, read, verdicts
from .verdict import Outcome, Reason, Verdict

__all__ = [
    "Answer",
    "Assessment",
    "Numbers",
    "Outcome",
    "Reason",
    "Verdict",
    "acknowledge",
    "assess",
    "covering",
    "read",
    "verdicts",
]
