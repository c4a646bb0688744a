"""The terminal UI as it is used: the installed command in a real terminal, others beside it."""
