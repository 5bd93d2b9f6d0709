-- Ends of pulls: the cursor moves when all that was announced is stored; a failure pauses its schedule.

-- Seconds until a failed pull is tried again, p_failures failures being counted before this one. What may pass by itself
-- is tried soon and ever less often, at a random time, so that many connections do not come back together.
CREATE OR REPLACE FUNCTION dist_relay._pull_pause(
    p_verdict text, p_retry_after double precision, p_interval int, p_failures int)
RETURNS double precision
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT LEAST(86400, CASE
        WHEN p_retry_after IS NOT NULL THEN GREATEST(p_retry_after, 0.2)
        WHEN p_verdict = 'snooze' THEN 60
        WHEN p_verdict = 'broken' THEN GREATEST(900, p_interval)
        ELSE 0.2 + random() * LEAST(GREATEST(p_interval, 60), LEAST(p_interval, 5) * 2 ^ LEAST(p_failures, 20)) END)
$$;

-- When a pull that somebody asked for, and that did not come to its end, is due again. By its schedule where that is not
-- paused; otherwise it stays asked for, unless it is no use to insist.
CREATE OR REPLACE FUNCTION dist_relay._asked_again(
    p_run public.dist_connection_schedule, p_verdict text, p_next timestamp)
RETURNS timestamp
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN p_run.pull_asked_at IS NOT NULL AND NOT p_run.active AND p_verdict <> 'broken'
                THEN p_next END
$$;

-- Which events of pulls must not be stored: those whose run is over, and those before which others of their run are
-- missing (Redis lost them, or another pump has yet to store them): an event of the same key might be among these. The
-- run is then found incomplete and asked for again. The worker numbers the events of a run from 0; where another takes
-- the run over, it reads anew, and the name of its reading is larger (it begins with the time). Events without a run (of
-- an older relay) are not looked at.
-- One call at a time has a run, in the order of the schedules' ids, so that two calls wait for each other and never
-- deadlock. The schedule itself is only kept from changing: nobody who writes to it is refused, he waits.
CREATE OR REPLACE FUNCTION dist_relay._out_of_turn(p_items jsonb[], p_ordinals int[]) RETURNS int[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_runs CONSTANT text[] := ARRAY(SELECT DISTINCT i->>'run_id' FROM unnest(p_items) AS i WHERE i->>'run_id' IS NOT NULL);
    v_refused int[] := '{}';
    v_schedule int;
    v_run text;
    v_reading text;
    v_stored int;
    v_one record;
BEGIN
    IF cardinality(v_runs) = 0 THEN
        RETURN v_refused;
    END IF;
    INSERT INTO dist_relay.pull_run (schedule_id)
    SELECT s.id FROM public.dist_connection_schedule s WHERE s.run_id = ANY (v_runs) ORDER BY s.id ON CONFLICT DO NOTHING;
    PERFORM FROM dist_relay.pull_run r JOIN public.dist_connection_schedule s ON s.id = r.schedule_id
      WHERE s.run_id = ANY (v_runs) ORDER BY s.id FOR UPDATE OF r;
    PERFORM FROM public.dist_connection_schedule s WHERE s.run_id = ANY (v_runs) ORDER BY s.id FOR SHARE;
    FOR v_one IN
        SELECT i.ordinal, i.item->>'run_id' AS run, i.item->>'reading' AS reading,
               CASE WHEN i.item->>'nth' ~ '^[0-9]{1,9}$' THEN (i.item->>'nth')::int END AS nth
          FROM unnest(p_items, p_ordinals) AS i (item, ordinal)
         WHERE i.item->>'kind' IN ('event', 'invalid') AND i.item->>'run_id' IS NOT NULL ORDER BY 2, 1
    LOOP
        IF v_run IS DISTINCT FROM v_one.run THEN
            PERFORM dist_relay._set_pull_run(v_schedule, v_run, v_reading, v_stored);
            v_run := v_one.run;
            SELECT s.id, CASE WHEN r.run_id = v_run THEN r.reading END, CASE WHEN r.run_id = v_run THEN r.stored ELSE 0 END
              INTO v_schedule, v_reading, v_stored
              FROM public.dist_connection_schedule s JOIN dist_relay.pull_run r ON r.schedule_id = s.id
             WHERE s.run_id = v_run;
        END IF;
        IF v_schedule IS NOT NULL AND v_one.nth = 0 AND v_one.reading > COALESCE(v_reading, '') THEN
            v_reading := v_one.reading;
            v_stored := 1;
        ELSIF v_schedule IS NULL OR v_reading IS DISTINCT FROM v_one.reading OR v_one.nth > v_stored THEN
            v_refused := v_refused || v_one.ordinal;
        ELSE
            v_stored := GREATEST(v_stored, v_one.nth + 1);
        END IF;
    END LOOP;
    PERFORM dist_relay._set_pull_run(v_schedule, v_run, v_reading, v_stored);
    RETURN v_refused;
END $$;

CREATE OR REPLACE FUNCTION dist_relay._set_pull_run(p_schedule int, p_run text, p_reading text, p_stored int) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE dist_relay.pull_run SET run_id = p_run, reading = p_reading, stored = p_stored WHERE schedule_id = p_schedule
$$;

CREATE OR REPLACE FUNCTION dist_relay._intake_pull(p_item jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := dist_relay.utcnow();
    v_run public.dist_connection_schedule%ROWTYPE;
    v_more boolean := p_item->>'more' = 'true';
    v_interval int;
    v_asked timestamp;
    v_next timestamp;
BEGIN
    SELECT * INTO v_run FROM public.dist_connection_schedule s WHERE s.run_id = p_item->>'run_id' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'stale';
    END IF;
    -- what was asked for while this run was under way stays asked: what it failed for may be mended
    v_asked := CASE WHEN v_run.pull_asked_at > v_run.run_started_at THEN v_run.pull_asked_at END;
    v_interval := CASE WHEN v_run.cron_fields IS NULL THEN v_run.interval_seconds ELSE 300 END;
    IF p_item->>'kind' = 'pull_failed' THEN
        v_next := v_now + make_interval(secs => dist_relay._pull_pause(
            p_item->>'verdict', (p_item->>'retry_after')::double precision, v_interval, COALESCE(v_run.failures, 0)));
        UPDATE public.dist_connection_schedule s
           SET run_id = NULL, run_deadline = NULL, last_run_at = v_now, next_run_at = v_next,
               pull_asked_at = COALESCE(v_asked, dist_relay._asked_again(v_run, p_item->>'verdict', v_next)),
               last_result = left(COALESCE(p_item->>'message', p_item->>'verdict'), 1000),
               failures = COALESCE(s.failures, 0) + (p_item->>'verdict' <> 'snooze')::int
         WHERE s.id = v_run.id;
        IF p_item->>'code' = 'credentials' OR p_item->>'verdict' = 'broken'
           OR (p_item->>'verdict' = 'retry' AND COALESCE(v_run.failures, 0) + 1 = 3) THEN
            PERFORM dist_relay._queue_report('dist.connection.schedule', v_run.id, v_run.connection_id);
        END IF;
        INSERT INTO public.dist_connection_health AS h (connection_id, breaker_state, last_error, last_error_at)
        VALUES (v_run.connection_id, 'closed', left(COALESCE(p_item->>'message', p_item->>'verdict'), 4000), v_now)
        ON CONFLICT (connection_id) DO UPDATE
           SET last_error = EXCLUDED.last_error, last_error_at = EXCLUDED.last_error_at;
        RETURN 'released';
    END IF;
    IF EXISTS (SELECT 1 FROM jsonb_array_elements_text(COALESCE(p_item->'event_ids', '[]')) AS i (event_id)
                WHERE NOT EXISTS (SELECT 1 FROM dist_relay.seen_event s WHERE s.event_id = i.event_id::uuid)) THEN
        v_next := v_now + make_interval(secs => LEAST(v_interval, 5 * COALESCE(v_run.failures, 0)));
        UPDATE public.dist_connection_schedule s
           SET run_id = NULL, run_deadline = NULL, last_run_at = v_now, last_result = 'not all of it arrived; asked again',
               failures = COALESCE(s.failures, 0) + 1, next_run_at = v_next,
               pull_asked_at = COALESCE(v_asked, dist_relay._asked_again(v_run, 'retry', v_next))
         WHERE s.id = v_run.id;
        RETURN 'incomplete';
    END IF;
    UPDATE public.dist_connection_schedule s
       SET run_id = NULL, run_deadline = NULL, last_run_at = v_now, last_success_at = v_now, last_result = 'ok',
           failures = 0, last_count = jsonb_array_length(COALESCE(p_item->'event_ids', '[]')),
           cursor = COALESCE(NULLIF(p_item->'cursor', 'null'), s.cursor),
           -- the rest of a pull that was asked for by hand is asked for, too
           pull_asked_at = COALESCE(v_asked, CASE WHEN v_more AND NOT s.active THEN v_now END),
           next_run_at = CASE WHEN v_more THEN v_now
                              WHEN s.cron_fields IS NULL
                              THEN GREATEST(v_now, dist_relay._planned(s, s.run_started_at))
                              ELSE dist_relay._planned(s, v_now) END
     WHERE s.id = v_run.id;
    INSERT INTO public.dist_connection_health AS h (connection_id, breaker_state, last_success_at)
    VALUES (v_run.connection_id, 'closed', v_now)
    ON CONFLICT (connection_id) DO UPDATE SET last_success_at = EXCLUDED.last_success_at;
    IF EXISTS (SELECT 1 FROM public.dist_exception x
                WHERE x.kind = 'pull.failed' AND x.res_id = v_run.id AND x.state = 'open') THEN
        PERFORM dist_relay._queue_report('dist.connection.schedule', v_run.id, v_run.connection_id);
    END IF;
    RETURN 'advanced';
END $$;
