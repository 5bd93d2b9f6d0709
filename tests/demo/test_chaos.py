"""Chaos is repeatable and spares nobody."""

from dist_dev.demo.chaos import Chaos

TARGETS = ("odoo", "dist-worker", "relay-pump", "relay-worker", "valkey")


def run(seed: int) -> list[tuple[int, str]]:
    killed: list[tuple[int, str]] = []
    chaos = Chaos(TARGETS, lambda name: None, seed=seed, kills=12)
    for second in range(200):
        victim = chaos.tick(float(second))
        if victim:
            killed.append((second, victim))
    assert chaos.over
    return killed


def test_the_same_seed_kills_the_same_at_the_same_time():
    assert run(7) == run(7)
    assert run(7) != run(8)


def test_every_service_dies_twice_before_one_dies_three_times():
    first_ten = [name for _second, name in run(3)[:10]]
    assert sorted(first_ten) == sorted(TARGETS * 2)


def test_the_number_of_kills_is_kept():
    assert len(run(1)) == 12
