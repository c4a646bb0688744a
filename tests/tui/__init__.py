"""The terminal UI, as a person at the keyboard sees it."""
