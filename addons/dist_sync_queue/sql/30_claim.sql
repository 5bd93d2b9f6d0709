-- Claiming outbox events. Always by state, never by an id watermark; locked rows are skipped.

-- Plans are kept, and a table that was empty when they were made fills within a minute: nothing here may depend on what
-- the planner believed of its size (measured: 870 µs an event instead of 40). So rows are always named by their ids or
-- looked up one by one (a sub-select with LIMIT), and where one index is wanted no other fits the clauses: a state that is
-- compared as `state || ''` keeps the indexes of open rows out, whose whole looks cheap while they are empty.

-- Due candidates of one connection that are at the head of their key, locked. p_window bounds how many candidates are
-- looked at (NULL: all heads by a loose index scan, which jumps over the followers of a key that is held back).
CREATE OR REPLACE FUNCTION dist_relay._heads(
    p_connection int, p_only_checks boolean, p_now timestamp, p_limit int, p_window int)
RETURNS SETOF int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_mergejoin = off
AS $$
BEGIN
    RETURN QUERY
    WITH RECURSIVE keys AS (
        (SELECT e.key, e.id FROM public.dist_outbox_event e
          WHERE p_window IS NULL AND e.connection_id = p_connection AND e.kind = 'fact'
            AND e.state IN ('pending', 'published', 'unknown', 'dead')
          ORDER BY e.key, e.id LIMIT 1)
        UNION ALL
        SELECT n.key, n.id FROM keys k CROSS JOIN LATERAL (
            SELECT e.key, e.id FROM public.dist_outbox_event e
             WHERE e.connection_id = p_connection AND e.kind = 'fact'
               AND e.state IN ('pending', 'published', 'unknown', 'dead') AND e.key > k.key
             ORDER BY e.key, e.id LIMIT 1) n
    ), found AS MATERIALIZED (
        (SELECT e.id, e.kind, e.type, e.key FROM public.dist_outbox_event e
          WHERE e.connection_id = p_connection AND e.state = 'published' AND e.lease_until <= p_now
          ORDER BY e.lease_until LIMIT COALESCE(p_window, 20000))
        UNION ALL
        (SELECT e.id, e.kind, e.type, e.key FROM public.dist_outbox_event e
          WHERE e.connection_id = p_connection AND e.state IN ('pending', 'unknown') AND e.next_try_at <= p_now
          ORDER BY e.next_try_at LIMIT COALESCE(p_window, 20000))
        UNION ALL
        (SELECT e.id, e.kind, e.type, e.key FROM public.dist_outbox_event e
          WHERE e.connection_id = p_connection AND e.state = 'pending' AND e.next_try_at IS NULL
            AND (p_window IS NOT NULL OR e.kind = 'state')
          ORDER BY e.priority, e.id LIMIT COALESCE(p_window, 20000))
        UNION ALL
        SELECT k.id, 'fact', NULL, k.key FROM keys k
    ), candidates AS MATERIALIZED (
        SELECT f.id FROM found f WHERE f.kind = 'fact'
        UNION
        -- wherever a version of a state stands in the queue, the newest one takes its place
        SELECT newest.id FROM (SELECT DISTINCT f.type, f.key FROM found f WHERE f.kind = 'state') f
         CROSS JOIN LATERAL (
               SELECT e.id FROM public.dist_outbox_event e
                WHERE e.connection_id = p_connection AND e.type = f.type AND e.key = f.key AND e.kind = 'state'
                  AND e.state IN ('pending', 'published', 'unknown')
                ORDER BY e.version DESC LIMIT 1) newest
    )
    SELECT e.id FROM public.dist_outbox_event e
     WHERE e.id = ANY (ARRAY(SELECT c.id FROM candidates c))
       AND CASE e.state || ''
           WHEN 'pending' THEN e.next_try_at IS NULL OR e.next_try_at <= p_now
           WHEN 'published' THEN e.lease_until <= p_now
           WHEN 'unknown' THEN e.next_try_at <= p_now
           ELSE false END
       AND (NOT p_only_checks OR e.type = 'connection.check.v1')
       AND CASE e.kind
           -- the first of its key that is not settled; a range of one key, so that no index on ids alone is in order
           WHEN 'fact' THEN e.id = (
               SELECT o.id FROM public.dist_outbox_event o
                WHERE o.connection_id = e.connection_id AND o.key >= e.key AND o.key <= e.key AND o.kind = 'fact'
                  AND o.state IN ('pending', 'published', 'unknown', 'dead')
                ORDER BY o.key, o.id LIMIT 1)
           ELSE NOT EXISTS (
               SELECT 1 FROM public.dist_outbox_event o
                WHERE o.connection_id = e.connection_id AND o.type = e.type AND o.key = e.key AND o.kind = 'state'
                  AND o.state IN ('pending', 'published', 'unknown')
                  AND (o.version > e.version OR (o.state = 'published' AND o.lease_until > p_now AND o.id <> e.id)))
           END
     ORDER BY e.priority, e.id
     LIMIT p_limit
       FOR UPDATE OF e SKIP LOCKED;
END $$;

-- Cancel the older versions of the states just taken; of those taken, cancel what is older than was ever published.
CREATE OR REPLACE FUNCTION dist_relay._supersede(p_connection int, p_ids int[], p_now timestamp) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_mergejoin = off
AS $$
DECLARE
    v_older int[];
BEGIN
    UPDATE public.dist_outbox_event e
       SET state = 'cancelled', settled_at = p_now, outcome_code = 'superseded', next_try_at = NULL, lease_until = NULL
     WHERE e.id = ANY (p_ids) AND e.kind = 'state' AND e.version < (
           SELECT v.version FROM dist_relay.state_version v
            WHERE v.connection_id = p_connection AND v.type = e.type AND v.key = e.key);
    v_older := ARRAY(
        SELECT o.id FROM public.dist_outbox_event e CROSS JOIN LATERAL (
               SELECT x.id FROM public.dist_outbox_event x
                WHERE x.connection_id = e.connection_id AND x.type = e.type AND x.key = e.key AND x.kind = 'state'
                  AND x.state IN ('pending', 'published', 'unknown') AND x.version < e.version OFFSET 0) o
         WHERE e.id = ANY (p_ids) AND e.kind = 'state' AND e.state <> 'cancelled');
    WITH older AS (
        SELECT o.id FROM public.dist_outbox_event o
         WHERE o.id = ANY (v_older) AND o.state || '' IN ('pending', 'published', 'unknown')
         ORDER BY o.id FOR UPDATE SKIP LOCKED)
    UPDATE public.dist_outbox_event e
       SET state = 'cancelled', settled_at = p_now, outcome_code = 'superseded', next_try_at = NULL, lease_until = NULL
      FROM older WHERE e.id = ANY (v_older) AND e.id = older.id;
    INSERT INTO dist_relay.state_version AS v (connection_id, type, key, version)
    SELECT p_connection, e.type, e.key, max(e.version) FROM public.dist_outbox_event e
     WHERE e.id = ANY (p_ids) AND e.kind = 'state' AND e.state <> 'cancelled'
     GROUP BY e.type, e.key ORDER BY e.type, e.key
    ON CONFLICT (connection_id, type, key) DO UPDATE SET version = EXCLUDED.version
     WHERE v.version < EXCLUDED.version;
END $$;

-- Give up what nobody answered too often, or what is past its deadline before it was ever sent.
CREATE OR REPLACE FUNCTION dist_relay._give_up(p_ids int[], p_now timestamp) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_mergejoin = off
AS $$
DECLARE
    v_given_up int[];
BEGIN
    WITH given_up AS (
        UPDATE public.dist_outbox_event e
           SET state = 'dead', settled_at = p_now, lease_until = NULL, next_try_at = NULL,
               outcome_code = CASE WHEN e.state = 'pending' THEN 'deadline' ELSE 'unanswered' END,
               outcome_message = CASE WHEN e.state = 'pending' THEN 'The deadline passed before it could be sent.'
                                      ELSE 'It was sent ' || e.publication || ' times and nobody answered.' END
         WHERE e.id = ANY (p_ids)
           AND ((e.state = 'pending' AND NOT e.read_back AND e.deadline <= p_now)
                OR (e.state = 'published' AND e.lapses >= 24))
        RETURNING e.id)
    SELECT array_agg(g.id) INTO v_given_up FROM given_up g;
    PERFORM dist_relay._queue_outcomes(v_given_up);
END $$;

-- ``config_version`` is read with the claimed rows: what was emitted under a configuration is never told an older one.
CREATE OR REPLACE FUNCTION dist_relay.claim(p_connection text, p_limit int, p_lease_seconds int)
RETURNS TABLE (seq bigint, event_id text, type text, connection text, key text, priority int, version bigint,
               occurred_at timestamptz, correlation_id text, deadline timestamptz, attempt int, read_back boolean,
               payload jsonb, config_version bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    v_conn public.dist_connection%ROWTYPE;
    v_now timestamp := dist_relay.utcnow();
    v_room int;
    v_window int;
    v_ids int[] := '{}';
    v_states boolean;
    v_over boolean;
    v_published timestamp;
BEGIN
    SELECT * INTO v_conn FROM public.dist_connection c
     WHERE c.ref = p_connection AND c.active AND c.state IN ('active', 'draft');
    IF NOT FOUND OR p_limit < 1 OR NOT dist_relay.may_publish() THEN
        RETURN;
    END IF;
    SELECT LEAST(p_limit, v_conn.max_in_flight - count(*))::int INTO v_room FROM public.dist_outbox_event e
     WHERE e.connection_id = v_conn.id AND e.state = 'published' AND e.lease_until > v_now;
    IF v_room < 1 THEN
        RETURN;
    END IF;
    -- a full window without enough heads: keys held back stand in front, so look further, at last at every key
    FOREACH v_window IN ARRAY ARRAY[v_room, GREATEST(1000, 4 * v_room), NULL] LOOP
        v_ids := v_ids || ARRAY(
            SELECT dist_relay._heads(v_conn.id, v_conn.state = 'draft', v_now, v_room, v_window)
            EXCEPT SELECT unnest(v_ids));
        EXIT WHEN cardinality(v_ids) >= v_room OR v_window IS NULL OR v_window > (
            SELECT count(*) FROM (
                SELECT 1 FROM public.dist_outbox_event e
                 WHERE e.connection_id = v_conn.id AND e.state = 'pending' AND e.next_try_at IS NULL
                 LIMIT v_window) s);
    END LOOP;
    SELECT array_agg(s.id), bool_or(s.kind = 'state'), bool_or(s.over) INTO v_ids, v_states, v_over FROM (
        SELECT e.id, e.kind, e.deadline <= v_now OR e.lapses >= 24 AS over FROM public.dist_outbox_event e
         WHERE e.id = ANY (v_ids) ORDER BY e.priority, e.id LIMIT v_room) s;
    IF v_ids IS NULL THEN
        RETURN;
    END IF;
    IF v_over THEN
        PERFORM dist_relay._give_up(v_ids, v_now);
    END IF;
    IF v_states THEN
        PERFORM dist_relay._supersede(v_conn.id, v_ids, v_now);
    END IF;
    IF v_over OR v_states THEN
        v_ids := ARRAY(SELECT e.id FROM public.dist_outbox_event e
                        WHERE e.id = ANY (v_ids) AND e.state || '' IN ('pending', 'published', 'unknown')
                        ORDER BY e.priority, e.id);
    END IF;
    v_published := dist_relay.utcnow();
    RETURN QUERY
    WITH numbered AS MATERIALIZED (
        SELECT taken.id, nextval('dist_relay.relay_seq') AS seq
          FROM unnest(v_ids) WITH ORDINALITY AS taken (id, position)
    ), published AS (
        UPDATE public.dist_outbox_event e
           SET state = 'published', published_at = v_published, relay_seq = n.seq,
               lease_until = v_now + make_interval(secs => GREATEST(1, p_lease_seconds)),
               publication = e.publication + 1, next_try_at = NULL,
               lapses = e.lapses + (e.state = 'published')::int,
               read_back = e.read_back OR e.state IN ('published', 'unknown')
          FROM numbered n
         WHERE e.id = ANY (v_ids) AND e.id = n.id
        RETURNING e.*
    )
    SELECT p.relay_seq, p.event_id::text, p.type::text, p_connection, p.key::text, p.priority, p.version,
           p.occurred_at AT TIME ZONE 'UTC', p.correlation_id::text, p.deadline AT TIME ZONE 'UTC', p.publication,
           p.read_back, COALESCE(p.payload, '{}'::jsonb),
           (SELECT c.config_version::bigint FROM public.dist_connection c WHERE c.id = v_conn.id)
      FROM published p ORDER BY p.relay_seq;
END $$;
