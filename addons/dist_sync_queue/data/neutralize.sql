-- a copy sends nothing: no connection is active, its identity is not the confirmed one, and it holds no secret
UPDATE dist_connection
   SET state = CASE state WHEN 'active' THEN 'paused' ELSE state END,
       sealed_credentials = NULL, sealed_to = NULL, credentials_set_at = NULL,
       check_state = NULL, check_result = NULL, config_version = COALESCE(config_version, 0) + 1;

INSERT INTO ir_config_parameter (key, value)
VALUES ('dist_sync_queue.identity_salt', gen_random_uuid()::text)
    ON CONFLICT (key) DO
       UPDATE SET value = EXCLUDED.value;

DELETE FROM ir_config_parameter
 WHERE key = 'dist_sync_queue.metrics_token_hash';

-- runs of the original are not this database's
UPDATE dist_connection_schedule
   SET run_id = NULL, run_deadline = NULL, pull_asked_at = NULL;

-- a copy does no recurring work by itself; "Run now" is left
UPDATE dist_schedule
   SET active = false;
