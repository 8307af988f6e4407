"""Weights on disk: what they say of themselves; the official ones, fetched, checked, converted."""
