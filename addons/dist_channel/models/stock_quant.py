# Copyright 2026 Dist contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from typing import Any

from odoo import models

FUNCTION = """
CREATE OR REPLACE FUNCTION dist_channel_quant_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    products integer[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT product_id) INTO products FROM new_quants
         WHERE quantity <> 0 OR reserved_quantity <> 0;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT product_id) INTO products FROM old_quants
         WHERE quantity <> 0 OR reserved_quantity <> 0;
    ELSE
        SELECT array_agg(DISTINCT p) INTO products
          FROM old_quants o JOIN new_quants n ON n.id = o.id, LATERAL (VALUES (o.product_id), (n.product_id)) AS v (p)
         WHERE (o.quantity, o.reserved_quantity, o.location_id, o.product_id)
               IS DISTINCT FROM (n.quantity, n.reserved_quantity, n.location_id, n.product_id);
    END IF;
    IF products IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO dist_dirty_mark (connection_id, type, key)
    SELECT DISTINCT channel.connection_id, 'availability.changed.v1',
           COALESCE(NULLIF(mapping.inventory_ref, ''), NULLIF(mapping.sku, ''), mapping.variant_ref)
               || '@' || location.external_id
      FROM dist_channel_mapping mapping
      JOIN dist_channel channel ON channel.id = mapping.channel_id AND channel.publish_availability
      JOIN dist_connection connection ON connection.id = channel.connection_id
      JOIN dist_adapter adapter ON adapter.id = connection.adapter_id
           AND adapter.manifest -> 'capabilities' ? 'availability.push'
      JOIN dist_channel_location location
           ON location.channel_id = channel.id AND location.active AND location.warehouse_id IS NOT NULL
     WHERE mapping.product_id = ANY (products) AND mapping.state = 'matched'
       AND COALESCE(NULLIF(mapping.inventory_ref, ''), NULLIF(mapping.sku, ''), mapping.variant_ref) IS NOT NULL;
    RETURN NULL;
END $$;
"""

TRIGGERS = """
DROP TRIGGER IF EXISTS dist_channel_quant_insert ON stock_quant;
CREATE TRIGGER dist_channel_quant_insert AFTER INSERT ON stock_quant REFERENCING NEW TABLE AS new_quants
    FOR EACH STATEMENT EXECUTE FUNCTION dist_channel_quant_changed();
DROP TRIGGER IF EXISTS dist_channel_quant_update ON stock_quant;
CREATE TRIGGER dist_channel_quant_update AFTER UPDATE ON stock_quant
    REFERENCING OLD TABLE AS old_quants NEW TABLE AS new_quants
    FOR EACH STATEMENT EXECUTE FUNCTION dist_channel_quant_changed();
DROP TRIGGER IF EXISTS dist_channel_quant_delete ON stock_quant;
CREATE TRIGGER dist_channel_quant_delete AFTER DELETE ON stock_quant REFERENCING OLD TABLE AS old_quants
    FOR EACH STATEMENT EXECUTE FUNCTION dist_channel_quant_changed();
"""


def drop_triggers(cr: Any) -> None:
    """Remove the function and, with it, its triggers."""
    cr.execute("DROP FUNCTION IF EXISTS dist_channel_quant_changed() CASCADE")


class StockQuant(models.Model):
    """Every change of stock marks the offers of its products, whoever makes it: the ORM, raw SQL, merging of quants.

    A trigger per statement with transition tables: one insert for any number of quants, nothing at all for products
    no channel sells, no lock that a business transaction could wait for. The doorbell is not rung from here; the
    engine finds the marks with its next look.
    """

    _inherit = "stock.quant"

    def init(self):
        res = super().init()
        self.env.cr.execute(FUNCTION)
        self.env.cr.execute(TRIGGERS)
        return res
