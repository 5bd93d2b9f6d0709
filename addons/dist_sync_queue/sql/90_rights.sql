-- The relay's role sees the functions below and nothing else of this database.
CREATE OR REPLACE FUNCTION dist_relay.grant_to(p_role text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA dist_relay TO %I', p_role);
    EXECUTE format(
        'GRANT EXECUTE ON FUNCTION dist_relay.hello(), dist_relay.connections(), dist_relay.pending(), '
        'dist_relay.ready(), '
        'dist_relay.claim(text, int, int), dist_relay.claim_pulls(int), dist_relay.intake(jsonb), '
        'dist_relay.intake_raw(text[]), dist_relay.announce(jsonb, text, text), dist_relay.replay(text[]), '
        'dist_relay.raise_seq(bigint), dist_relay.status(), dist_relay.diagnose() TO %I', p_role);
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA dist_relay FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'dist_relay') THEN
        PERFORM dist_relay.grant_to('dist_relay');
    END IF;
END $$;
