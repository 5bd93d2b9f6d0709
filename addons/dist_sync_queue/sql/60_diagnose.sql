-- Facts for "is it well?": asked by `dist-relay doctor` and by Odoo's health check, which judge them.
-- Counts stop at 10,000, so that a large backlog costs no more.
CREATE OR REPLACE FUNCTION dist_relay._count_stuck(p_state text, p_minutes int) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT count(*) FROM (
        SELECT 1 FROM public.dist_outbox_event e
         -- said of the column, so that the index of what is open can be used
         WHERE e.state = p_state AND e.state IN ('pending', 'published', 'unknown')
           AND COALESCE(CASE p_state WHEN 'published' THEN e.lease_until ELSE e.next_try_at END, e.occurred_at)
               < dist_relay.utcnow() - make_interval(mins => p_minutes)
           AND EXISTS (SELECT 1 FROM public.dist_connection c
                        WHERE c.id = e.connection_id AND c.active AND c.state = 'active')
           -- what waits behind a dead event of its key does so until somebody decides
           AND NOT (e.kind = 'fact' AND EXISTS (
               SELECT 1 FROM public.dist_outbox_event d
                WHERE d.connection_id = e.connection_id AND d.key = e.key AND d.id < e.id
                  AND d.kind = 'fact' AND d.state = 'dead'))
         LIMIT 10000) s
$$;

CREATE OR REPLACE FUNCTION dist_relay.diagnose() RETURNS jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object(
        'server_now', EXTRACT(EPOCH FROM clock_timestamp()),
        'identity', jsonb_build_object(
            'may_publish', dist_relay.may_publish(),
            'confirmed', EXISTS (SELECT 1 FROM public.ir_config_parameter p
                                  WHERE p.key = 'dist_sync_queue.identity_confirmed' AND p.value <> '')),
        'leases_over', dist_relay._count_stuck('published', 10),
        'unknown_long', dist_relay._count_stuck('unknown', 60),
        'ready_long', dist_relay._count_stuck('pending', 10),
        'transactions', (
            SELECT COALESCE(jsonb_agg(t), '[]') FROM (
                SELECT a.pid, round(EXTRACT(EPOCH FROM clock_timestamp() - a.xact_start))::int AS seconds, a.state,
                       a.application_name AS application
                  FROM pg_stat_activity a
                 WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
                   AND a.xact_start < clock_timestamp() - interval '60 s' AND a.backend_type = 'client backend'
                 ORDER BY a.xact_start LIMIT 5) t),
        'prepared', (SELECT count(*) FROM pg_prepared_xacts x WHERE x.database = current_database()),
        'slots', (
            SELECT COALESCE(jsonb_agg(s), '[]') FROM (
                SELECT r.slot_name AS name, r.active, age(COALESCE(r.xmin, r.catalog_xmin)) AS xmin_age
                  FROM pg_replication_slots r WHERE NOT r.active OR r.xmin IS NOT NULL LIMIT 10) s),
        'pumps', (
            SELECT count(DISTINCT a.application_name) FROM pg_stat_activity a
             WHERE a.datname = current_database() AND a.application_name LIKE 'dist-relay%'
               AND a.application_name NOT IN ('dist-relay doctor', 'dist-relay cli')),
        'relay', (SELECT jsonb_build_object('version', r.relay_version, 'public_key', r.public_key)
                    FROM public.dist_relay r WHERE r.name = 'relay'),
        'schedules_overdue', (
            SELECT COALESCE(jsonb_agg(s), '[]') FROM (
                SELECT c.name, s.capability,
                       round(EXTRACT(EPOCH FROM dist_relay.utcnow() - s.next_run_at))::int AS seconds
                  FROM public.dist_connection_schedule s JOIN public.dist_connection c ON c.id = s.connection_id
                 WHERE s.active AND c.active AND c.state = 'active' AND dist_relay.may_publish()
                   AND s.next_run_at < dist_relay.utcnow() - interval '10 min'
                   AND (s.run_id IS NULL OR s.run_deadline < dist_relay.utcnow())
                 ORDER BY s.next_run_at LIMIT 10) s),
        'breakers_open', (
            SELECT COALESCE(jsonb_agg(c.name ORDER BY c.name), '[]')
              FROM public.dist_connection_health h JOIN public.dist_connection c ON c.id = h.connection_id
             WHERE h.breaker_state = 'open' AND c.active AND c.state = 'active'),
        'dead_letters', (SELECT count(*) FROM (
            SELECT 1 FROM public.dist_dead_letter d WHERE d.state = 'open' LIMIT 10000) s),
        'dead_events', (SELECT count(*) FROM (
            SELECT 1 FROM public.dist_outbox_event e
             WHERE e.state IN ('dead', 'rejected') AND e.state = 'dead' LIMIT 10000) s),
        'dead_jobs', (SELECT count(*) FROM (
            SELECT 1 FROM public.dist_job j WHERE j.state IN ('dead', 'parked') AND j.state = 'dead' LIMIT 10000) s))
$$;
