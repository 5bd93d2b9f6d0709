-- What comes back: outcomes, events, ends of pulls, health. One transaction per call; a bad item is set aside.

-- What is wrong with one item, or NULL. Everything that is cast later is cast here first.
CREATE OR REPLACE FUNCTION dist_relay._check_item(p_item jsonb, p_database text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_kind text := p_item->>'kind';
    v_moment CONSTANT text := '^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)$';
    v jsonb;
    v_number double precision;
BEGIN
    IF v_kind = 'event' THEN
        v := p_item->'envelope';
        CASE
            WHEN jsonb_typeof(v) IS DISTINCT FROM 'object' THEN RETURN 'envelope is missing';
            WHEN (v->>'event_id')::uuid IS NULL THEN RETURN 'event_id is missing';
            WHEN COALESCE(v->>'type', '') !~ '^[a-z]+(\.[a-z_]+)+\.v[0-9]+$' THEN RETURN 'type is not an event type';
            WHEN length(v->>'type') > 64 THEN RETURN 'type is too long';
            WHEN COALESCE(v->>'database', '') <> p_database THEN RETURN 'made for another database';
            WHEN COALESCE(length(v->>'key'), 0) NOT BETWEEN 1 AND 255 THEN RETURN 'key must have 1 to 255 characters';
            -- what the relay itself could not take in says why
            WHEN jsonb_typeof(v->'payload') IS DISTINCT FROM 'object' THEN
                RETURN COALESCE(NULLIF(v->>'refused', ''), 'payload is missing');
            WHEN octet_length((v->'payload')::text) > 2200000 THEN RETURN 'payload is larger than 2000000 bytes';
            WHEN COALESCE(v->>'occurred_at', '') !~ v_moment OR (v->>'occurred_at')::timestamptz IS NULL THEN
                RETURN 'occurred_at must be a moment with its zone';
            WHEN COALESCE((v->>'priority')::int, 5) NOT BETWEEN 0 AND 9 THEN RETURN 'priority must be 0 to 9';
            WHEN v->>'correlation_id' !~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' THEN
                RETURN 'correlation_id is no traceparent';
            WHEN NOT EXISTS (SELECT 1 FROM public.dist_connection c WHERE c.ref = v->>'connection') THEN
                RETURN 'connection is not known';
            ELSE RETURN NULL;
        END CASE;
    ELSIF v_kind = 'outcome' THEN
        v := p_item->'outcome';
        v_number := COALESCE((v->>'retry_after')::double precision, 0);
        CASE
            WHEN jsonb_typeof(v) IS DISTINCT FROM 'object' THEN RETURN 'outcome is missing';
            WHEN (v->>'event_id')::uuid IS NULL THEN RETURN 'event_id is missing';
            WHEN COALESCE(v->>'verdict', '') NOT IN ('delivered', 'rejected', 'retry', 'snooze', 'unknown', 'broken') THEN
                RETURN 'verdict is not known';
            WHEN COALESCE((v->>'attempt')::int, 1) < 1 THEN RETURN 'attempt must be at least 1';
            WHEN (v->>'version')::bigint < 1 THEN RETURN 'version must be at least 1';
            WHEN NOT v_number >= 0 OR v_number = 'Infinity' OR v_number = 'NaN' THEN RETURN 'retry_after must be seconds';
            WHEN jsonb_typeof(COALESCE(NULLIF(v->'data', 'null'), '{}')) <> 'object' THEN RETURN 'data must be an object';
            ELSE RETURN NULL;
        END CASE;
    ELSIF v_kind = 'pull_done' THEN
        IF p_item->>'run_id' IS NULL THEN RETURN 'run_id is missing'; END IF;
        IF jsonb_typeof(COALESCE(p_item->'event_ids', '[]')) <> 'array' THEN RETURN 'event_ids must be a list'; END IF;
        PERFORM value::uuid FROM jsonb_array_elements_text(COALESCE(p_item->'event_ids', '[]'));
        RETURN NULL;
    ELSIF v_kind = 'pull_failed' THEN
        v_number := COALESCE((p_item->>'retry_after')::double precision, 0);
        RETURN CASE
            WHEN p_item->>'run_id' IS NULL THEN 'run_id is missing'
            WHEN COALESCE(p_item->>'verdict', '') NOT IN ('retry', 'snooze', 'broken') THEN 'verdict is not known'
            WHEN NOT v_number >= 0 OR v_number = 'Infinity' OR v_number = 'NaN' THEN 'retry_after must be seconds'
            END;
    ELSIF v_kind = 'health' THEN
        RETURN CASE
            WHEN COALESCE(p_item->>'breaker', '') NOT IN ('closed', 'open', 'half_open') THEN 'breaker is not known'
            WHEN COALESCE(p_item->>'at', '') !~ v_moment OR (p_item->>'at')::timestamptz IS NULL THEN
                'at must be a moment with its zone'
            WHEN jsonb_typeof(COALESCE(p_item->'budgets', '[]')) <> 'array' OR length(p_item->>'budgets') > 20000 THEN
                'budgets must be a list'
            WHEN NOT EXISTS (SELECT 1 FROM public.dist_connection c WHERE c.ref = p_item->>'connection') THEN
                'connection is not known'
            END;
    END IF;
    RETURN 'kind is not known';
EXCEPTION
    WHEN data_exception THEN
        RETURN SQLERRM;
END $$;

-- Have Odoo tell people about a record: a job that calls its `_report`.
CREATE OR REPLACE FUNCTION dist_relay._queue_report(p_model text, p_id int, p_connection int) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO public.dist_job (handler, payload, connection_id, company_id, priority, state, attempts, created_at, res_model,
                          res_id)
    VALUES (p_model || ':_report', jsonb_build_object('ids', jsonb_build_array(p_id)), p_connection,
            COALESCE((SELECT c.company_id FROM public.dist_connection c WHERE c.id = p_connection),
                     (SELECT min(id) FROM public.res_company)),
            5, 'pending', 0, dist_relay.utcnow(), p_model, p_id)
$$;

-- Keep what cannot be taken in: bounded text, a job that tells somebody. Its event id counts as seen, so that one bad
-- order never holds back the cursor of its pull. Returns the letter's id, or NULL where the event came in before.
CREATE OR REPLACE FUNCTION dist_relay._dead_letter(p_item jsonb, p_raw text, p_reason text) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_body jsonb := CASE p_item->>'kind' WHEN 'event' THEN p_item->'envelope' WHEN 'outcome' THEN p_item->'outcome'
                    ELSE p_item END;
    v_text text := COALESCE(p_raw, p_item::text);
    v_event_id text := lower(v_body->>'event_id');
    -- which order (or listing …) it is about, for the people who read the reason
    v_about text := CASE WHEN p_item->>'kind' = 'event' AND jsonb_typeof(v_body) = 'object'
                         THEN NULLIF(concat_ws(' ', left(v_body->>'type', 64), left(v_body->>'key', 255)), '') END;
    v_conn public.dist_connection%ROWTYPE;
    v_id int;
BEGIN
    IF v_event_id !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        v_event_id := NULL;
    END IF;
    IF p_item->>'kind' = 'event' AND v_event_id IS NOT NULL THEN
        INSERT INTO dist_relay.seen_event (event_id) VALUES (v_event_id::uuid) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RETURN NULL;  -- came in before, well or not
        END IF;
    END IF;
    SELECT * INTO v_conn FROM public.dist_connection c WHERE c.ref = v_body->>'connection';
    INSERT INTO public.dist_dead_letter (kind, type, key, reason, raw, truncated, event_id, connection_id, company_id,
                                  correlation_id, created_at, state)
    VALUES (left(p_item->>'kind', 64), CASE WHEN v_about IS NOT NULL THEN left(v_body->>'type', 64) END,
            CASE WHEN v_about IS NOT NULL THEN left(v_body->>'key', 255) END, left(concat_ws(': ', v_about, p_reason), 1000),
            left(v_text, 65536), length(v_text) > 65536, v_event_id, v_conn.id, v_conn.company_id, left(v_body->>'correlation_id', 64), dist_relay.utcnow(), 'open')
    RETURNING id INTO v_id;
    PERFORM dist_relay._queue_report('dist.dead.letter', v_id, v_conn.id);
    RETURN v_id;
END $$;

-- `order.received` of `order.received.v2`: what an event is about, in whatever version it is told.
CREATE OR REPLACE FUNCTION dist_relay._family(p_type text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT regexp_replace(p_type, '\.v[0-9]+$', '') $$;

-- An event of the same connection, family and key was taken in well: the letters before it are obsolete. Letters of the
-- same call (with their ordinals) that came after the event stay open.
CREATE OR REPLACE FUNCTION dist_relay._heal_letters(
    p_events uuid[], p_items jsonb[], p_ordinals int[], p_letters int[], p_letter_ordinals int[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_one record;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM public.dist_dead_letter l WHERE l.state = 'open' AND l.key IS NOT NULL) THEN
        RETURN;
    END IF;
    FOR v_one IN
        UPDATE public.dist_dead_letter l SET state = 'obsolete', note = 'Taken in well later, as ' || s.event_id || '.'
          FROM (SELECT DISTINCT ON (c.id, dist_relay._family(i.item->'envelope'->>'type'), i.item->'envelope'->>'key')
                       c.id AS connection_id, dist_relay._family(i.item->'envelope'->>'type') AS family,
                       i.item->'envelope'->>'key' AS key, i.item->'envelope'->>'event_id' AS event_id, i.ordinal
                  FROM unnest(p_items, p_ordinals) AS i (item, ordinal)
                  JOIN public.dist_connection c ON c.ref = i.item->'envelope'->>'connection'
                 WHERE (i.item->'envelope'->>'event_id')::uuid = ANY (p_events)
                 ORDER BY 1, 2, 3, i.ordinal DESC) s
         WHERE l.state = 'open' AND l.connection_id = s.connection_id AND l.key = s.key
           AND dist_relay._family(l.type) = s.family
           AND NOT EXISTS (SELECT 1 FROM unnest(p_letters, p_letter_ordinals) AS b (id, ordinal)
                            WHERE b.id = l.id AND b.ordinal > s.ordinal)
        RETURNING l.id, l.connection_id
    LOOP
        PERFORM dist_relay._queue_report('dist.dead.letter', v_one.id, v_one.connection_id);
    END LOOP;
END $$;

-- Outcome jobs for settled events: always when rejected or dead, and when delivered where a report was asked for.
CREATE OR REPLACE FUNCTION dist_relay._queue_outcomes(p_ids int[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now CONSTANT timestamp := dist_relay.utcnow();
BEGIN
    INSERT INTO public.dist_job (event_id, handler, payload, connection_id, company_id, lane, priority, key, state, attempts,
                          max_attempts, correlation_id, occurred_at, created_at, res_model, res_id)
    SELECT e.event_id, e.type || '#outcome',
           jsonb_build_object(
               'outcome', jsonb_strip_nulls(jsonb_build_object(
                   'event_id', e.event_id,
                   'verdict', CASE e.state WHEN 'dead' THEN 'broken' ELSE e.state END,
                   'attempt', e.publication, 'version', e.version, 'code', e.outcome_code,
                   'message', e.outcome_message, 'data', COALESCE(e.outcome_data, '{}'::jsonb))),
               'event', jsonb_build_object(
                   'event_id', e.event_id, 'type', e.type, 'key', e.key, 'payload', COALESCE(e.payload, '{}'::jsonb),
                   'version', e.version, 'res_model', e.res_model, 'res_id', e.res_id),
               'state', e.state),
           e.connection_id, e.company_id, r.lane, COALESCE(r.priority, e.priority), e.key, 'pending', 0, r.max_attempts,
           e.correlation_id, v_now, v_now, e.res_model, e.res_id
      FROM public.dist_outbox_event e LEFT JOIN public.dist_event_route r ON r.handler = e.type || '#outcome'
     WHERE e.id = ANY (p_ids) AND (e.state IN ('rejected', 'dead') OR (e.state = 'delivered' AND e.report))
     ORDER BY e.relay_seq;
END $$;

CREATE OR REPLACE FUNCTION dist_relay._intake_events(
    p_items jsonb[], p_ordinals int[], p_letters int[], p_letter_ordinals int[])
RETURNS TABLE (ordinal int, status text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_ordinals int[];
    v_statuses text[];
    v_events uuid[];
BEGIN
    WITH arrived AS MATERIALIZED (
        SELECT i.ordinal, i.item->'envelope' AS v, (i.item->'envelope'->>'event_id')::uuid AS event_id,
               row_number() OVER (PARTITION BY (i.item->'envelope'->>'event_id')::uuid ORDER BY i.ordinal) AS nth
          FROM unnest(p_items, p_ordinals) AS i (item, ordinal)
    ), fresh AS (
        -- in order of the id, so that two calls with the same events wait for each other and never deadlock
        INSERT INTO dist_relay.seen_event (event_id)
        SELECT a.event_id FROM arrived a WHERE a.nth = 1 ORDER BY a.event_id
        ON CONFLICT DO NOTHING RETURNING event_id
    ), stored AS (
        INSERT INTO public.dist_job (event_id, handler, payload, connection_id, company_id, lane, priority, key, state, attempts,
                              max_attempts, correlation_id, occurred_at, created_at)
        SELECT a.event_id::text, a.v->>'type', a.v->'payload', c.id, c.company_id, r.lane,
               COALESCE(r.priority, (a.v->>'priority')::int, 5), a.v->>'key', 'pending', 0, r.max_attempts,
               a.v->>'correlation_id', (a.v->>'occurred_at')::timestamptz AT TIME ZONE 'UTC', dist_relay.utcnow()
          FROM arrived a
          JOIN fresh f ON f.event_id = a.event_id AND a.nth = 1
          JOIN public.dist_connection c ON c.ref = a.v->>'connection'
          LEFT JOIN public.dist_event_route r ON r.handler = a.v->>'type'
         ORDER BY a.ordinal
    )
    SELECT array_agg(a.ordinal),
           array_agg(CASE WHEN f.event_id IS NOT NULL AND a.nth = 1 THEN 'stored' ELSE 'duplicate' END),
           array_agg(a.event_id) FILTER (WHERE f.event_id IS NOT NULL AND a.nth = 1)
      INTO v_ordinals, v_statuses, v_events
      FROM arrived a LEFT JOIN fresh f ON f.event_id = a.event_id;
    IF v_events IS NOT NULL THEN
        PERFORM dist_relay._heal_letters(v_events, p_items, p_ordinals, p_letters, p_letter_ordinals);
    END IF;
    RETURN QUERY SELECT * FROM unnest(v_ordinals, v_statuses);
END $$;
