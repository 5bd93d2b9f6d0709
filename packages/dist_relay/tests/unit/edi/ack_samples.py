"""What the tests of acknowledgements share."""

from __future__ import annotations

from dist_relay.edi import ack, read
from dist_relay.edi.ack import (
    Verdict,
)


def clean(data: bytes) -> list[Verdict]:
    """The verdicts of an acknowledgement that our own reader finds nothing wrong with."""
    wrong, found = [], []
    for interchange in read(data):
        messages = list(interchange.messages())
        for message in messages:
            assert message.grammar_version
            wrong += [each.message for each in message.findings]
            found += ack.read(message)
        wrong += [each.message for each in interchange.findings]
        found = [*(ack.read_x12.ta1(each) for each in interchange.ta1), *found]
    assert wrong == []
    return found
