"""The demo: one distributor, one store, one warehouse, every process real."""
