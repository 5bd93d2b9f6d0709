-- Outcomes. As with the claim no plan may depend on the size the planner believes of the outbox.

-- At most one outcome per event in one call of this; the caller splits repetitions. Rows are locked in order of their id
-- by a statement of its own, so that the next one sees them as they are.
CREATE OR REPLACE FUNCTION dist_relay._intake_outcomes(p_items jsonb[], p_ordinals int[])
RETURNS TABLE (ordinal int, status text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    v_now timestamp := dist_relay.utcnow();
    v_ids int[];
    v_ordinals int[];
    v_statuses text[];
    v_told int[];
    v_failed int[];
    v_delivered int[];
    v_asked_again int[];
    v_settled int[];
BEGIN
    v_ids := ARRAY(SELECT e.id FROM public.dist_outbox_event e
        WHERE e.event_id = ANY (ARRAY(SELECT lower(i->'outcome'->>'event_id') FROM unnest(p_items) AS i)));
    PERFORM 1 FROM public.dist_outbox_event e WHERE e.id = ANY (v_ids) ORDER BY e.id FOR UPDATE;
    WITH given AS MATERIALIZED (
        SELECT i.ordinal, lower(o.body->>'event_id') AS event_id, o.body->>'verdict' AS verdict,
               COALESCE((o.body->>'attempt')::int, 1) AS attempt, (o.body->>'version')::bigint AS version,
               left(o.body->>'code', 255) AS code, left(o.body->>'message', 4000) AS message,
               (o.body->>'retry_after')::double precision AS retry_after,
               NULLIF(NULLIF(o.body->'data', 'null'), '{}') AS data,
               -- whoever answers knows that an earlier attempt may have acted, whatever became of this one
               COALESCE(i.item->'read_back' = 'true', false) AS may_have_acted
          FROM unnest(p_items, p_ordinals) AS i (item, ordinal) CROSS JOIN LATERAL (SELECT i.item->'outcome' AS body) o
    ), judged AS MATERIALIZED (
        SELECT g.*, e.id, e.connection_id, e.max_attempts, e.read_back, e.report,
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
               e.kind = 'state' AND EXISTS (
                   SELECT 1 FROM dist_relay.state_version v
                    WHERE v.connection_id = e.connection_id AND v.type = e.type AND v.key = e.key
                      AND v.version > e.version) AS outdated
          -- row by row through the index, whatever the planner believes about a table that grows this fast
          FROM given g LEFT JOIN LATERAL (
               SELECT * FROM public.dist_outbox_event o WHERE o.event_id = g.event_id LIMIT 1) e ON true
    ), decided AS MATERIALIZED (
        SELECT j.*, CASE
                   WHEN j.judgement <> 'go' THEN NULL
                   WHEN j.outdated THEN 'cancelled'
                   WHEN j.verdict IN ('delivered', 'rejected') THEN j.verdict
                   WHEN j.verdict = 'broken' THEN 'dead'
                   WHEN j.verdict = 'snooze' THEN 'pending'
                   WHEN j.tried >= j.max_attempts THEN 'dead'
                   WHEN j.verdict = 'unknown' THEN 'unknown'
                   ELSE 'pending'
               END AS target
          FROM judged j
    ), moved AS (
        UPDATE public.dist_outbox_event e
           SET state = d.target, lease_until = NULL, attempts = d.tried,
               read_back = d.read_back OR d.may_have_acted OR d.verdict = 'unknown',
               next_try_at = CASE WHEN d.target IN ('pending', 'unknown') THEN v_now + make_interval(secs => COALESCE(
                   CASE WHEN d.retry_after IS NOT NULL THEN LEAST(d.retry_after, 86400) END, CASE d.verdict WHEN 'snooze' THEN 60
                                  WHEN 'unknown' THEN LEAST(600, 15 * 2 ^ LEAST(d.tried - 1, 10))
                                  ELSE 0.2 + random() * LEAST(3600, 5 * 2 ^ LEAST(d.tried, 12)) END)) END,
               settled_at = CASE WHEN d.target NOT IN ('pending', 'unknown') THEN v_now END,
               outcome_code = COALESCE(d.code, CASE WHEN d.target = 'cancelled' THEN 'superseded'
                                                    WHEN d.target = 'dead' AND d.verdict <> 'broken' THEN 'exhausted' END),
               outcome_message = d.message, outcome_data = d.data
          FROM decided d WHERE e.id = ANY (v_ids) AND e.id = d.id AND d.target IS NOT NULL
    )
    SELECT array_agg(d.ordinal), array_agg(CASE
               WHEN d.judgement <> 'go' THEN d.judgement
               WHEN d.outdated THEN 'stale'
               WHEN d.target IN ('pending', 'unknown') THEN 'released'
               -- told apart for the relay's metrics, which know nothing of attempts
               WHEN d.target = 'dead' THEN 'dead' ELSE 'settled' END),
           array_agg(d.id) FILTER (WHERE d.target IN ('rejected', 'dead') OR d.target = 'delivered' AND d.report),
           array_agg(d.id) FILTER (WHERE d.target IN ('rejected', 'dead')),
           array_agg(DISTINCT d.connection_id) FILTER (WHERE d.target = 'delivered'),
           array_agg(DISTINCT d.connection_id) FILTER (WHERE d.target = 'pending' AND d.code = 'credentials'),
           array_agg(DISTINCT d.connection_id) FILTER (WHERE d.target NOT IN ('pending', 'unknown'))
      INTO v_ordinals, v_statuses, v_told, v_failed, v_delivered, v_asked_again, v_settled
      FROM decided d;
    IF v_told IS NOT NULL THEN
        PERFORM dist_relay._queue_outcomes(v_told);
    END IF;
    PERFORM dist_relay._note_outcomes(v_delivered, v_failed, v_now);
    -- refused credentials are told; what is settled may have been the last that waited for them
    PERFORM dist_relay._queue_report('dist.connection', c.id, c.id)
       FROM public.dist_connection c
      WHERE c.id = ANY (v_asked_again) OR c.id = ANY (v_settled) AND EXISTS (
            SELECT 1 FROM public.dist_exception x
             WHERE x.kind = 'connection.credentials' AND x.state = 'open' AND x.connection_id = c.id);
    RETURN QUERY SELECT * FROM unnest(v_ordinals, v_statuses);
END $$;

-- Last success (of the connections that delivered something) and last error (of events that failed). One statement, in
-- order of the connection: two pumps that store results of the same connections wait for each other, never in a circle.
CREATE OR REPLACE FUNCTION dist_relay._note_outcomes(p_delivered int[], p_failed int[], p_now timestamp) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF p_delivered IS NULL AND p_failed IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO public.dist_connection_health AS h (connection_id, breaker_state, last_success_at, last_error, last_error_at)
    SELECT n.id, 'closed', max(n.success_at), max(n.error), max(n.error_at) FROM (
        SELECT d.id, p_now AS success_at, NULL AS error, NULL::timestamp AS error_at FROM unnest(p_delivered) AS d (id)
         UNION ALL
        SELECT e.connection_id, NULL, (array_agg(COALESCE(e.outcome_message, e.outcome_code) ORDER BY e.id DESC))[1], p_now
          FROM public.dist_outbox_event e WHERE e.id = ANY (p_failed) GROUP BY e.connection_id) n
     GROUP BY n.id ORDER BY n.id
    ON CONFLICT (connection_id) DO UPDATE
       SET last_success_at = COALESCE(EXCLUDED.last_success_at, h.last_success_at),
           last_error = CASE WHEN EXCLUDED.last_error_at IS NULL THEN h.last_error ELSE EXCLUDED.last_error END,
           last_error_at = COALESCE(EXCLUDED.last_error_at, h.last_error_at);
END $$;
