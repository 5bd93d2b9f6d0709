"""The checker can fail: each broken promise is told by its letter, and nothing else is."""

from __future__ import annotations

import random

import pytest
from history import Effect, History, Intent, Shown, Violation, check, report


def intents(*keys: str, each: int = 3) -> list[Intent]:
    return [Intent("fact", key, number, f"{key}{number}") for number in range(1, each + 1) for key in keys]


def effects(*tokens: str) -> list[Effect]:
    return [Effect("fact", token[0], token) for token in tokens]


def letters(**parts: object) -> str:
    return "".join(violation.promise for violation in check(History(**parts)))  # type: ignore[arg-type]


def test_a_good_history_has_no_violation() -> None:
    history = History(
        intents("a", "b"),
        effects("a1", "b1", "b2", "a2", "a3", "b3"),
        {("show", "a"): 4, ("sum", "a"): 4, ("show", "never"): 0},
        [Shown("show", "a", 7, 2), Shown("sum", "a", 0, 4), Shown("show", "a", 9, 4), Shown("show", "a", 9, 4)],
        {"jobs": 0},
        {"stream": (10, 10)},
    )
    assert check(history) == []
    assert report([]) == "every promise was kept"


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        (["a1", "a2"], "L"),
        (["a1", "a2", "a3", "a3"], "D"),
        (["a1", "a1", "a2", "a3", "a3", "a3"], "DD"),
        (["a2", "a1", "a3"], "O"),
        (["a3", "a1", "a2"], "OO"),
        (["a1", "a2", "a3", "a9"], "P"),
        ([], "LLL"),
    ],
)
def test_each_promise_about_effects(happened: list[str], expected: str) -> None:
    assert letters(intents=intents("a"), effects=effects(*happened)) == expected


def test_keys_do_not_wait_for_each_other() -> None:
    assert letters(intents=intents("a", "b", each=2), effects=effects("b1", "b2", "a1", "a2")) == ""


def test_a_repetition_is_double_and_not_misordered_when_it_comes_at_once() -> None:
    assert letters(intents=intents("a"), effects=effects("a1", "a1", "a2", "a3")) == "D"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ([(1, 1), (2, 5)], ""),
        ([(1, 1), (2, 4)], "L"),
        ([], "L"),
        ([(2, 5), (1, 5)], "O"),
        ([(1, 5), (2, 4)], "OL"),
        ([(1, 6)], "PL"),
    ],
)
def test_each_promise_about_values(shown: list[tuple[int, int]], expected: str) -> None:
    rows = [Shown("show", "a", version, value) for version, value in shown]
    assert letters(values={("show", "a"): 5}, shown=rows) == expected


def test_a_value_of_a_key_nobody_has_is_a_phantom() -> None:
    assert letters(shown=[Shown("show", "x", 1, 1)]) == "P"


def test_what_is_left_or_too_long_is_unbounded() -> None:
    found = check(History(open={"jobs": 2, "events": 0}, peaks={"stream": (11, 10), "in flight": (5, 5)}))
    assert found == [Violation("B", "2 jobs left"), Violation("B", "stream reached 11, allowed are 10")]


def test_the_report_counts_and_names_the_first() -> None:
    found = check(History(intents("a", each=30), effects("a2", "a1", "zz")))
    text = report(found, first=2)
    assert text.splitlines()[0] == "L: 28, O: 1, P: 1"
    assert text.splitlines()[-1] == "  … and 28 more"
    assert len(text.splitlines()) == 4


@pytest.mark.parametrize("seed", range(20))
def test_any_damage_to_a_good_history_is_found(seed: int) -> None:
    dice = random.Random(seed)
    wanted = intents("a", "b", "c", each=20)
    good = effects(*(intent.token for intent in wanted))
    at = dice.randrange(len(good) - 6)
    damage = {
        "L": lambda: good[:at] + good[at + 1 :],
        "D": lambda: [*good, good[at]],
        "P": lambda: [*good[:at], Effect("fact", "a", "invented"), *good[at:]],
        "O": lambda: [*good[:at], good[at + 3], *good[at + 1 : at + 3], good[at], *good[at + 4 :]],
    }
    assert letters(intents=wanted, effects=good) == ""
    for promise, damaged in damage.items():
        assert promise in letters(intents=wanted, effects=damaged())
