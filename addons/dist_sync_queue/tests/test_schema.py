# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""An update finds what it needs and leaves it: a table of millions of rows is rewritten once, or never."""

from odoo.tests import tagged

from ..engine import schema
from .common import SyncCase


@tagged("post_install", "-at_install")
class TestSchema(SyncCase):
    def files(self):
        """The file of each table and index of ours: another one after a rewrite."""
        self.env.cr.execute(
            """SELECT c.relname, pg_relation_filenode(c.oid) FROM pg_class c
                WHERE c.relkind IN ('r', 'i') AND c.relnamespace = 'public'::regnamespace
                  AND c.relname LIKE 'dist\\_%'"""
        )
        return dict(self.env.cr.fetchall())

    def definitions(self):
        """Columns, defaults, generation and indexes of the jobs, without their order."""
        self.env.cr.execute(
            """SELECT 'column', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated::text,
                      pg_get_expr(d.adbin, d.adrelid)
                 FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE a.attrelid = 'dist_job'::regclass AND a.attnum > 0 AND NOT a.attisdropped
                UNION ALL
               SELECT 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), NULL, NULL, NULL
                 FROM pg_index i WHERE i.indrelid = 'dist_job'::regclass"""
        )
        return set(self.env.cr.fetchall())

    def test_an_update_rewrites_nothing(self):
        models = [name for name, model in self.registry.items() if name.startswith("dist.") and model._auto]
        self.assertIn("dist.job", models)
        self.env.flush_all()
        before = self.files()
        self.assertIn("dist_job_ready_key_idx", before)
        for _time in range(2):
            self.registry.init_models(self.env.cr, models, {"module": "dist_sync_queue"}, install=False)
            self.assertEqual(self.files(), before)

    def test_an_older_table_ends_up_like_a_new_one(self):
        new = self.definitions()
        self.env.cr.execute(
            """ALTER TABLE dist_job DROP COLUMN connection_scope;
               ALTER TABLE dist_job ADD COLUMN connection_scope integer GENERATED ALWAYS AS (
                   COALESCE(connection_id, 0)) STORED;
               DROP INDEX dist_job_order_idx;
               CREATE INDEX dist_job_order_idx ON dist_job (order_key, id) WHERE state = 'pending';
               DROP INDEX IF EXISTS dist_job_identity_idx;
               CREATE INDEX dist_job_identity_idx ON dist_job (handler, identity)
                   WHERE state = 'pending' AND identity IS NOT NULL"""
        )
        self.assertNotEqual(self.definitions(), new)
        schema.create(self.env.cr)
        self.assertEqual(self.definitions(), new)
        mended = self.files()
        schema.create(self.env.cr)
        self.assertEqual(self.files(), mended, "once")
