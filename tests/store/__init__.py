"""The contract of a store, run against every kind of store, and what holds for SQLite files."""
