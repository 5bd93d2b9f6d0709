-- Schedules of connections: when a pull is due, and giving it out. All of it is decided here, so that pulls go on by
-- interval or cron expression while Odoo is down for days, whatever the version of the relay.

-- The first moment (UTC) after p_after at which a cron expression comes true in a time zone. p_fields are the values of
-- its fields as engine/timing.py parses them: null where all fit. The rules for changed clocks are the same there; a
-- test compares both.
CREATE OR REPLACE FUNCTION dist_relay._cron_next(p_fields jsonb, p_tz text, p_after timestamp) RETURNS timestamp
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_minutes int[] := ARRAY(SELECT jsonb_array_elements_text(NULLIF(p_fields->'minutes', 'null'))::int);
    v_hours int[] := ARRAY(SELECT jsonb_array_elements_text(NULLIF(p_fields->'hours', 'null'))::int);
    v_days int[] := ARRAY(SELECT jsonb_array_elements_text(NULLIF(p_fields->'days', 'null'))::int);
    v_months int[] := ARRAY(SELECT jsonb_array_elements_text(NULLIF(p_fields->'months', 'null'))::int);
    v_weekdays int[] := ARRAY(SELECT jsonb_array_elements_text(NULLIF(p_fields->'weekdays', 'null'))::int);
    v_last boolean := (p_fields->>'last')::boolean;
    v_by_day boolean := jsonb_typeof(p_fields->'days') = 'array';
    v_by_weekday boolean := jsonb_typeof(p_fields->'weekdays') = 'array';
    v_hourly boolean := (p_fields->>'hourly')::boolean;
    v_day date := ((p_after AT TIME ZONE 'UTC') AT TIME ZONE p_tz)::date - 1;
    v_next timestamp;
    v_on_day boolean;
    v_on_weekday boolean;
BEGIN
    IF jsonb_typeof(p_fields->'minutes') IS DISTINCT FROM 'array' THEN
        v_minutes := ARRAY(SELECT generate_series(0, 59));
    END IF;
    IF jsonb_typeof(p_fields->'hours') IS DISTINCT FROM 'array' THEN
        v_hours := ARRAY(SELECT generate_series(0, 23));
    END IF;
    FOR v_step IN 1 .. 366 * 9 LOOP  -- 29 February may be eight years away
        v_on_day := EXTRACT(day FROM v_day)::int = ANY (v_days)
                    OR (v_last AND EXTRACT(day FROM v_day + 1) = 1);
        v_on_weekday := EXTRACT(dow FROM v_day)::int = ANY (v_weekdays);
        IF (cardinality(v_months) = 0 OR EXTRACT(month FROM v_day)::int = ANY (v_months))
           AND (CASE WHEN v_by_day AND v_by_weekday THEN v_on_day OR v_on_weekday
                     WHEN v_by_day THEN v_on_day
                     WHEN v_by_weekday THEN v_on_weekday ELSE true END)
        THEN
            SELECT min(m.moment) INTO v_next
              FROM unnest(v_hours) AS h (hour) CROSS JOIN unnest(v_minutes) AS i (minute)
             CROSS JOIN LATERAL (SELECT v_day + make_interval(hours => h.hour, mins => i.minute) AS local) l
                -- of a time that comes twice PostgreSQL takes the second reading, of a missing one the one put forward
             CROSS JOIN LATERAL (SELECT (l.local AT TIME ZONE p_tz) AT TIME ZONE 'UTC' AS late) r
             CROSS JOIN LATERAL (
                   SELECT l.local - (((r.late - interval '3 hours') AT TIME ZONE 'UTC') AT TIME ZONE p_tz
                                     - (r.late - interval '3 hours')) AS early) e
             CROSS JOIN LATERAL (
                   SELECT e.early AS moment WHERE (e.early AT TIME ZONE 'UTC') AT TIME ZONE p_tz = l.local
                   UNION ALL
                   SELECT r.late WHERE v_hourly OR (e.early AT TIME ZONE 'UTC') AT TIME ZONE p_tz <> l.local) m
             WHERE m.moment > p_after;
            IF v_next IS NOT NULL THEN
                RETURN v_next;
            END IF;
        END IF;
        v_day := v_day + 1;
    END LOOP;
    RETURN NULL;
END $$;

-- When a schedule is due again after p_after, had nothing gone wrong. Jitter: a cron schedule is always put off by the
-- same part of it (its own, of connection and capability), an interval by a new part each time.
CREATE OR REPLACE FUNCTION dist_relay._planned(p_schedule public.dist_connection_schedule, p_after timestamp)
RETURNS timestamp
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_jitter int := GREATEST(0, COALESCE(p_schedule.jitter_seconds, 0));
    v_seed text;
    v_offset interval;
    v_fields jsonb := NULLIF(p_schedule.cron_fields, 'null');
BEGIN
    IF v_fields IS NULL THEN
        RETURN p_after + make_interval(secs => p_schedule.interval_seconds + random() * v_jitter);
    END IF;
    v_seed := md5(p_schedule.connection_id || '/' || p_schedule.capability);
    v_offset := make_interval(secs => ('x' || substr(v_seed, 1, 8))::bit(32)::bigint % (v_jitter + 1));
    RETURN COALESCE(
        dist_relay._cron_next(v_fields, COALESCE(p_schedule.tz, 'UTC'), p_after - v_offset) + v_offset,
        p_after + make_interval(secs => p_schedule.interval_seconds));
EXCEPTION
    WHEN invalid_parameter_value THEN  -- a time zone this PostgreSQL does not have (any more): pulls go on, in UTC
        RETURN dist_relay._cron_next(v_fields, 'UTC', p_after - v_offset) + v_offset;
END $$;

CREATE OR REPLACE FUNCTION dist_relay.claim_pulls(p_limit int)
RETURNS TABLE (seq bigint, run_id text, connection text, capability text, cursor jsonb, correlation_id text,
               deadline timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_now timestamp := dist_relay.utcnow();
BEGIN
    IF NOT dist_relay.may_publish() THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT s.id,
               -- planned for a time that has passed while nobody was there, and not to be made up for
               s.catch_up = 'skip' AND s.cron_fields IS NOT NULL AND s.pull_asked_at IS NULL AND s.run_id IS NULL
                   AND COALESCE(s.failures, 0) = 0 AND s.next_run_at < v_now - interval '300 seconds' AS missed
          FROM public.dist_connection_schedule s JOIN public.dist_connection c ON c.id = s.connection_id
         WHERE (s.active AND s.next_run_at <= v_now OR s.pull_asked_at <= v_now)
           AND c.active AND c.state = 'active' AND (s.run_id IS NULL OR s.run_deadline <= v_now)
         ORDER BY s.next_run_at LIMIT p_limit FOR UPDATE OF s SKIP LOCKED
    ), passed AS (
        UPDATE public.dist_connection_schedule s SET next_run_at = dist_relay._planned(s, v_now)
          FROM due WHERE s.id = due.id AND due.missed
    ), started AS (
        UPDATE public.dist_connection_schedule s
           SET last_result = CASE WHEN s.run_id IS NULL THEN s.last_result ELSE 'not answered in time' END,
               run_id = gen_random_uuid()::text, run_started_at = v_now,
               run_deadline = v_now + make_interval(secs => s.timeout_seconds)
          FROM due WHERE s.id = due.id AND due.missed IS NOT TRUE
        RETURNING s.*
    )
    SELECT nextval('dist_relay.relay_seq'), s.run_id::text, c.ref::text, s.capability::text, s.cursor,
           '00-' || replace(gen_random_uuid()::text, '-', '') || '-' ||
               substr(replace(gen_random_uuid()::text, '-', ''), 1, 16) || '-01',
           s.run_deadline AT TIME ZONE 'UTC'
      FROM started s JOIN public.dist_connection c ON c.id = s.connection_id;
END $$;
