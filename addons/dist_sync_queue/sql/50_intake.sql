-- One call of intake: all of it or, where something is wrong with the data, all but that.

-- The whole array; raises when PostgreSQL refuses something the checks let through.
CREATE OR REPLACE FUNCTION dist_relay._intake_all(p_items jsonb[], p_raw text[], p_ordinals int[])
RETURNS TABLE (ordinal int, status text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
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
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
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
