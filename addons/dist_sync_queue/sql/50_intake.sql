-- One call of intake: all of it or, where something is wrong with the data, all but that.

-- The whole array; raises when PostgreSQL refuses something the checks let through.
CREATE OR REPLACE FUNCTION dist_relay._intake_all(p_items jsonb[], p_raw text[], p_ordinals int[])
RETURNS TABLE (ordinal int, status text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_database CONSTANT text := dist_relay.database_uuid();
    -- an outcome of the usual form is seen without casting anything; all else is checked one by one
    v_problems text[] := ARRAY(
        SELECT CASE WHEN i.item->>'kind' = 'outcome'
                     AND o.body->>'event_id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                     AND o.body->>'verdict' IN ('delivered', 'rejected', 'retry', 'snooze', 'unknown', 'broken')
                     AND COALESCE(o.body->>'attempt', '1') ~ '^[1-9][0-9]{0,8}$'
                     AND COALESCE(o.body->>'version', '1') ~ '^[1-9][0-9]{0,17}$'
                     AND COALESCE(o.body->>'retry_after', '0') ~ '^[0-9]{1,9}(\.[0-9]{1,9})?$'
                     AND COALESCE(jsonb_typeof(o.body->'data'), 'null') IN ('object', 'null')
                    THEN '' ELSE COALESCE(dist_relay._check_item(i.item, v_database), '') END
          FROM unnest(p_items) WITH ORDINALITY AS i (item, position)
         CROSS JOIN LATERAL (SELECT i.item->'outcome' AS body) o ORDER BY i.position);
    v_refused CONSTANT int[] := dist_relay._out_of_turn(p_items, p_ordinals);
    v_items jsonb[];
    v_ordinals int[];
    v_nth bigint;
    v_letter int;
    v_letters int[] := '{}';
    v_letter_ordinals int[] := '{}';
    v_one record;
BEGIN
    RETURN QUERY SELECT r, 'out_of_turn'::text FROM unnest(v_refused) AS r;
    FOR v_one IN SELECT * FROM unnest(p_items, p_raw, p_ordinals, v_problems) AS i (item, raw, ordinal, problem)
                  WHERE i.problem <> '' AND i.ordinal <> ALL (v_refused) ORDER BY i.ordinal
    LOOP
        v_letter := dist_relay._dead_letter(v_one.item, v_one.raw, v_one.problem);
        IF v_letter IS NOT NULL THEN
            v_letters := v_letters || v_letter;
            v_letter_ordinals := v_letter_ordinals || v_one.ordinal;
        END IF;
        ordinal := v_one.ordinal; status := 'invalid';
        RETURN NEXT;
    END LOOP;
    SELECT array_agg(i.item ORDER BY i.ordinal), array_agg(i.ordinal ORDER BY i.ordinal) INTO v_items, v_ordinals
      FROM unnest(p_items, p_ordinals, v_problems) AS i (item, ordinal, problem)
     WHERE i.problem = '' AND i.item->>'kind' = 'event' AND i.ordinal <> ALL (v_refused);
    IF v_items IS NOT NULL THEN
        RETURN QUERY SELECT * FROM dist_relay._intake_events(v_items, v_ordinals, v_letters, v_letter_ordinals);
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
    FOR v_one IN SELECT * FROM unnest(p_items, p_ordinals, v_problems) AS i (item, ordinal, problem)
                  WHERE i.problem = '' AND i.item->>'kind' NOT IN ('event', 'outcome') ORDER BY i.ordinal
    LOOP
        ordinal := v_one.ordinal;
        status := CASE v_one.item->>'kind' WHEN 'health' THEN dist_relay._intake_health(v_one.item)
                  ELSE dist_relay._intake_pull(v_one.item) END;
        RETURN NEXT;
    END LOOP;
END $$;

-- As a whole; where that fails for the data's sake, one by one, and what fails alone becomes a dead letter. Errors that
-- are not the data's (deadlock, disk full, a schema of another version) are raised: the relay tries again later.
CREATE OR REPLACE FUNCTION dist_relay._intake_isolated(p_items jsonb[], p_raw text[], p_ordinals int[])
RETURNS TABLE (ordinal int, status text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_middle int := cardinality(p_items) / 2;
    v_why text;
BEGIN
    BEGIN
        RETURN QUERY SELECT * FROM dist_relay._intake_all(p_items, p_raw, p_ordinals);
        RETURN;
    EXCEPTION
        WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded OR raise_exception THEN
            IF v_middle = 0 THEN
                v_why := SQLERRM;
                ordinal := p_ordinals[1]; status := 'invalid';
                IF cardinality(dist_relay._out_of_turn(p_items, p_ordinals)) > 0 THEN
                    status := 'out_of_turn';
                ELSE
                    PERFORM dist_relay._dead_letter(p_items[1], p_raw[1], v_why);
                END IF;
                RETURN NEXT;
                RETURN;
            END IF;
    END;
    RETURN QUERY SELECT * FROM dist_relay._intake_isolated(p_items[:v_middle], p_raw[:v_middle], p_ordinals[:v_middle]);
    RETURN QUERY SELECT * FROM dist_relay._intake_isolated(
        p_items[v_middle + 1:], p_raw[v_middle + 1:], p_ordinals[v_middle + 1:]);
END $$;

CREATE OR REPLACE FUNCTION dist_relay.intake(p_items jsonb) RETURNS TABLE (ordinal int, status text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
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
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
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
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
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
