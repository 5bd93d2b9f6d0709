"""The pump: PostgreSQL outbox → Redis Streams, results from Redis → PostgreSQL. The only place that knows psycopg."""
