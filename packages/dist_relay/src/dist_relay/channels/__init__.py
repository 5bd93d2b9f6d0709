"""Adapters of sales channels, one folder each. Siblings never import each other."""
