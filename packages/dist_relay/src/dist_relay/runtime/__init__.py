"""The worker: Redis Streams, adapters at work, budgets and breakers. With ``pump`` the only place that knows Redis."""
