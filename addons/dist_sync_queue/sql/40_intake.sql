-- What comes back: outcomes, events, ends of pulls, health. One transaction per call; a bad item is set aside.

-- What is wrong with one item, or NULL. Everything that is cast later is cast here first.
CREATE OR REPLACE FUNCTION dist_relay._check_item(p_item jsonb, p_database text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp
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
            WHEN jsonb_typeof(v->'payload') IS DISTINCT FROM 'object' THEN RETURN 'payload is missing';
            WHEN octet_length((v->'payload')::text) > 2200000 THEN RETURN 'payload is larger than 2000000 bytes';
            WHEN COALESCE(v->>'occurred_at', '') !~ v_moment OR (v->>'occurred_at')::timestamptz IS NULL THEN
                RETURN 'occurred_at must be a moment with its zone';
            WHEN COALESCE((v->>'priority')::int, 5) NOT BETWEEN 0 AND 9 THEN RETURN 'priority must be 0 to 9';
            WHEN v->>'correlation_id' !~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' THEN
                RETURN 'correlation_id is no traceparent';
            WHEN NOT EXISTS (SELECT 1 FROM dist_connection c WHERE c.ref = v->>'connection') THEN
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
            WHEN NOT EXISTS (SELECT 1 FROM dist_connection c WHERE c.ref = p_item->>'connection') THEN
                'connection is not known'
            END;
    END IF;
    RETURN 'kind is not known';
EXCEPTION
    WHEN data_exception THEN
        RETURN SQLERRM;
END $$;

-- Keep what cannot be taken in: bounded text, a job that tells somebody. Its event id counts as seen, so that one bad
-- order never holds back the cursor of its pull.
CREATE OR REPLACE FUNCTION dist_relay._dead_letter(p_item jsonb, p_raw text, p_reason text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    v_body jsonb := CASE p_item->>'kind' WHEN 'event' THEN p_item->'envelope' WHEN 'outcome' THEN p_item->'outcome'
                    ELSE p_item END;
    v_text text := COALESCE(p_raw, p_item::text);
    v_event_id text := lower(v_body->>'event_id');
    v_conn dist_connection%ROWTYPE;
    v_id int;
BEGIN
    IF v_event_id !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        v_event_id := NULL;
    END IF;
    IF p_item->>'kind' = 'event' AND v_event_id IS NOT NULL THEN
        INSERT INTO dist_relay.seen_event (event_id) VALUES (v_event_id::uuid) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RETURN;  -- came in before, well or not
        END IF;
    END IF;
    SELECT * INTO v_conn FROM dist_connection c WHERE c.ref = v_body->>'connection';
    INSERT INTO dist_dead_letter (kind, reason, raw, truncated, event_id, connection_id, company_id, correlation_id,
                                  created_at, state)
    VALUES (left(p_item->>'kind', 64), left(p_reason, 1000), left(v_text, 65536), length(v_text) > 65536, v_event_id,
            v_conn.id, v_conn.company_id, left(v_body->>'correlation_id', 64), dist_relay.utcnow(), 'open')
    RETURNING id INTO v_id;
    INSERT INTO dist_job (handler, payload, connection_id, company_id, priority, state, attempts, created_at, res_model,
                          res_id)
    VALUES ('dist.dead.letter:_report', jsonb_build_object('ids', jsonb_build_array(v_id)), v_conn.id,
            COALESCE(v_conn.company_id, (SELECT min(id) FROM res_company)), 5, 'pending', 0, dist_relay.utcnow(),
            'dist.dead.letter', v_id);
END $$;

-- Outcome jobs for settled events: always when rejected or dead, and when delivered where a report was asked for.
CREATE OR REPLACE FUNCTION dist_relay._queue_outcomes(p_ids int[]) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp
AS $$
    INSERT INTO dist_job (event_id, handler, payload, connection_id, company_id, lane, priority, key, state, attempts,
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
           e.correlation_id, dist_relay.utcnow(), dist_relay.utcnow(), e.res_model, e.res_id
      FROM dist_outbox_event e LEFT JOIN dist_event_route r ON r.handler = e.type || '#outcome'
     WHERE e.id = ANY (p_ids) AND (e.state IN ('rejected', 'dead') OR (e.state = 'delivered' AND e.report))
     ORDER BY e.relay_seq
$$;

CREATE OR REPLACE FUNCTION dist_relay._intake_events(p_items jsonb[], p_ordinals int[])
RETURNS TABLE (ordinal int, status text)
LANGUAGE sql SET search_path = public, pg_temp
AS $$
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
        INSERT INTO dist_job (event_id, handler, payload, connection_id, company_id, lane, priority, key, state, attempts,
                              max_attempts, correlation_id, occurred_at, created_at)
        SELECT a.event_id::text, a.v->>'type', a.v->'payload', c.id, c.company_id, r.lane,
               COALESCE(r.priority, (a.v->>'priority')::int, 5), a.v->>'key', 'pending', 0, r.max_attempts,
               a.v->>'correlation_id', (a.v->>'occurred_at')::timestamptz AT TIME ZONE 'UTC', dist_relay.utcnow()
          FROM arrived a
          JOIN fresh f ON f.event_id = a.event_id AND a.nth = 1
          JOIN dist_connection c ON c.ref = a.v->>'connection'
          LEFT JOIN dist_event_route r ON r.handler = a.v->>'type'
         ORDER BY a.ordinal
    )
    SELECT a.ordinal, CASE WHEN f.event_id IS NOT NULL AND a.nth = 1 THEN 'stored' ELSE 'duplicate' END
      FROM arrived a LEFT JOIN fresh f ON f.event_id = a.event_id
$$;

-- At most one outcome per event in one call of this; the caller splits repetitions.
CREATE OR REPLACE FUNCTION dist_relay._intake_outcomes(p_items jsonb[], p_ordinals int[])
RETURNS TABLE (ordinal int, status text)
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_now timestamp := dist_relay.utcnow();
    v_moved int[];
BEGIN
    PERFORM 1 FROM dist_outbox_event e
      WHERE e.event_id IN (SELECT lower(i->'outcome'->>'event_id') FROM unnest(p_items) AS i)
      ORDER BY e.id FOR UPDATE;
    RETURN QUERY
    WITH given AS MATERIALIZED (
        SELECT i.ordinal, lower(i.item->'outcome'->>'event_id') AS event_id, i.item->'outcome'->>'verdict' AS verdict,
               COALESCE((i.item->'outcome'->>'attempt')::int, 1) AS attempt,
               (i.item->'outcome'->>'version')::bigint AS version,
               left(i.item->'outcome'->>'code', 255) AS code, left(i.item->'outcome'->>'message', 4000) AS message,
               (i.item->'outcome'->>'retry_after')::double precision AS retry_after,
               NULLIF(NULLIF(i.item->'outcome'->'data', 'null'), '{}') AS data
          FROM unnest(p_items, p_ordinals) AS i (item, ordinal)
    ), judged AS MATERIALIZED (
        SELECT g.*, e.id, e.max_attempts, e.read_back,
               COALESCE(e.attempts, 0) + (g.verdict IN ('retry', 'unknown'))::int AS tried,
               CASE
                   WHEN e.id IS NULL THEN 'ignored'
                   WHEN e.publication <> g.attempt THEN 'stale'
                   WHEN g.version IS DISTINCT FROM e.version AND g.version IS NOT NULL THEN 'stale'
                   WHEN e.state = 'published'
                        OR (e.state = 'unknown' AND g.verdict IN ('delivered', 'rejected', 'broken')) THEN 'go'
                   WHEN e.state = CASE g.verdict WHEN 'broken' THEN 'dead' ELSE g.verdict END THEN 'duplicate'
                   ELSE 'stale'
               END AS judgement,
               -- a newer version was published meanwhile: this one counts no more, whatever became of it
               EXISTS (SELECT 1 FROM dist_relay.state_version v
                        WHERE e.kind = 'state' AND v.connection_id = e.connection_id AND v.type = e.type
                          AND v.key = e.key AND v.version > e.version) AS outdated
          FROM given g LEFT JOIN dist_outbox_event e ON e.event_id = g.event_id
    ), decided AS MATERIALIZED (
        SELECT j.*, CASE
                   WHEN j.outdated THEN 'cancelled'
                   WHEN j.verdict IN ('delivered', 'rejected') THEN j.verdict
                   WHEN j.verdict = 'broken' THEN 'dead'
                   WHEN j.verdict = 'snooze' THEN 'pending'
                   WHEN j.tried >= j.max_attempts THEN 'dead'
                   WHEN j.verdict = 'unknown' THEN 'unknown'
                   ELSE 'pending'
               END AS target
          FROM judged j WHERE j.judgement = 'go'
    ), moved AS (
        UPDATE dist_outbox_event e
           SET state = d.target, lease_until = NULL, attempts = d.tried,
               read_back = d.read_back OR d.verdict = 'unknown',
               next_try_at = CASE WHEN d.target IN ('pending', 'unknown') THEN v_now + make_interval(secs => COALESCE(
                   CASE WHEN d.retry_after IS NOT NULL THEN LEAST(d.retry_after, 86400) END, CASE d.verdict WHEN 'snooze' THEN 60
                                  WHEN 'unknown' THEN LEAST(600, 15 * 2 ^ LEAST(d.tried - 1, 10))
                                  ELSE 0.2 + random() * LEAST(3600, 5 * 2 ^ LEAST(d.tried, 12)) END)) END,
               settled_at = CASE WHEN d.target NOT IN ('pending', 'unknown') THEN v_now END,
               outcome_code = COALESCE(d.code, CASE WHEN d.target = 'cancelled' THEN 'superseded'
                                                    WHEN d.target = 'dead' AND d.verdict <> 'broken' THEN 'exhausted' END),
               outcome_message = d.message, outcome_data = d.data
          FROM decided d WHERE e.id = d.id
        RETURNING e.id
    )
    SELECT j.ordinal, CASE WHEN j.judgement <> 'go' THEN j.judgement
                           WHEN j.outdated THEN 'stale'
                           WHEN d.target IN ('pending', 'unknown') THEN 'released' ELSE 'settled' END
      FROM judged j LEFT JOIN decided d ON d.ordinal = j.ordinal LEFT JOIN moved m ON m.id = d.id;
    -- rows this call settled have its settled_at
    SELECT array_agg(e.id) INTO v_moved FROM dist_outbox_event e
     WHERE e.event_id IN (SELECT lower(i->'outcome'->>'event_id') FROM unnest(p_items) AS i) AND e.settled_at = v_now;
    PERFORM dist_relay._queue_outcomes(v_moved);
    PERFORM dist_relay._note_outcomes(v_moved, v_now);
END $$;

-- Last success and last error of the connections.
CREATE OR REPLACE FUNCTION dist_relay._note_outcomes(p_ids int[], p_now timestamp) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp
AS $$
    INSERT INTO dist_connection_health AS h (connection_id, breaker_state, last_success_at, last_error, last_error_at)
    SELECT e.connection_id, 'closed', max(p_now) FILTER (WHERE e.state = 'delivered'),
           (array_agg(COALESCE(e.outcome_message, e.outcome_code) ORDER BY e.id DESC)
               FILTER (WHERE e.state IN ('rejected', 'dead')))[1],
           max(p_now) FILTER (WHERE e.state IN ('rejected', 'dead'))
      FROM dist_outbox_event e WHERE e.id = ANY (p_ids) GROUP BY e.connection_id ORDER BY e.connection_id
    ON CONFLICT (connection_id) DO UPDATE
       SET last_success_at = COALESCE(EXCLUDED.last_success_at, h.last_success_at),
           last_error = CASE WHEN EXCLUDED.last_error_at IS NULL THEN h.last_error ELSE EXCLUDED.last_error END,
           last_error_at = COALESCE(EXCLUDED.last_error_at, h.last_error_at)
$$;

CREATE OR REPLACE FUNCTION dist_relay._intake_pull(p_item jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    v_now timestamp := dist_relay.utcnow();
    v_run dist_connection_schedule%ROWTYPE;
    v_pause double precision;
BEGIN
    SELECT * INTO v_run FROM dist_connection_schedule s WHERE s.run_id = p_item->>'run_id' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'stale';
    END IF;
    v_pause := v_run.interval_seconds * 2 ^ LEAST(COALESCE(v_run.failures, 0), 6);
    IF p_item->>'kind' = 'pull_failed' THEN
        v_pause := COALESCE((p_item->>'retry_after')::double precision,
                            CASE p_item->>'verdict' WHEN 'broken' THEN GREATEST(900, v_pause) ELSE LEAST(3600, v_pause) END);
        UPDATE dist_connection_schedule s
           SET run_id = NULL, run_deadline = NULL, last_run_at = v_now,
               last_result = left(COALESCE(p_item->>'message', p_item->>'verdict'), 1000),
               failures = COALESCE(s.failures, 0) + (p_item->>'verdict' <> 'snooze')::int,
               next_run_at = v_now + make_interval(secs => LEAST(86400, v_pause))
         WHERE s.id = v_run.id;
        INSERT INTO dist_connection_health AS h (connection_id, breaker_state, last_error, last_error_at)
        VALUES (v_run.connection_id, 'closed', left(COALESCE(p_item->>'message', p_item->>'verdict'), 4000), v_now)
        ON CONFLICT (connection_id) DO UPDATE
           SET last_error = EXCLUDED.last_error, last_error_at = EXCLUDED.last_error_at;
        RETURN 'released';
    END IF;
    IF EXISTS (SELECT 1 FROM jsonb_array_elements_text(COALESCE(p_item->'event_ids', '[]')) AS i (event_id)
                WHERE NOT EXISTS (SELECT 1 FROM dist_relay.seen_event s WHERE s.event_id = i.event_id::uuid)) THEN
        UPDATE dist_connection_schedule s
           SET run_id = NULL, run_deadline = NULL, last_run_at = v_now, last_result = 'not all of it arrived; asked again',
               failures = COALESCE(s.failures, 0) + 1,
               next_run_at = v_now + make_interval(secs => LEAST(s.interval_seconds, 5 * COALESCE(s.failures, 0)))
         WHERE s.id = v_run.id;
        RETURN 'incomplete';
    END IF;
    UPDATE dist_connection_schedule s
       SET run_id = NULL, run_deadline = NULL, last_run_at = v_now, last_success_at = v_now, last_result = 'ok',
           failures = 0, last_count = jsonb_array_length(COALESCE(p_item->'event_ids', '[]')),
           cursor = COALESCE(NULLIF(p_item->'cursor', 'null'), s.cursor),
           -- a "run now" asked for while this run was under way stays due
           next_run_at = CASE WHEN p_item->>'more' = 'true' OR s.next_run_at > s.run_started_at
                              THEN LEAST(v_now, s.next_run_at)
                              ELSE GREATEST(v_now, s.run_started_at + make_interval(secs => s.interval_seconds)) END
     WHERE s.id = v_run.id;
    INSERT INTO dist_connection_health AS h (connection_id, breaker_state, last_success_at)
    VALUES (v_run.connection_id, 'closed', v_now)
    ON CONFLICT (connection_id) DO UPDATE SET last_success_at = EXCLUDED.last_success_at;
    RETURN 'advanced';
END $$;

CREATE OR REPLACE FUNCTION dist_relay._intake_health(p_item jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO dist_connection_health AS h (connection_id, breaker_state, breaker_at, message)
    SELECT c.id, p_item->>'breaker', (p_item->>'at')::timestamptz AT TIME ZONE 'UTC', left(p_item->>'message', 4000)
      FROM dist_connection c WHERE c.ref = p_item->>'connection'
    ON CONFLICT (connection_id) DO UPDATE
       SET breaker_state = EXCLUDED.breaker_state, breaker_at = EXCLUDED.breaker_at, message = EXCLUDED.message
     WHERE h.breaker_at IS NULL OR h.breaker_at <= EXCLUDED.breaker_at;
    RETURN CASE WHEN FOUND THEN 'stored' ELSE 'stale' END;
END $$;

-- The whole array; raises when PostgreSQL refuses something the checks let through.
CREATE OR REPLACE FUNCTION dist_relay._intake_all(p_items jsonb[], p_raw text[], p_ordinals int[])
RETURNS TABLE (ordinal int, status text)
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_database CONSTANT text := dist_relay.database_uuid();
    v_problems text[] := ARRAY(SELECT COALESCE(dist_relay._check_item(i, v_database), '') FROM unnest(p_items) AS i);
    v_items jsonb[];
    v_ordinals int[];
    v_nth bigint;
    v_position int;
BEGIN
    FOR v_position IN 1 .. cardinality(p_items) LOOP
        IF v_problems[v_position] <> '' THEN
            PERFORM dist_relay._dead_letter(p_items[v_position], p_raw[v_position], v_problems[v_position]);
            ordinal := p_ordinals[v_position]; status := 'invalid';
            RETURN NEXT;
        END IF;
    END LOOP;
    SELECT array_agg(i.item ORDER BY i.ordinal), array_agg(i.ordinal ORDER BY i.ordinal) INTO v_items, v_ordinals
      FROM unnest(p_items, p_ordinals, v_problems) AS i (item, ordinal, problem)
     WHERE i.problem = '' AND i.item->>'kind' = 'event';
    IF v_items IS NOT NULL THEN
        RETURN QUERY SELECT * FROM dist_relay._intake_events(v_items, v_ordinals);
    END IF;
    FOR v_nth, v_items, v_ordinals IN
        SELECT o.nth, array_agg(o.item ORDER BY o.ordinal), array_agg(o.ordinal ORDER BY o.ordinal)
          FROM (SELECT i.item, i.ordinal, row_number() OVER (
                           PARTITION BY lower(i.item->'outcome'->>'event_id') ORDER BY i.ordinal) AS nth
                  FROM unnest(p_items, p_ordinals, v_problems) AS i (item, ordinal, problem)
                 WHERE i.problem = '' AND i.item->>'kind' = 'outcome') o
         GROUP BY o.nth ORDER BY o.nth
    LOOP
        RETURN QUERY SELECT * FROM dist_relay._intake_outcomes(v_items, v_ordinals);
    END LOOP;
    FOR v_position IN 1 .. cardinality(p_items) LOOP
        CONTINUE WHEN v_problems[v_position] <> '' OR p_items[v_position]->>'kind' IN ('event', 'outcome');
        ordinal := p_ordinals[v_position];
        status := CASE p_items[v_position]->>'kind' WHEN 'health' THEN dist_relay._intake_health(p_items[v_position])
                  ELSE dist_relay._intake_pull(p_items[v_position]) END;
        RETURN NEXT;
    END LOOP;
END $$;

-- As a whole; where that fails for the data's sake, one by one, and what fails alone becomes a dead letter. Errors that
-- are not the data's (deadlock, disk full, a schema of another version) are raised: the relay tries again later.
CREATE OR REPLACE FUNCTION dist_relay._intake_isolated(p_items jsonb[], p_raw text[], p_ordinals int[])
RETURNS TABLE (ordinal int, status text)
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_middle int := cardinality(p_items) / 2;
BEGIN
    BEGIN
        RETURN QUERY SELECT * FROM dist_relay._intake_all(p_items, p_raw, p_ordinals);
        RETURN;
    EXCEPTION
        WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded OR raise_exception THEN
            IF v_middle = 0 THEN
                PERFORM dist_relay._dead_letter(p_items[1], p_raw[1], SQLERRM);
                ordinal := p_ordinals[1]; status := 'invalid';
                RETURN NEXT;
                RETURN;
            END IF;
    END;
    RETURN QUERY SELECT * FROM dist_relay._intake_isolated(p_items[:v_middle], p_raw[:v_middle], p_ordinals[:v_middle]);
    RETURN QUERY SELECT * FROM dist_relay._intake_isolated(
        p_items[v_middle + 1:], p_raw[v_middle + 1:], p_ordinals[v_middle + 1:]);
END $$;

CREATE OR REPLACE FUNCTION dist_relay.intake(p_items jsonb) RETURNS TABLE (ordinal int, status text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_items jsonb[];
BEGIN
    IF jsonb_typeof(p_items) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'intake takes a JSON array of items' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    v_items := ARRAY(SELECT value FROM jsonb_array_elements(p_items));
    IF cardinality(v_items) > 0 THEN
        RETURN QUERY SELECT * FROM dist_relay._intake_isolated(
            v_items, array_fill(NULL::text, ARRAY[cardinality(v_items)]), ARRAY(SELECT generate_series(1, cardinality(v_items))));
        PERFORM pg_notify('dist_job', '');
    END IF;
END $$;

-- For items PostgreSQL may not even read as JSON (a NUL character in a note): each is text, the unreadable are set aside.
CREATE OR REPLACE FUNCTION dist_relay._try_jsonb(p_text text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = public, pg_temp
AS $$
BEGIN
    RETURN p_text::jsonb;
EXCEPTION
    WHEN data_exception THEN
        BEGIN
            RETURN regexp_replace(p_text, '(?<!\\)((\\\\)*)\\u0000', '\1\\ufffd', 'g')::jsonb;
        EXCEPTION
            WHEN data_exception THEN RETURN NULL;
        END;
END $$;

CREATE OR REPLACE FUNCTION dist_relay.intake_raw(p_items text[]) RETURNS TABLE (ordinal int, status text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF COALESCE(cardinality(p_items), 0) > 0 THEN
        RETURN QUERY SELECT * FROM dist_relay._intake_isolated(
            ARRAY(SELECT dist_relay._try_jsonb(i) FROM unnest(p_items) AS i), p_items,
            ARRAY(SELECT generate_series(1, cardinality(p_items))));
        PERFORM pg_notify('dist_job', '');
    END IF;
END $$;
