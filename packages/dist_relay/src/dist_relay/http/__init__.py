"""HTTP towards outside systems: a bounded session, the table of statuses, Retry-After."""
