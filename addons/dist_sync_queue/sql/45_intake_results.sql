-- Outcomes, item by item.

-- At most one outcome per event in one call of this; the caller splits repetitions.
CREATE OR REPLACE FUNCTION dist_relay._intake_outcomes(p_items jsonb[], p_ordinals int[])
RETURNS TABLE (ordinal int, status text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_now timestamp := dist_relay.utcnow();
    v_moved int[];
BEGIN
    PERFORM 1 FROM public.dist_outbox_event e
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
          FROM given g LEFT JOIN public.dist_outbox_event e ON e.event_id = g.event_id
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
        UPDATE public.dist_outbox_event e
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
    SELECT array_agg(e.id) INTO v_moved FROM public.dist_outbox_event e
     WHERE e.event_id IN (SELECT lower(i->'outcome'->>'event_id') FROM unnest(p_items) AS i) AND e.settled_at = v_now;
    PERFORM dist_relay._queue_outcomes(v_moved);
    PERFORM dist_relay._note_outcomes(v_moved, v_now);
    -- refused credentials are told; what is settled may have been the last that waited for them
    IF EXISTS (SELECT 1 FROM unnest(p_items) AS i WHERE i->'outcome'->>'code' = 'credentials')
       OR EXISTS (SELECT 1 FROM public.dist_exception x WHERE x.kind = 'connection.credentials' AND x.state = 'open') THEN
        PERFORM dist_relay._queue_report('dist.connection', e.connection_id, e.connection_id)
           FROM public.dist_outbox_event e
          WHERE e.event_id IN (SELECT lower(i->'outcome'->>'event_id') FROM unnest(p_items) AS i)
            AND (e.state = 'pending' AND e.outcome_code = 'credentials'
                 OR e.settled_at = v_now AND EXISTS (
                     SELECT 1 FROM public.dist_exception x WHERE x.kind = 'connection.credentials' AND x.state = 'open'
                        AND x.connection_id = e.connection_id))
          GROUP BY e.connection_id;
    END IF;
END $$;

-- Last success and last error of the connections.
CREATE OR REPLACE FUNCTION dist_relay._note_outcomes(p_ids int[], p_now timestamp) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO public.dist_connection_health AS h (connection_id, breaker_state, last_success_at, last_error, last_error_at)
    SELECT e.connection_id, 'closed', max(p_now) FILTER (WHERE e.state = 'delivered'),
           (array_agg(COALESCE(e.outcome_message, e.outcome_code) ORDER BY e.id DESC)
               FILTER (WHERE e.state IN ('rejected', 'dead')))[1],
           max(p_now) FILTER (WHERE e.state IN ('rejected', 'dead'))
      FROM public.dist_outbox_event e WHERE e.id = ANY (p_ids) GROUP BY e.connection_id ORDER BY e.connection_id
    ON CONFLICT (connection_id) DO UPDATE
       SET last_success_at = COALESCE(EXCLUDED.last_success_at, h.last_success_at),
           last_error = CASE WHEN EXCLUDED.last_error_at IS NULL THEN h.last_error ELSE EXCLUDED.last_error END,
           last_error_at = COALESCE(EXCLUDED.last_error_at, h.last_error_at)
$$;
