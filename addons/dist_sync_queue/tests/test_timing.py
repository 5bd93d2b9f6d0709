# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""When schedules run: no database needed."""

import doctest
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..api import cron, every
from ..engine import timing, wording
from ..engine.timing import MOST_MADE_UP, BadTiming, Timing, due, jitter_offset, parse, seconds_of
from ..engine.wording import say_cron, say_interval

BERLIN = "Europe/Berlin"
SPRING, AUTUMN = datetime(2026, 3, 28, 12), datetime(2026, 10, 24, 12)
"""The days before the clocks are changed: 29 March 02:00 → 03:00, 25 October 03:00 → 02:00."""


def at(*parts):
    return datetime(2026, *parts)


@tagged("post_install", "-at_install")
class TestTiming(BaseCase):
    def test_examples_in_the_code(self):
        for module in (timing, wording):
            self.assertEqual(doctest.testmod(module).failed, 0, module.__name__)

    def test_a_missing_time_runs_an_hour_later_by_the_clock_and_once(self):
        runs = Timing(cron="30 2 * * *", tz=BERLIN).following(SPRING, 3)
        self.assertEqual(runs, [at(3, 29, 1, 30), at(3, 30, 0, 30), at(3, 31, 0, 30)])
        both = Timing(cron="0 2,3 * * *", tz=BERLIN).following(SPRING, 3)
        self.assertEqual(both, [at(3, 29, 1), at(3, 30, 0), at(3, 30, 1)], "02:00 and 03:00 are one moment that day")

    def test_a_time_that_comes_twice_runs_the_first_time(self):
        runs = Timing(cron="30 2 * * *", tz=BERLIN).following(AUTUMN, 2)
        self.assertEqual(runs, [at(10, 25, 0, 30), at(10, 26, 1, 30)])
        self.assertEqual(Timing(cron="30 2 * * *", tz=BERLIN).after(at(10, 25, 0, 30)), at(10, 26, 1, 30))

    def test_what_runs_every_hour_runs_in_both_and_never_pauses(self):
        runs = Timing(cron="*/30 * * * *", tz=BERLIN).following(at(10, 24, 23, 30), 6)
        self.assertEqual(runs, [at(10, 25, 0) + timedelta(minutes=30 * n) for n in range(6)])
        runs = Timing(cron="15 * * * *", tz=BERLIN).following(at(3, 29, 0), 3)
        self.assertEqual(runs, [at(3, 29, 0, 15), at(3, 29, 1, 15), at(3, 29, 2, 15)])

    def test_zones_with_half_hours_and_the_last_day_of_a_month(self):
        # Lord Howe Island goes back by half an hour: 01:45 comes twice on 5 April
        self.assertEqual(
            Timing(cron="45 1 * * *", tz="Australia/Lord_Howe").following(at(4, 3, 20), 2)[0], at(4, 4, 14, 45)
        )
        runs = Timing(cron="0 0 L * *").following(at(1, 31), 3)
        self.assertEqual(runs, [at(2, 28), at(3, 31), at(4, 30)])
        self.assertEqual(Timing(cron="0 0 29 2 *").after(at(1, 1)), datetime(2028, 2, 29))

    def test_days_of_month_and_week_are_alternatives_as_in_every_cron(self):
        runs = Timing(cron="0 0 15 * mon").following(at(6, 9), 2)
        self.assertEqual(runs, [at(6, 15), at(6, 22)])
        self.assertEqual(Timing(cron="0 0 10 * mon").after(at(6, 9)), at(6, 10))

    def test_jitter_spreads_schedules_of_one_time_and_keeps_each_in_its_place(self):
        offsets = [jitter_offset(f"dist.thing:_job/{n}", 600) for n in range(50)]
        self.assertGreater(len(set(offsets)), 40)
        self.assertTrue(all(0 <= offset <= 600 for offset in offsets))
        self.assertEqual(offsets, [jitter_offset(f"dist.thing:_job/{n}", 600) for n in range(50)])
        self.assertEqual(jitter_offset("anything", 0), 0)
        put_off = Timing(cron="0 2 * * *", offset=90)
        self.assertEqual(put_off.following(at(1, 1), 2), [at(1, 1, 2, 1, 30), at(1, 2, 2, 1, 30)])
        self.assertEqual(
            put_off.after(at(1, 1, 2, 1)), at(1, 1, 2, 1, 30), "between the time and its own part of the jitter"
        )

    def test_catching_up(self):
        hourly = Timing(interval=3600)
        now = at(1, 1, 5, 20)  # planned 00:00, 01:00 … 05:00: six
        once = due(hourly, at(1, 1), now, "once")
        self.assertEqual((once.runs, once.missed, once.next_run_at), ([at(1, 1, 5)], 5, at(1, 1, 6)))
        every_one = due(hourly, at(1, 1), now, "all")
        self.assertEqual((len(every_one.runs), every_one.runs[0], every_one.missed), (6, at(1, 1), 0))
        skipped = due(hourly, at(1, 1), now, "skip")
        self.assertEqual((skipped.runs, skipped.missed, skipped.next_run_at), ([], 6, at(1, 1, 6)))
        on_time = due(hourly, at(1, 1), at(1, 1, 5, 0, 3), "skip")
        self.assertEqual(on_time.runs, [at(1, 1, 5)], "the last one is not late")

    def test_catching_up_is_bounded_and_quick_however_long_nobody_was_there(self):
        for one in (Timing(interval=60), Timing(cron="* * * * *"), Timing(cron="* 2 * * *")):
            with self.subTest(one):
                found = due(one, datetime(2016, 1, 1, 2), at(1, 1, 2, 30, 30), "all")
                self.assertEqual(len(found.runs), MOST_MADE_UP)
                self.assertEqual(found.runs[-1], at(1, 1, 2, 30), "the newest")
                self.assertEqual(found.runs, sorted(set(found.runs)))
                self.assertEqual(found.next_run_at, at(1, 1, 2, 31))

    @settings(max_examples=60, deadline=None)
    @given(
        st.sampled_from(["*/5 * * * *", "30 2 * * *", "0 */6 * * 1-5", "17 1,2,3 * * *", "59 23 L * *"]),
        st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe"]),
        st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)).map(lambda moment: moment.replace(microsecond=0)),
        st.integers(0, 7200),
    )
    def test_runs_only_go_forward_and_none_is_left_out(self, expression, zone, moment, seconds):
        one = Timing(cron=expression, tz=zone)
        first = one.after(moment)
        self.assertGreater(first, moment)
        between = moment + timedelta(seconds=seconds)
        if between < first:
            self.assertEqual(one.after(between), first)
        self.assertGreater(one.after(first), first)

    def test_expressions_that_cannot_be_obeyed_say_why(self):
        for bad, why in {
            "": "five fields",
            "* * * *": "five fields",
            "* * * * * *": "five fields",
            "61 * * * *": "out of range",
            "0 0 30 2 *": "never comes true",
            "0 0 * * 1#2": "use numbers",
            "H 0 * * *": "use numbers",
            "R R * * *": "use numbers",
            "0 0 1W * *": "use numbers",
            "@sometimes": "no cron expression",
        }.items():
            with self.subTest(bad), self.assertRaisesRegex(BadTiming, why):
                parse(bad)
        for good in ("@daily", "0 0 * jul wed", "*/10 8-18 * * mon-fri", "0 0 L * *"):
            parse(good)

    def test_decorators_refuse_what_they_cannot_obey(self):
        self.assertEqual([seconds_of(text) for text in ("1 hour", "2 weeks")], [3600, 1209600])
        for wrong in (
            lambda: every("often"),
            lambda: every("0 days"),
            lambda: every("2 days", at="02:30"),
            lambda: every("1 day", at="noon"),
            lambda: every("1 day", at="25:00"),
            lambda: every("1 day", catch_up="perhaps"),
            lambda: cron("0 3 * *"),
        ):
            with self.assertRaises(BadTiming):
                wrong()

    def test_words(self):
        for expression, words in {
            "* * * * *": "Every minute",
            "15 * * * *": "Every hour at minute 15",
            "0 */2 * * *": "Every 2 hours",
            "30 2 * * *": "At 02:30, every day",
            "0 9 * * sat,sun": "At 09:00, Saturday and Sunday",
            "0 9 1,15 * *": "At 09:00, on days 1 and 15 of the month",
            "0 9 L * *": "At 09:00, on the last day of the month",
            "@daily": "At 00:00, every day",
            "*/7 * * * *": "*/7 * * * *",
            "nonsense": "nonsense",
        }.items():
            with self.subTest(expression):
                self.assertEqual(say_cron(expression), words)
        self.assertEqual(
            [say_interval(s) for s in (1, 45, 60, 172800)],
            ["Every second", "Every 45 seconds", "Every minute", "Every 2 days"],
        )
