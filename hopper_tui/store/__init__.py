"""Where events and their projections are kept: one protocol, SQLite in a file or in memory."""
