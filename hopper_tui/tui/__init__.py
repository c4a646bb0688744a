"""The terminal UI: a Textual app over the engine. Only `hopper tui` and `hopper demo` load it."""
