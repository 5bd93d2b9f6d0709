-- Schema dist_relay: all the relay may do in this database. Run again at every install and update.
-- Tables here are the seam's own memory; they hold nothing a user edits.
CREATE SCHEMA IF NOT EXISTS dist_relay;
REVOKE ALL ON SCHEMA dist_relay FROM PUBLIC;

CREATE SEQUENCE IF NOT EXISTS dist_relay.relay_seq;

-- Every event id that ever came in; a second arrival finds it here.
CREATE TABLE IF NOT EXISTS dist_relay.seen_event (
    event_id uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX IF NOT EXISTS seen_event_seen_at_idx ON dist_relay.seen_event USING brin (seen_at);

-- How far the run of a schedule has come: which worker's reading of it, and how many of its events are stored. Not a part
-- of the schedule's row, which people write to while a long run stores page after page.
CREATE TABLE IF NOT EXISTS dist_relay.pull_run (
    schedule_id integer PRIMARY KEY,
    run_id text,
    reading text,
    stored integer NOT NULL DEFAULT 0) WITH (fillfactor = 70);

-- The newest version of a state that was ever published: an older one that was committed late is never sent after it.
CREATE TABLE IF NOT EXISTS dist_relay.state_version (
    connection_id integer NOT NULL,
    type text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (connection_id, type, key)) WITH (fillfactor = 70);

REVOKE ALL ON ALL TABLES IN SCHEMA dist_relay FROM PUBLIC;

ALTER TABLE dist_connection_health SET (fillfactor = 50);
ALTER TABLE dist_connection_schedule SET (fillfactor = 70);
ALTER TABLE dist_outbox_event SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- What may be claimed at once, in the order it is claimed.
CREATE INDEX IF NOT EXISTS dist_outbox_event_ready_idx ON dist_outbox_event (connection_id, priority, id)
    WHERE state = 'pending' AND next_try_at IS NULL;
-- What waits for its time: pauses between tries, answers to be read back.
CREATE INDEX IF NOT EXISTS dist_outbox_event_waiting_idx ON dist_outbox_event (connection_id, next_try_at)
    WHERE state IN ('pending', 'unknown') AND next_try_at IS NOT NULL;
-- What is under way: leases that are over, back-pressure.
CREATE INDEX IF NOT EXISTS dist_outbox_event_lease_idx ON dist_outbox_event (connection_id, lease_until)
    WHERE state = 'published';
-- Order of facts: whether an earlier one of the key is not settled.
CREATE INDEX IF NOT EXISTS dist_outbox_event_fact_idx ON dist_outbox_event (connection_id, key, id)
    WHERE kind = 'fact' AND state IN ('pending', 'published', 'unknown', 'dead');
-- Coalescing of states: whether there is a newer version.
CREATE INDEX IF NOT EXISTS dist_outbox_event_state_idx ON dist_outbox_event (connection_id, type, key, version)
    WHERE kind = 'state' AND state IN ('pending', 'published', 'unknown');
-- What is not settled, by connection: the figures of the overview, however many settled rows there are.
CREATE INDEX IF NOT EXISTS dist_outbox_event_open_idx ON dist_outbox_event (connection_id, state, occurred_at)
    WHERE state IN ('pending', 'published', 'unknown');
CREATE INDEX IF NOT EXISTS dist_outbox_event_settled_idx ON dist_outbox_event (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS dist_outbox_event_failed_idx ON dist_outbox_event (connection_id, state)
    WHERE state IN ('dead', 'rejected');
CREATE INDEX IF NOT EXISTS dist_outbox_event_record_idx ON dist_outbox_event (res_model, res_id)
    WHERE res_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS dist_outbox_event_trace_idx ON dist_outbox_event (substr(correlation_id, 4, 32));
CREATE INDEX IF NOT EXISTS dist_exception_trace_idx ON dist_exception (substr(correlation_id, 4, 32));
CREATE INDEX IF NOT EXISTS dist_dead_letter_trace_idx ON dist_dead_letter (substr(correlation_id, 4, 32));
CREATE INDEX IF NOT EXISTS dist_job_trace_idx ON dist_job (substr(correlation_id, 4, 32))
    WHERE correlation_id IS NOT NULL;
