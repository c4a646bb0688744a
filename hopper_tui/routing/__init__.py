"""Decide where a task goes and say why. Pure functions over values; no store, no door."""
