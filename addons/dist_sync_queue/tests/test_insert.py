# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Enqueuing few jobs (INSERT) and many (COPY) is the same."""

from datetime import datetime

from ..engine import insert
from .common import SyncCase

AWKWARD = ["plain", "tab\tand\nnewline", "back\\slash \\N \\.", "Ünï → 漢 😀", "quote \" and ' $1 %s", " ", ""]


class TestInsert(SyncCase):
    def rows(self, count):
        return [
            {
                "handler": "test.thing.v1",
                "payload": {"text": AWKWARD[n % len(AWKWARD)], "nested": {"n": [n, None, 1.5, True]}},
                "key": AWKWARD[n % len(AWKWARD)] or None,
                "company_id": self.env.company.id,
                "eta": datetime(2030, 1, 2, 3, 4, 5) if n % 3 else None,
                "priority": 2 if n % 2 else None,
            }
            for n in range(count)
        ]

    def read(self, ids):
        self.env.cr.execute(
            """SELECT handler, payload, key, company_id, eta, priority, state, attempts, order_key, created_at IS NULL
                 FROM dist_job WHERE id = ANY(%s) ORDER BY id""",
            (ids,),
        )
        return self.env.cr.fetchall()

    def test_many_are_stored_as_few_are(self):
        rows = self.rows(insert.COPY_FROM)
        few = [id_ for row in rows for id_ in insert.insert_jobs(self.env.cr, [row])]
        many = insert.insert_jobs(self.env.cr, rows)
        self.assertEqual(self.read(many), self.read(few))
        self.assertEqual([row[1]["text"] for row in self.read(many)], [row["payload"]["text"] for row in rows])

    def test_the_ids_are_in_the_order_of_the_rows(self):
        jobs = self.env["dist.job"].enqueue(self.rows(insert.COPY_FROM + 1))
        self.assertEqual(list(jobs._ids), sorted(jobs._ids))
        self.assertEqual(jobs.mapped("payload"), [row["payload"] for row in self.rows(insert.COPY_FROM + 1)])

    def test_many_take_two_statements(self):
        self.env.flush_all()
        with self.assertQueryCount(1):  # COPY is not counted: it does not go through execute()
            self.env["dist.job"].enqueue(self.rows(2000))

    def test_a_deleted_company_takes_its_jobs_with_it(self):
        company = self.env["res.company"].create({"name": "Short-lived"})
        job = self.env["dist.job"].enqueue([{"handler": "test.thing.v1", "company_id": company.id}])
        other = self.env["dist.job"].enqueue([{"handler": "test.thing.v1", "company_id": self.env.company.id}])
        company._unlink_jobs()  # all of unlink() is refused where other apps keep something of a company
        self.assertIn("_unlink_jobs", [method.__name__ for method in company._ondelete_methods])
        self.assertFalse(job.exists())
        self.assertTrue(other.exists())
