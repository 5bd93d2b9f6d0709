-- Small helpers, and what the relay asks first.
-- Every search_path is pg_catalog alone and every table is named with its schema: Odoo lets all roles create in public,
-- and a function or operator planted there must never run with the rights of the owner.
-- What is asked often is PL/pgSQL: it keeps its plans with the session, a function of LANGUAGE sql plans at every call
-- (measured: 2 ms of CPU for one ready()).
CREATE OR REPLACE FUNCTION dist_relay.utcnow() RETURNS timestamp
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN clock_timestamp() AT TIME ZONE 'UTC'; END $$;

-- The identity this database publishes under; models/relay.py computes the same.
CREATE OR REPLACE FUNCTION dist_relay.database_uuid() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN md5('dist_relay:' ||
        COALESCE((SELECT value FROM public.ir_config_parameter WHERE key = 'database.uuid'), '') || ':' ||
        COALESCE((SELECT value FROM public.ir_config_parameter WHERE key = 'dist_sync_queue.identity_salt'), ''))::uuid::text;
END $$;

-- False in a copy: its uuid or salt is not the one that was confirmed. Then nothing is given out.
CREATE OR REPLACE FUNCTION dist_relay.may_publish() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM public.ir_config_parameter
                    WHERE key = 'dist_sync_queue.identity_confirmed' AND value = dist_relay.database_uuid());
END $$;

CREATE OR REPLACE FUNCTION dist_relay.hello()
RETURNS TABLE (database_uuid text, api_version int, server_now timestamptz, addon_version text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT dist_relay.database_uuid(), 1, clock_timestamp(),
           (SELECT m.latest_version::text FROM public.ir_module_module m WHERE m.name = 'dist_sync_queue')
$$;

CREATE OR REPLACE FUNCTION dist_relay.connections()
RETURNS TABLE (connection text, adapter text, name text, settings jsonb, sealed_credentials text, config_version bigint,
               state text, max_in_flight int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    -- two of one name are told apart: the relay's metrics and log lines name connections (engine/metrics.py does the same)
    SELECT c.ref::text, a.code::text,
           CASE WHEN count(*) OVER (PARTITION BY c.name) > 1 THEN c.name || ' (' || left(c.ref, 8) || ')'
                ELSE c.name END::text, COALESCE(c.settings, '{}'::jsonb), c.sealed_credentials,
           c.config_version::bigint,
           CASE WHEN c.active AND dist_relay.may_publish() THEN c.state ELSE 'paused' END::text, c.max_in_flight
      FROM public.dist_connection c JOIN public.dist_adapter a ON a.id = c.adapter_id
     ORDER BY c.id
$$;

-- Backlog of each connection that has something to do, for the metrics. Counts stop at 10,000, so a large backlog costs
-- no more.
CREATE OR REPLACE FUNCTION dist_relay.pending()
RETURNS TABLE (connection text, ready bigint, in_flight bigint, oldest_seconds double precision)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_sort = off
AS $$
    WITH moment AS MATERIALIZED (SELECT dist_relay.utcnow() AS now, dist_relay.may_publish() AS allowed)
    SELECT c.ref::text, fresh.count + waiting.count + lapsed.count, flight.count,
           GREATEST(0, EXTRACT(EPOCH FROM m.now - LEAST(fresh_oldest.at, waiting.at, lapsed.at)))::double precision
      FROM moment m
      JOIN public.dist_connection c ON c.active AND c.state IN ('active', 'draft') AND m.allowed
     CROSS JOIN LATERAL (
           SELECT count(*) FROM (
               SELECT 1 FROM public.dist_outbox_event e
                WHERE e.connection_id = c.id AND e.state = 'pending' AND e.next_try_at IS NULL
                  AND (c.state = 'active' OR e.type = 'connection.check.v1')
                LIMIT 10000) s) fresh
     CROSS JOIN LATERAL (
           SELECT min(first.occurred_at) AS at FROM generate_series(0, 9) AS p (priority)
            CROSS JOIN LATERAL (
                  SELECT e.occurred_at FROM public.dist_outbox_event e
                   WHERE e.connection_id = c.id AND e.state = 'pending' AND e.next_try_at IS NULL
                     -- a range of one priority: an equality would let the primary key be in order, and a priority
                     -- nobody uses be looked for in the whole table (measured: 680 ms among 30,000 events)
                     AND e.priority >= p.priority AND e.priority <= p.priority
                     AND (c.state = 'active' OR e.type = 'connection.check.v1')
                   ORDER BY e.priority, e.id LIMIT 1) first) fresh_oldest
     CROSS JOIN LATERAL (
           SELECT count(*), min(s.occurred_at) AS at FROM (
               SELECT e.occurred_at FROM public.dist_outbox_event e
                WHERE e.connection_id = c.id AND e.state IN ('pending', 'unknown') AND e.next_try_at <= m.now
                  AND (c.state = 'active' OR e.type = 'connection.check.v1')
                LIMIT 10000) s) waiting
     CROSS JOIN LATERAL (
           SELECT count(*), min(s.occurred_at) AS at FROM (
               SELECT e.occurred_at FROM public.dist_outbox_event e
                WHERE e.connection_id = c.id AND e.state = 'published' AND e.lease_until <= m.now
                LIMIT 10000) s) lapsed
     CROSS JOIN LATERAL (
           SELECT count(*) FROM public.dist_outbox_event e
            WHERE e.connection_id = c.id AND e.state = 'published' AND e.lease_until > m.now) flight
     WHERE fresh.count + waiting.count + lapsed.count + flight.count > 0
$$;

-- Connections with something to claim at this moment. Asked at every turn of the pump: it jumps from connection to
-- connection in the indexes of what is open, so it costs as much as there are connections with open events.
CREATE OR REPLACE FUNCTION dist_relay.ready() RETURNS TABLE (connection text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE moment AS MATERIALIZED (SELECT dist_relay.utcnow() AS now, dist_relay.may_publish() AS allowed),
    fresh AS (
        (SELECT e.connection_id AS id FROM public.dist_outbox_event e
          WHERE e.state = 'pending' AND e.next_try_at IS NULL ORDER BY e.connection_id LIMIT 1)
        UNION ALL
        SELECT n.id FROM fresh CROSS JOIN LATERAL (
            SELECT e.connection_id AS id FROM public.dist_outbox_event e
             WHERE e.state = 'pending' AND e.next_try_at IS NULL AND e.connection_id > fresh.id
             ORDER BY e.connection_id LIMIT 1) n
    ), waiting AS (
        (SELECT e.connection_id AS id, e.next_try_at AS due FROM public.dist_outbox_event e
          WHERE e.state IN ('pending', 'unknown') AND e.next_try_at IS NOT NULL
          ORDER BY e.connection_id, e.next_try_at LIMIT 1)
        UNION ALL
        SELECT n.id, n.due FROM waiting CROSS JOIN LATERAL (
            SELECT e.connection_id AS id, e.next_try_at AS due FROM public.dist_outbox_event e
             WHERE e.state IN ('pending', 'unknown') AND e.next_try_at IS NOT NULL AND e.connection_id > waiting.id
             ORDER BY e.connection_id, e.next_try_at LIMIT 1) n
    ), under_way AS (
        (SELECT e.connection_id AS id, e.lease_until AS due FROM public.dist_outbox_event e
          WHERE e.state = 'published' ORDER BY e.connection_id, e.lease_until LIMIT 1)
        UNION ALL
        SELECT n.id, n.due FROM under_way CROSS JOIN LATERAL (
            SELECT e.connection_id AS id, e.lease_until AS due FROM public.dist_outbox_event e
             WHERE e.state = 'published' AND e.connection_id > under_way.id
             ORDER BY e.connection_id, e.lease_until LIMIT 1) n
    )
    SELECT c.ref::text FROM moment m
      JOIN (SELECT id, NULL::timestamp AS due FROM fresh UNION ALL SELECT id, due FROM waiting
            UNION ALL SELECT id, due FROM under_way) w ON m.allowed AND (w.due IS NULL OR w.due <= m.now)
      JOIN public.dist_connection c ON c.id = w.id AND c.active AND c.state IN ('active', 'draft')
     GROUP BY c.id, c.ref ORDER BY c.id;
END $$;

CREATE OR REPLACE FUNCTION dist_relay.announce(p_manifests jsonb, p_public_key text, p_relay_version text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := dist_relay.utcnow();
BEGIN
    INSERT INTO public.dist_relay AS r (name, public_key, relay_version, announced_at, key_changed_at)
    VALUES ('relay', p_public_key, left(p_relay_version, 64), v_now, v_now)
    ON CONFLICT (name) DO UPDATE
       SET public_key = COALESCE(EXCLUDED.public_key, r.public_key), relay_version = EXCLUDED.relay_version,
           announced_at = v_now,
           key_changed_at = CASE WHEN r.public_key IS DISTINCT FROM COALESCE(EXCLUDED.public_key, r.public_key)
                                 THEN v_now ELSE r.key_changed_at END;
    INSERT INTO public.dist_adapter AS a (code, label, kind, manifest, adapter_version, api_version, api_sunset, description,
                                   documentation, active, announced_at, create_uid, write_uid, create_date, write_date)
    SELECT m->>'code', COALESCE(m->>'label', m->>'code'), COALESCE(m->>'kind', 'channel'), m, m->>'version',
           m->>'api_version', (m->>'api_sunset')::date, m->>'description', m->>'documentation', true, v_now, 1, 1, v_now,
           v_now
      FROM (SELECT DISTINCT ON (value->>'code') value AS m
              FROM jsonb_array_elements(COALESCE(p_manifests, '[]'::jsonb))
             WHERE value->>'code' IS NOT NULL ORDER BY value->>'code') s
    -- only a changed manifest is written: connections reference these rows
    ON CONFLICT (code) DO UPDATE
       SET label = EXCLUDED.label, kind = EXCLUDED.kind, manifest = EXCLUDED.manifest,
           adapter_version = EXCLUDED.adapter_version, api_version = EXCLUDED.api_version,
           api_sunset = EXCLUDED.api_sunset, description = EXCLUDED.description,
           documentation = EXCLUDED.documentation, active = true, announced_at = v_now, write_date = v_now
     WHERE a.manifest IS DISTINCT FROM EXCLUDED.manifest OR NOT a.active;
END $$;

CREATE OR REPLACE FUNCTION dist_relay.replay(p_event_ids text[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_count int;
BEGIN
    UPDATE public.dist_outbox_event
       SET state = 'pending', attempts = 0, lapses = 0, next_try_at = NULL, settled_at = NULL, deadline = NULL
     WHERE event_id = ANY (p_event_ids) AND state IN ('dead', 'rejected');
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

-- Redis refuses stream ids that do not grow. After a restore the sequence may be behind the stream: lift it.
CREATE OR REPLACE FUNCTION dist_relay.raise_seq(p_floor bigint) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT setval('dist_relay.relay_seq', GREATEST(p_floor, nextval('dist_relay.relay_seq')))
$$;

CREATE OR REPLACE FUNCTION dist_relay.status() RETURNS jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object(
        'database_uuid', dist_relay.database_uuid(),
        'may_publish', dist_relay.may_publish(),
        'outbox', (SELECT COALESCE(jsonb_object_agg(s.state, s.count), '{}') FROM (
            SELECT e.state, count(*) FROM public.dist_outbox_event e GROUP BY 1) s),
        'jobs', (SELECT COALESCE(jsonb_object_agg(s.state, s.count), '{}') FROM (
            SELECT j.state, count(*) FROM public.dist_job j GROUP BY 1) s),
        'connections', (SELECT COALESCE(jsonb_object_agg(s.state, s.count), '{}') FROM (
            SELECT c.state, count(*) FROM public.dist_connection c WHERE c.active GROUP BY 1) s),
        'exceptions_open', (SELECT count(*) FROM public.dist_exception x WHERE x.state = 'open'),
        'dead_letters_open', (SELECT count(*) FROM public.dist_dead_letter d WHERE d.state = 'open'),
        'oldest_transaction_seconds', (
            SELECT COALESCE(EXTRACT(EPOCH FROM clock_timestamp() - min(a.xact_start)), 0)
              FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()))
$$;
