"""Whatever is in a file, reading it ends, in time, with findings or one of the codec's own exceptions.

5,000 broken inputs here; ``make fuzz`` reads 200,000 (``DIST_FUZZ_INPUTS``). An input is known by its shard and number,
which the failure names.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from random import Random

import pytest

from dist_relay.edi import reader, render
from dist_relay.edi.ack import Numbers, acknowledge, assess, verdicts
from dist_relay.edi.errors import EdiError
from dist_relay.edi.limits import Limits
from dist_relay.edi.mapping.api import to_canonical
from dist_relay.edi.profile import Profile
from dist_relay.edi.writer import rewrite
from dist_relay.testkit.edi import edifact, mutate, x12

INPUTS = int(os.environ.get("DIST_FUZZ_INPUTS", "5000"))
SHARDS = 20
SECONDS = 20.0
"""CPU time after which one input counts as hanging; none takes a hundredth of it."""
REPO = Path(__file__).resolve().parents[6]
CORPUS = REPO.parent / "shared" / "edi_corpus"
FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "edi"
SMALL = Profile(limits=Limits(total=300_000, segment=5_000, findings=20, message_segments=300, interchanges=50))
"""Limits that broken inputs of this size do reach."""


def seeds() -> list[bytes]:
    """What is broken: generated documents, this repository's fixtures, the corpus where it is."""
    made = [x12.small_order(), b"".join(x12.ship_notices(1)), b"".join(edifact.despatch_advices(1))]
    made += [x12.small_order().replace(b"\n", b""), b"".join(edifact.despatch_advices(1)).replace(b"\n", b"")]
    files = [path for folder in (FIXTURES, CORPUS) for path in sorted(folder.rglob("*")) if path.is_file()]
    return made * 3 + [path.read_bytes() for path in files if path.suffix not in (".tsv", ".json", ".md", ".toml")]


def read(data: bytes, profile: Profile | None) -> int:
    """Read all of it, as far as a consumer would; the number of messages."""
    messages = 0
    for interchange in reader.read(data, profile):
        for message in interchange.messages():
            messages += 1
            message.tree()
            for each in message.segments():
                each.get(1)
            for finding in (*message.findings, *message.notes):
                assert finding.message
                assert finding.as_json()["rule"]
            assert message.status in ("valid", "accepted_with_errors", "rejected")
        for finding in (*interchange.findings, *interchange.notes):
            assert finding.message
    return messages


def use(data: bytes) -> int:
    """Acknowledge, show, map, write again; how many messages could be mapped."""
    mapped = 0
    for interchange in reader.read(data, SMALL):
        assessment = assess(interchange)
        answer = acknowledge(assessment, Numbers(1), datetime(2026, 11, 21, tzinfo=timezone.utc))
        if answer is not None and answer.data:
            for back in reader.read(answer.data):
                verdicts(back)
    for interchange in reader.read(data, SMALL):
        for message in interchange.messages():
            view = render.view(message)
            html, text = render.html(view), "".join(render.text(view))
            assert json.dumps(render.as_json(view))
            assert "<script" not in html.lower()
            assert "\x1b" not in text
            try:
                to_canonical(message)
                mapped += 1
            except EdiError:
                continue
    for interchange in reader.read(data, SMALL):
        for _piece in rewrite(interchange):
            pass
    return mapped


@contextmanager
def limited() -> Iterator[None]:
    """End with an exception what takes too much CPU time."""

    def give_up(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"more than {SECONDS:g} s")

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_broken_input_breaks_the_reader(shard: int) -> None:
    sources = seeds()
    refused = messages = 0
    for number in range(INPUTS // SHARDS):
        random = Random(f"{shard}/{number}")
        data = mutate.mutated(random.choice(sources), random)
        try:
            with limited():
                messages += read(data, SMALL if number % 4 == 0 else None)
        except EdiError:
            refused += 1
        except Exception as problem:
            raise AssertionError(f"shard {shard}, number {number}: {data[:300]!r}") from problem
    # Neither is everything refused nor nothing: the mutations reach what they shall reach.
    assert refused
    assert messages


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_broken_input_breaks_what_is_done_with_it(shard: int) -> None:
    """A fifth as many: each is read three times, and more is done with it."""
    sources = seeds()
    mapped = 0
    for number in range(INPUTS // SHARDS // 5):
        random = Random(f"use {shard}/{number}")
        data = mutate.mutated(random.choice(sources), random)
        try:
            with limited():
                mapped += use(data)
        except EdiError:
            continue
        except Exception as problem:
            raise AssertionError(f"shard {shard}, number {number}: {data[:300]!r}") from problem
    assert mapped
