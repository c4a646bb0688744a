"""Processes that are killed for real, at every step, and what the next command finds."""
