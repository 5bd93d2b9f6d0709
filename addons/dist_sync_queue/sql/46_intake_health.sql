-- How a connection fares: changes of its breaker, and what is left of its budgets.

-- An item with budgets says nothing new of the breaker; a relay that knows no budgets sends none.
CREATE OR REPLACE FUNCTION dist_relay._intake_health(p_item jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_at timestamp := (p_item->>'at')::timestamptz AT TIME ZONE 'UTC';
BEGIN
    IF p_item ? 'budgets' THEN
        INSERT INTO public.dist_connection_health AS h (connection_id, breaker_state, budgets, budgets_at)
        SELECT c.id, p_item->>'breaker', p_item->'budgets', v_at
          FROM public.dist_connection c WHERE c.ref = p_item->>'connection'
        ON CONFLICT (connection_id) DO UPDATE SET budgets = EXCLUDED.budgets, budgets_at = EXCLUDED.budgets_at
         WHERE h.budgets_at IS NULL OR h.budgets_at <= EXCLUDED.budgets_at;
    ELSE
        INSERT INTO public.dist_connection_health AS h (connection_id, breaker_state, breaker_at, message)
        SELECT c.id, p_item->>'breaker', v_at, left(p_item->>'message', 4000)
          FROM public.dist_connection c WHERE c.ref = p_item->>'connection'
        ON CONFLICT (connection_id) DO UPDATE
           SET breaker_state = EXCLUDED.breaker_state, breaker_at = EXCLUDED.breaker_at, message = EXCLUDED.message
         WHERE h.breaker_at IS NULL OR h.breaker_at <= EXCLUDED.breaker_at;
    END IF;
    RETURN CASE WHEN FOUND THEN 'stored' ELSE 'stale' END;
END $$;
